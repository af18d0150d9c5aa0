"""What a client is told about its server: plain frozen data, made from one URL, keywords, or both."""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from ninsho.client.names import fault_of_ehlo_name
from ninsho.client.url import finding
from ninsho.errors import ConfigurationError
from ninsho.sasl.exchange import ITERATIONS

if TYPE_CHECKING:
    from ssl import SSLContext
    from typing import Unpack

    from _typeshed import DataclassInstance

    from ninsho.client.told import Told
    from ninsho.mail.options import Dotted
    from ninsho.sasl.mechanism import Mechanism

Protocol: TypeAlias = Literal["smtp", "lmtp"]
Secret: TypeAlias = str | Callable[[], str]
"""A password or token, or what gets one when it is needed; it may block."""

VERSIONS: Final = ("1.2", "1.3")  # RFC 8996 has ended what was before; a context of one's own may have it
_PORTS: Final = range(65_536)
_PIN: Final = re.compile(r"(?:sha256:)?((?:[0-9a-f]{2}:?){31}[0-9a-f]{2})", re.IGNORECASE)


def _check(problems: Iterable[str]) -> None:
    if found := list(problems):
        raise ConfigurationError(found)


def _unknown(place: str, name: str | None, known: Iterable[str]) -> list[str]:
    names = list(known)
    if name is None or name.lower() in map(str.lower, names):
        return []
    return [f"{place}: expected one of {', '.join(names)}{finding(name)}"]


def _not_above_nothing(numbers: "DataclassInstance", *may_be_nothing: str) -> list[str]:
    """What is wrong with a class of nothing but numbers, some of which may be None."""
    found = {one.name: getattr(numbers, one.name) for one in fields(numbers)}
    return [
        f"{name}: expected a number {'from' if name in may_be_nothing else 'above'} 0, got {number!r}"
        for name, number in found.items()
        if number is not None and not (number > 0 or (number == 0 and name in may_be_nothing))
    ]


