"""The tables of the configuration file: what may stand in each, and what it is without."""

from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.networks import IPvAnyNetwork

from ninsho.stores import hashing

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


Duration = Annotated[float, BeforeValidator(_seconds)]
Mode = Annotated[int, BeforeValidator(_mode)]


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

    weak: Annotated[tuple[str, ...], Field(strict=False)] = ()
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

    derive: Annotated[tuple[str, ...], Field(strict=False)] = ()
    rehash: bool = False
    masters: bool = False
    unknown: Literal["refuse", "accept"] = "refuse"
    key_file: Annotated[Path, Field(strict=False)] = DEFAULT_KEY_FILE


class DigestMd5Table(Table):
    """``[digest-md5]``: the realms to offer; the first is meant where a client names none."""

    realms: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = ("",)


class Tables(Table):
    """The whole file, before its stores are decoded by their own recipes."""

    listen: Annotated[tuple[Listen, ...], Field(strict=False)] = ()
    store: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    mechanism: Annotated[tuple[Mechanisms, ...], Field(strict=False)] = ()
    passwords: PasswordsTable = PasswordsTable()
    failure: FailureTable = FailureTable()
    log: LogTable = LogTable()
    accounts: AccountsTable = AccountsTable()
    digest_md5: Annotated[DigestMd5Table, Field(alias="digest-md5")] = DigestMd5Table()
