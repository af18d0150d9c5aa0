"""The tables of the configuration file: what may stand in each, and what it is without."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.networks import IPvAnyNetwork

from ninsho.daemon.judgement import Rules
from ninsho.errors import MalformedMessage
from ninsho.sasl.anonymous import GUEST
from ninsho.stores import hashing
from ninsho.stores.tokens.addresses import url_fault
from ninsho.stores.tokens.algorithms import ALGORITHMS, Algorithm
from ninsho.stores.wanted_forms import is_readable
from ninsho.text import prepare_username

DEFAULT_KEY_FILE = Path("/var/lib/ninsho/site.key")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> object:
    """Read a duration such as ``"2s"`` or ``"10m"``."""
    if isinstance(value, str):
        digits = value.rstrip("mshd")
        unit = _UNITS.get(value[len(digits) :])
        if unit is not None and digits.replace(".", "", 1).isdecimal():
            return float(digits) * unit
    raise ValueError('expected a duration such as "2s", "10m" or "1h"')


def _mode(value: object) -> object:
    if isinstance(value, str) and len(value) in {3, 4} and set(value) <= set("01234567"):
        return int(value, 8)
    raise ValueError('expected an octal string such as "0660"')


def _scheme(name: str) -> str:
    hashing.check_scheme(name)
    return name


def _derived(name: str) -> str:
    hashing.check_scheme(name)
    if is_readable(name):
        raise ValueError(f"expected a scheme that hides the password, got {name!r}: a login must not make it readable")
    if hashing.is_quick(name) and not hashing.serves(name, (object,)):
        raise ValueError(f"expected a scheme that is slow to guess at or serves a mechanism, got {name!r}")
    return name


def _weak(names: tuple[str, ...]) -> tuple[str, ...]:
    hashing.permission(names)
    return names


def _some(values: tuple[Algorithm, ...]) -> tuple[Algorithm, ...]:
    # Not by a minimum: it would count without those that are wrong, and tell of both.
    if not values:
        raise ValueError("expected one at least, got none")
    return values


def _url(url: str) -> str:
    if fault := url_fault(url):
        raise ValueError(fault)
    return url


def _username(name: str) -> str:
    try:
        return prepare_username(name.encode())
    except MalformedMessage as error:
        raise ValueError(str(error)) from None


Duration = Annotated[float, BeforeValidator(_seconds)]
Mode = Annotated[int, BeforeValidator(_mode)]
Url = Annotated[str, AfterValidator(_url)]


class Table(BaseModel):
    """A table of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listen(Table):
    """``[[listen]]``: a UNIX socket or a TCP address, and what is offered there.

    ``mechanisms`` are offered in this order; without them, those that the stores can serve and that are not weak.
    """

    unix: Annotated[Path, Field(strict=False)] | None = None
    mode: Mode = 0o660
    owner: str | None = None
    group: str | None = None
    tcp: str | None = None
    allow: Annotated[tuple[IPvAnyNetwork, ...], Field(strict=False)] = ()
    mechanisms: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None
    # The protocol's version to greet with: at 1.3 the client speaks first, and may tell of its TLS channel.
    handshake: Literal["1.2", "1.3"] = "1.2"

    @property
    def minor(self) -> int:
        """The minor version of the protocol to greet with."""
        return int(self.handshake.partition(".")[2])

    @property
    def address(self) -> str:
        """What the file says after ``unix`` or ``tcp``."""
        return str(self.unix) if self.unix is not None else str(self.tcp)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port of a TCP listener."""
        host, _, port = str(self.tcp).rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.unix is None) == (self.tcp is None):
            raise ValueError("expected either unix or tcp")
        if self.tcp is not None:
            self._check_endpoint()
        return self

    def _check_endpoint(self) -> None:
        host, separator, port = str(self.tcp).rpartition(":")
        if not (separator and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError(f'expected tcp as "address:port", got {self.tcp!r}')
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            raise ValueError(f"expected an IP address before the port, got {host!r}") from None
        if not (address.is_loopback or self.allow):
            # The protocol carries passwords in clear.
            raise ValueError(
                f"expected allow, the networks that may connect, with the address {host}, which is not loopback"
            )


class Mechanisms(Table):
    """``[[mechanism]]``: a Python file with mechanisms of the site's own."""

    file: Annotated[Path, Field(strict=False)]


class PasswordsTable(Table):
    """``[passwords]``: how new ones are stored, and how long a verified one is remembered (``"0s"``: not at all).

    ``weak`` are the weak schemes whose stored forms are accepted all the same.
    """

    weak: Annotated[tuple[str, ...], Field(strict=False), AfterValidator(_weak)] = ()
    scheme: Annotated[str, AfterValidator(_scheme)] = "ARGON2ID"
    remember: Duration = 3600.0
    threads: Annotated[int, Field(ge=0)] = 0
    queue: Annotated[int, Field(ge=1)] = 100


class FailureTable(Table):
    """``[failure]``: how long a refused login waits, and how Postfix and Exim learn that we cannot tell."""

    # The answer has to leave before Postfix gives up, at 10 s.
    delay: Annotated[Duration, Field(ge=0, le=6)] = 2.0
    temporary: Literal["close", "fail"] = "close"


class LogTable(Table):
    """``[log]``: key=value or JSON, and which decisions are written."""

    format: Literal["text", "json"] = "text"
    decisions: Literal["all", "failures", "none"] = "all"


