"""A server's URL, taken apart: scheme, user name and password, hosts or a socket, parameters.

No error quotes what may be part of a password, wherever it came to stand.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, TypeVar
from urllib.parse import unquote

from ninsho.client.names import a_labels

T = TypeVar("T")

SCHEMES: Final = ("smtp", "smtps", "lmtp", "smtp+unix", "lmtp+unix")
PORTS: Final = range(1, 65_536)
_URL: Final = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
_HOST: Final = re.compile(r"(?:\[(?P<six>[^\[\]]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
# A host alone; behind a name only the ports that mail has: "alice.smith:12345" may be a password.
_BARE: Final = re.compile(
    r"(?:[a-z0-9-]+\.)+[a-z]{2,63}(?::(?:24|25|465|587|[12]025|2465|2525|2587))?"
    r"|(?:localhost|(?:[0-9]{1,3}\.){3}[0-9]{1,3}|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?",
    re.IGNORECASE,
)
_STRAY: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPES: Final = (
    "expected user name and password once, before all hosts, with / ? # % and , written as %2F %3F %23 %25 and %2C"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A URL's parts, decoded; a host without a port has None. Where there are ``faults``, the parts are not whole."""

    scheme: str = ""
    hosts: tuple[tuple[str, int | None], ...] = ()
    path: str = ""
    username: str = ""
    password: str | None = field(default=None, repr=False)
    parameters: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    faults: tuple[str, ...] = ()


def parse(url: str, schemes: tuple[str, ...] = SCHEMES) -> Address:
    """Take *url* apart; what is wrong with it stands in ``faults``."""
    if any(character.isspace() or not character.isprintable() for character in url):
        return Address(faults=("expected white space and control characters written as %20 and so on",))
    if not (match := _URL.fullmatch(url)) or match["scheme"].lower() not in schemes:
        return Address(faults=(_ESCAPES if "://" in url and "#" in url else _expectation(url, schemes),))
    userinfo, at, _ = match["authority"].rpartition("@")
    is_cut_short = not at and "@" in (match["path"] or "")
    if is_cut_short or _STRAY.search(url) or ("," in userinfo and "@" in userinfo):
        return Address(faults=(_ESCAPES,))
    return _address(match["scheme"].lower(), match["authority"], match["path"] or "", match["query"] or "")


def _expectation(url: str, schemes: tuple[str, ...]) -> str:
    """What was expected, and where *url* is surely no password, what it was and may have meant."""
    expected = f"expected {', '.join(f'{scheme}://' for scheme in schemes)} and then a host"
    if _BARE.fullmatch(url):
        return f"{expected}, got {url!r}; did you mean {schemes[0]}://{url}?"
    from difflib import get_close_matches  # noqa: PLC0415 - 7 ms, for those who mistype

    scheme, separator, _ = url.partition("://")
    close = get_close_matches(scheme.lower(), schemes, n=1) if separator else []
    return f"{expected}; did you mean {close[0]}://?" if close else expected


def _address(scheme: str, authority: str, path: str, query: str) -> Address:
    userinfo, _, place = authority.rpartition("@")
    username, colon, password = userinfo.partition(":")
    is_socket, faults = scheme.endswith("+unix"), list[str]()
    address = Address(
        scheme,
        () if is_socket else _attempt(faults, (), _tcp, place, path),
        _attempt(faults, "", _socket, place, path) if is_socket else "",
        _attempt(faults, "", _decoded, username),
        _attempt(faults, None, _decoded, password) if colon else None,
        _attempt(faults, (), _parameters, query),
    )
    return replace(address, faults=tuple(dict.fromkeys(faults)))


def _attempt(faults: list[str], default: T, read: Callable[..., T], *texts: str) -> T:
    try:
        return read(*texts)
    except ValueError as error:
        faults.append(str(error))
    return default


def finding(value: object) -> str:
    """What an error says of a *value* that is wrong: the value, unless it may hold a password."""
    shown = repr(value)
    return "" if "@" in shown or "://" in shown else f", got {shown}"


def hosts_of(text: str) -> tuple[tuple[str, int | None], ...]:
    """Read ``host:port``, or several with commas between; raise ``ValueError``, which quotes nothing."""
    return tuple(map(_host, text.split(",")))


def _tcp(place: str, path: str) -> tuple[tuple[str, int | None], ...]:
    if path not in ("", "/"):
        raise ValueError("path: expected none; a socket's stands in smtp+unix:///path, other words after a ?")
    return hosts_of(_decoded(place))


def _socket(place: str, path: str) -> str:
    if place or path in ("", "/") or "%00" in path:
        raise ValueError("path: expected a socket's after three slashes, as in smtp+unix:///run/submission")
    return _decoded(path)


def _host(text: str) -> tuple[str, int | None]:
    if not (match := _HOST.fullmatch(text)):
        raise ValueError("host: expected a name or an IP address, IPv6 in brackets, and after a colon a port's number")
    if (port := match["port"]) is not None and int(port) not in PORTS:
        raise ValueError(f"port: expected a number from {PORTS[0]} to {PORTS[-1]}")
    if match["six"] and ":" not in match["six"]:
        raise ValueError("host: expected an IPv6 address in brackets")
    try:
        return a_labels(match["six"] or match["host"]), int(port) if port else None
    except ValueError as error:
        raise ValueError(f"host: {error}") from None


def _parameters(query: str) -> tuple[tuple[str, str], ...]:
    pairs = [part.partition("=") for part in query.split("&") if part]
    if not all(equals for _, equals, _ in pairs):
        raise ValueError("parameters: expected name=value after the ?, and & between them")
    return tuple((_decoded(name), _decoded(value)) for name, _, value in pairs)


def _decoded(text: str) -> str:
    # A + stays one (RFC 3986): it is common in addresses and tokens.
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        pass
    # Raised out here, as the error above holds the octets.
    raise ValueError("expected UTF-8 behind the percent signs")