class TLSMode(Enum):
    """When TLS begins: at once; by STARTTLS, or not at all; by STARTTLS where it is offered; never."""

    IMPLICIT = "implicit"
    STARTTLS = "starttls"
    OPPORTUNISTIC = "opportunistic"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a server listens: a host, in A-labels, and its port; or the ``path`` of a unix socket."""

    host: str
    port: int
    path: str = ""

    def __post_init__(self) -> None:
        if bool(self.host) == bool(self.path):
            raise ConfigurationError(
                [f"host: expected one, or the path of a socket, got {'both' if self.host else 'neither'}"]
            )
        if self.port not in _PORTS:
            raise ConfigurationError([f"port: expected a number below {_PORTS.stop}, got {self.port}"])

    @property
    def loopback(self) -> bool:
        """Whether only this machine can listen there."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return self.path or f"{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long to wait in each phase, in seconds (RFC 5321 §4.5.3.2); ``total`` is for one whole message."""

    connect: float = 30
    greeting: float = 300
    command: float = 300
    mail: float = 300
    recipient: float = 300
    data_start: float = 120
    data_block: float = 180
    data_end: float = 600
    total: float | None = None

    def __post_init__(self) -> None:
        _check(_not_above_nothing(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Whom to log in as, with what, and by which mechanisms.

    ``auth`` is the only mechanism to try, or a level such as ``mutual``, below which none is tried. ``minimum``,
    ``exclude``, ``require_binding``, ``fall_through`` and ``allow_cleartext`` are those of ``Chooser``; ``iterations``
    those of ``Credentials``; ``mechanisms`` are a site's own. A secret that is a function is called when it is needed;
    it may block.
    """

    username: str = ""
    password: Secret | None = field(default=None, repr=False)
    token: Secret | None = field(default=None, repr=False)
    authzid: str = ""
    auth: str | None = None
    minimum: str | None = None
    exclude: tuple[str, ...] = ()
    require_binding: bool = False
    fall_through: bool = False
    allow_cleartext: bool = False
    iterations: tuple[int, int] = ITERATIONS
    mechanisms: "tuple[Mechanism, ...]" = ()

    def __post_init__(self) -> None:
        _check(self._faults())

    @property
    def force(self) -> str | None:
        """The only mechanism to try, None if there is a choice."""
        from ninsho.sasl.choosing import Level  # noqa: PLC0415 - only who logs in waits for the mechanisms

        return None if self.auth is None or self.auth.upper() in Level.__members__ else self.auth

    @property
    def lowest(self) -> str | None:
        """The mechanism or level below which nothing is tried."""
        return self.minimum or (self.auth if self.force is None else None)

    def _faults(self) -> Iterable[str]:
        from ninsho.sasl.choosing import Level  # noqa: PLC0415 - the same
        from ninsho.sasl.registry import clients, mechanisms  # noqa: PLC0415

        mine, known = clients(self.mechanisms), mechanisms(self.mechanisms)
        levels = [level.name.lower() for level in Level]
        yield from _unknown("auth", self.auth, [*mine, *levels])
        yield from _unknown("minimum", self.minimum, [*levels, *mine])
        for name in self.exclude:
            yield from _unknown("exclude", name, {**mine, **known})
        if self.auth and self.minimum and self.force is None:
            yield f"minimum: expected none beside auth={self.auth}{finding(self.minimum)}"
        if self.password is not None and not self.username:
            yield "username: expected one beside the password, got none"
        # Only some mechanisms need neither: who wants one of these says so.
        if self.password is None and self.token is None and self.force is None:
            yield "password: expected one, or a token, got none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe to be the server, and how to show who we are.

    ``context`` is used as it is. ``ca`` is a file or directory of certificates to believe instead of the system's;
    ``certificate`` and ``key`` are files of our own. ``server_name`` is what the certificate must be for, if not the
    host. ``fingerprint`` is the SHA-256 of the server's certificate, or several with commas between: then nothing else
    about it is verified. ``verify=False`` believes anybody. ``minimum_version`` is 1.2 where it is not said.
    """

    context: "SSLContext | None" = None
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    key_password: Secret | None = field(default=None, repr=False)
    server_name: str | None = None
    fingerprint: str | None = None
    verify: bool = True
    minimum_version: str | None = None

    def __post_init__(self) -> None:
        _check(self._faults())

    @property
    def pins(self) -> tuple[str, ...]:
        """The fingerprints in lower case without colons."""
        found = [_PIN.fullmatch(pin.strip()) for pin in (self.fingerprint or "").split(",")]
        return tuple(match[1].replace(":", "").lower() for match in found if match)

    def _faults(self) -> Iterable[str]:
        if self.fingerprint is not None and len(self.pins) != len(self.fingerprint.split(",")):
            yield "fingerprint: expected a SHA-256 in 64 hexadecimal digits, or several with commas between"
        yield from _unknown("minimum_version", self.minimum_version, VERSIONS)
        if self.key is not None and self.certificate is None:
            yield "certificate: expected one beside the key, got none"
        elif self.key_password is not None and self.certificate is None and self.context is None:
            yield "certificate: expected one beside the key's password, got none"
        own = self.ca or self.certificate or self.key_password or self.minimum_version
        if self.context is not None and (own or not self.verify):
            held = "ca, certificate, key_password, minimum_version and verify"
            yield f"context: expected none beside {held}, which it holds itself"


@dataclass(frozen=True, slots=True)
class Rate:
    """So many messages in so many seconds, at most."""

    count: int
    seconds: float

    def __post_init__(self) -> None:
        _check(_not_above_nothing(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often to try a message that is refused for the time being, and how many seconds to wait in between."""

    attempts: int = 1
    first_delay: float = 1
    factor: float = 2
    longest: float = 300
    jitter: float = 0.25

    def __post_init__(self) -> None:
        _check(_not_above_nothing(self, "jitter"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How many connections, and how much each is used: messages, seconds in all, seconds idle.

    ``in_flight`` is how many messages one may have sent that are not answered yet.
    """

    connections: int = 1
    messages_per_connection: int | None = None
    lifetime: float | None = None
    idle: float = 60
    in_flight: int = 16

    def __post_init__(self) -> None:
        _check(_not_above_nothing(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class PopSettings:
    """A mailbox to log in to first (POP before SMTP); ``window`` is how many minutes that counts.

    Without a user name and password the login's are used. ``allow_cleartext`` is as a login's.
    """

    host: str
    port: int = 995
    tls: TLSMode = TLSMode.IMPLICIT
    username: str = ""
    password: Secret | None = field(default=None, repr=False)
    window: float = 10
    allow_cleartext: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All that a client is told; ``without`` are the capabilities that are not used though offered, in capitals.

    ``dotted`` is that of ``Options``, for messages whose options do not say it.
    """

    endpoints: tuple[Endpoint, ...]
    protocol: Protocol = "smtp"
    tls: TLSMode = TLSMode.STARTTLS
    login: Login | None = None
    trust: Trust = Trust()
    timeouts: Timeouts = Timeouts()
    limits: Limits = Limits()
    rate: Rate | None = None
    retry: Retry = Retry()
    ehlo_name: str | None = None
    # It may hold a password.
    proxy: str | None = field(default=None, repr=False)
    source_address: tuple[str, int] | None = None
    without: frozenset[str] = frozenset()
    pop: PopSettings | None = None
    dotted: "Dotted" = "raw"

    def __post_init__(self) -> None:
        _check(self._faults())

    @classmethod
    def of(
        cls, url: str | None = None, /, *, environ: Mapping[str, str] = os.environ, **keywords: "Unpack[Told]"
    ) -> "Settings":
        """Make settings of *url*, else of the environment, and of *keywords*, which win.

        ``smtp://alice:secret@mail.example.com:587?tls=required`` can be said by ``host``, ``port``, ``username``,
        ``password`` and ``tls`` as well: each parameter of a URL is a keyword too. Without a URL and a host it is
        ``SMTP_URL``, else ``SMTP_HOST``, ``SMTP_PORT``, ``SMTP_USERNAME`` and ``SMTP_PASSWORD``. Raises ``TypeError``
        for an unknown keyword, ``ConfigurationError`` with all else that is wrong.
        """
        from ninsho.client.keywords import settings_of  # noqa: PLC0415 - it stands on these classes

        return settings_of(url, environ, keywords)

    def _faults(self) -> Iterable[str]:
        if not self.endpoints:
            yield "host: expected one at least, got none"
        if self.ehlo_name is not None and (fault := fault_of_ehlo_name(self.ehlo_name)):
            yield f"ehlo_name: {fault}{finding(self.ehlo_name)}"
        trust = self.trust
        if self.tls is TLSMode.NONE and (trust.ca or trust.certificate or trust.fingerprint or trust.context):
            yield "tls: expected TLS, as it is said whom to believe, got none"
        if self.proxy is not None and any(endpoint.path for endpoint in self.endpoints):
            yield "proxy: expected none for a unix socket"