class AccountsTable(Table):
    """``[accounts]``: what holds for all accounts, wherever they are stored.

    ``derive`` are the schemes of which an account gets a stored form at its next login by PLAIN or LOGIN, ``rehash``
    replaces forms that are outdated then. ``masters`` lets accounts that are marked as masters act as others.
    ``unknown`` says what becomes of users whom a token, a ticket or a certificate names and no store knows.
    ``key_file`` holds the key from which the salts of unknown users are made; it is made where it is missing.
    """

    derive: Annotated[tuple[Annotated[str, AfterValidator(_derived)], ...], Field(strict=False)] = ()
    rehash: bool = False
    masters: bool = False
    unknown: Literal["refuse", "accept"] = "refuse"
    key_file: Annotated[Path, Field(strict=False)] = DEFAULT_KEY_FILE

    @property
    def rules(self) -> Rules:
        """What these settings permit."""
        return Rules(self.masters, self.unknown == "accept")


class DigestMd5Table(Table):
    """``[digest-md5]``: the realms to offer; the first is meant where a client names none."""

    realms: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = ("",)


class GssapiTable(Table):
    """``[gssapi]``: the keys that open the tickets for the service, and whose users are known without their realm.

    Without ``keytab`` they are where the system keeps them; without ``host`` those of any host are good.
    """

    keytab: Annotated[Path, Field(strict=False)] | None = None
    service: Annotated[str, Field(min_length=1)] = "smtp"
    host: Annotated[str, Field(min_length=1)] | None = None
    realms: Annotated[tuple[str, ...], Field(strict=False)] = ()


class AnonymousTable(Table):
    """``[anonymous]``: the user as whom everybody is let in, where ANONYMOUS is offered."""

    user: Annotated[str, AfterValidator(_username)] = GUEST


class OauthTable(Table):
    """``[[oauth]]``: an issuer of bearer tokens, and what its tokens must say.

    Its keys are at ``jwks_url``, in ``jwks_file`` or ``public_key_file``, or where its metadata says; with
    ``introspection_url`` it is asked about each token. Of ``audience`` one must be in the token (an empty array: any
    will do), of ``scopes`` all.
    """

    issuer: str = ""
    audience: Annotated[tuple[str, ...], Field(strict=False)]
    scopes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    username_claim: Annotated[str, Field(min_length=1)] = "email"
    username_suffix: str = ""
    algorithms: Annotated[tuple[Algorithm, ...], Field(strict=False), AfterValidator(_some)] = ALGORITHMS
    leeway: Annotated[Duration, Field(ge=0, le=600)] = 60.0
    remember: Annotated[Duration, Field(ge=0, le=3600)] = 300.0
    jwks_url: Url | None = None
    jwks_file: Annotated[Path, Field(strict=False)] | None = None
    public_key_file: Annotated[Path, Field(strict=False)] | None = None
    introspection_url: Url | None = None
    client_id: str = ""
    client_secret_file: Annotated[Path, Field(strict=False)] | None = None
    client_authentication: Literal["basic", "post"] = "basic"
    openid_configuration: Url | None = None
    ca_file: Annotated[Path, Field(strict=False)] | None = None

    @property
    def discovers(self) -> bool:
        """Whether the issuer's own metadata say where its keys are."""
        return not any((self.jwks_url, self.jwks_file, self.public_key_file, self.introspection_url))

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = ("jwks_url", "jwks_file", "public_key_file", "introspection_url")
        if len(given := [name for name in sources if getattr(self, name) is not None]) > 1:
            raise ValueError(f"expected one of {', '.join(sources)}, got {' and '.join(given)}")
        if not self.issuer and self.introspection_url is None:
            raise ValueError("expected issuer, which a signed token must name, got none")
        if self.discovers and (fault := url_fault(self.issuer)):
            raise ValueError(f"issuer: {fault}; or one of {', '.join(sources)}, got neither")
        if len({self.introspection_url is None, not self.client_id, self.client_secret_file is None}) > 1:
            raise ValueError("expected client_id and client_secret_file with introspection_url, and only there")
        return self


def _distinct(tables: tuple[OauthTable, ...]) -> tuple[OauthTable, ...]:
    names = [table.issuer for table in tables if table.issuer]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"expected each issuer once, got more of {', '.join(twice)}")
    return tables


class Tables(Table):
    """The whole file, before its stores are decoded by their own recipes."""

    listen: Annotated[tuple[Listen, ...], Field(strict=False)] = ()
    store: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    mechanism: Annotated[tuple[Mechanisms, ...], Field(strict=False)] = ()
    oauth: Annotated[tuple[OauthTable, ...], Field(strict=False), AfterValidator(_distinct)] = ()
    passwords: PasswordsTable = PasswordsTable()
    failure: FailureTable = FailureTable()
    log: LogTable = LogTable()
    accounts: AccountsTable = AccountsTable()
    digest_md5: Annotated[DigestMd5Table, Field(alias="digest-md5")] = DigestMd5Table()
    gssapi: GssapiTable = GssapiTable()
    anonymous: AnonymousTable = AnonymousTable()

    @model_validator(mode="after")
    def _slow_again(self) -> Self:
        if self.accounts.rehash and hashing.is_quick(scheme := self.passwords.scheme):
            raise ValueError(
                f"expected accounts.rehash only with a passwords.scheme that is slow to guess from, got {scheme!r}"
            )
        return self
