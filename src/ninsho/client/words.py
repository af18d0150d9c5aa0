"""How the value of a keyword or URL parameter is read: numbers, times, rates, yes and no, names.

Each function takes the text of a URL or the value of a program, and raises ``ValueError`` with what was expected.
"""

import os
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, Final

from ninsho.client import proxy as proxies
from ninsho.client.names import a_labels, fault_of_ehlo_name
from ninsho.client.settings import PopSettings, Rate, Secret, TLSMode
from ninsho.client.url import PORTS, Address, hosts_of, parse

_YES: Final = ("yes", "true", "on", "1")
_NO: Final = ("no", "false", "off", "0")
_SECONDS: Final = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?P<unit>ms|s|m|min|h|d)?", re.ASCII)
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_RATE: Final = re.compile(r"(?P<count>[1-9][0-9]{0,8})/(?P<unit>[a-z]+)", re.ASCII)
_PERIODS: Final = {
    **dict.fromkeys(("s", "sec", "second"), 1),
    **dict.fromkeys(("m", "min", "minute"), 60),
    **dict.fromkeys(("h", "hour"), 3600),
    **dict.fromkeys(("d", "day"), 86_400),
}
_COUNT_LIMIT = 1_000_000
REQUIRED: Final = "required"
_TLS: Final[dict[str, TLSMode | str]] = {
    **{mode.value: mode for mode in TLSMode},
    **dict.fromkeys((REQUIRED, *_YES), REQUIRED),
    **dict.fromkeys(_NO, TLSMode.NONE),
}
# What the client, and what it makes ready, ask of a server; without RSET each message waits for the one before.
CAPABILITIES: Final = (
    "PIPELINING",
    "CHUNKING",
    "BINARYMIME",
    "8BITMIME",
    "SMTPUTF8",
    "SIZE",
    "LIMITS",
    "RSET",
    "STARTTLS",
    "AUTH",
    "X-EXPS",
    "DSN",
    "REQUIRETLS",
    "DELIVERBY",
    "FUTURERELEASE",
    "MT-PRIORITY",
)
_POP_PORTS: Final = {"pops": 995, "pop": 110}  # RFC 8314 §7.3, RFC 1939 §3


def text(value: object) -> str:
    """A text in one line, not empty."""
    if isinstance(value, str) and value and value.isprintable():
        return value
    raise ValueError("expected a text in one line")


def path(value: object) -> str:
    """The name of a file or directory."""
    name = os.fspath(value) if isinstance(value, str | os.PathLike) else None
    if isinstance(name, str) and name and "\0" not in name:
        return name
    raise ValueError("expected a path")


def yes_or_no(value: object) -> bool:
    """A switch."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _YES + _NO:
        return value.lower() in _YES
    raise ValueError("expected yes or no")


def seconds(value: object) -> float:
    """A time: a number of seconds, or with a unit such as ``90s``, ``5m``, ``1h``."""
    if isinstance(value, str) and (match := _SECONDS.fullmatch(value)):
        value = float(match["number"]) * _UNITS[match["unit"] or "s"]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return value
    raise ValueError("expected a time above nothing, such as 30, 30s or 5m")


def minutes(value: object) -> float:
    """A number of minutes, or a time with a unit such as ``600s``."""
    bare = not isinstance(value, str) or value.replace(".", "", 1).isdigit()
    return seconds(float(value) if bare and isinstance(value, str) else value) / (1 if bare else 60)


def count(value: object) -> int:
    """A whole number from 1."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(_COUNT_LIMIT)) + 1:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _COUNT_LIMIT:
        return value
    raise ValueError(f"expected a whole number from 1 to {_COUNT_LIMIT}")


def rate(value: object) -> Rate:
    """Messages in a time, such as ``14/s``, ``100/min`` or ``2000/hour``."""
    if isinstance(value, Rate):
        return value
    if isinstance(value, str) and (match := _RATE.fullmatch(value)) and match["unit"] in _PERIODS:
        return Rate(int(match["count"]), _PERIODS[match["unit"]])
    raise ValueError("expected a rate such as 14/s, 100/min or 2000/hour")


def names(value: object) -> tuple[str, ...]:
    """Names with commas between, or a collection of them, which may be empty."""
    parts = tuple(value.split(",") if isinstance(value, str) else value if isinstance(value, Iterable) else (None,))
    if not all(isinstance(part, str) and part.strip() for part in parts):
        raise ValueError("expected names with commas between")
    return tuple(text(part.strip()) for part in parts)


def secret(value: object) -> Secret:
    """A password or token, or a function that gets one."""
    if callable(value) or (isinstance(value, str) and value):
        return value
    raise ValueError("expected a text that is not empty, or a function that returns one")


def one_of(*words: str) -> Callable[[object], str]:
    """One of *words*."""

    def read(value: object) -> str:
        if isinstance(value, str) and value.lower() in words:
            return value.lower()
        raise ValueError(f"expected one of {', '.join(words)}")

    return read


def instance(kind: type) -> Callable[[object], object]:
    """What only a program can give: an instance of *kind*."""

    def read(value: object) -> object:
        if isinstance(value, kind):
            return value
        raise ValueError(f"expected a {kind.__name__}")

    return read


def several(kind: type) -> Callable[[object], tuple[Any, ...]]:
    """What only a program can give: a collection of instances of *kind*."""

    def read(value: object) -> tuple[Any, ...]:
        found = tuple(value) if isinstance(value, Iterable) else (None,)
        if all(isinstance(one, kind) for one in found):
            return found
        raise ValueError(f"expected a list of {kind.__name__}")

    return read


def secret_text(value: object) -> str:
    """A text that may hold anything but a NUL."""
    if isinstance(value, str) and value and "\0" not in value:
        return value
    raise ValueError("expected a text that is not empty, and has no NUL")


def hosts(value: object) -> tuple[tuple[str, int | None], ...]:
    """Hosts, each with its port or None."""
    if isinstance(value, str):
        return hosts_of(value)
    if isinstance(value, tuple) and value:
        return value
    raise ValueError("expected a host name or an IP address, or several with commas between")


def port(value: object) -> int:
    """The number of a TCP port."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= len(str(PORTS[-1])):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value in PORTS:
        return value
    raise ValueError(f"expected a number from {PORTS[0]} to {PORTS[-1]}")


def tls(value: object) -> TLSMode | str:
    """When TLS begins; ``REQUIRED`` leaves it to the port."""
    if isinstance(value, TLSMode):
        return value
    word = str(value).lower() if isinstance(value, str | bool) else ""
    if word in _TLS:
        return _TLS[word]
    raise ValueError(f"expected one of {', '.join(mode.value for mode in TLSMode)}, {REQUIRED}")


def capabilities(value: object) -> frozenset[str]:
    """Keywords of EHLO that the client uses where they are offered, in capitals."""
    found = frozenset(name.upper() for name in names(value))
    if unused := sorted(found - set(CAPABILITIES)):
        told = suggestion(unused[0], CAPABILITIES)
        raise ValueError(f"expected capabilities that the client uses, got {unused[0]!r}{told}")
    return found


def iterations(value: object) -> tuple[int, int]:
    """The lowest and the highest, with a hyphen between, or as a pair."""
    parts = value.split("-") if isinstance(value, str) else value
    match parts:
        case [lowest, highest]:
            bounds = count(lowest), count(highest)
            if bounds[0] <= bounds[1]:
                return bounds
    raise ValueError("expected the lowest and the highest count, such as 4096-600000")


def ehlo_name(value: object) -> str:
    """What to say after EHLO."""
    if fault := fault_of_ehlo_name(name := text(value)):
        raise ValueError(fault)
    return name


def proxy(value: object) -> str:
    """A proxy's URL."""
    proxies.check(url := text(value))
    return url


def source_address(value: object) -> tuple[str, int]:
    """The address to connect from, with a port or without."""
    match value:
        case (str(host), int(number)):
            return a_labels(host), number
        case str() if len(found := hosts_of(f"[{value}]" if value.count(":") > 1 and "[" not in value else value)) == 1:
            return found[0][0], found[0][1] or 0
    raise ValueError("expected an address of this machine")


def mailbox(value: object) -> PopSettings:
    """A POP server: its host, or a URL ``pops://user:pass@host?window=10``."""
    if isinstance(value, PopSettings):
        return value
    url = text(value)
    if "://" not in url:
        # Without its scheme it is half a URL; in another place the same text would be something else.
        if set(url) & set("@/?#"):
            raise ValueError("expected a host, or a URL such as pops://alice@pop.example.com?window=10")
        url = f"pops://{url}"
    return _mailbox(parse(url, tuple(_POP_PORTS)))


def suggestion(name: str, known: Iterable[str], others: Iterable[str | None] = ()) -> str:
    """What to say of a *name* that is none of the *known*: one of the *others* that is, the nearest, or all."""
    names = list(known)
    close = [*others, *get_close_matches(name, names, n=1)]
    return next((f"; did you mean {one}?" for one in close if one in names), f"; known are {', '.join(names)}")


def _mailbox(address: Address) -> PopSettings:
    if address.faults:
        raise ValueError("; ".join(address.faults))
    if len(address.hosts) > 1 or not {name for name, _ in address.parameters} <= {"tls", "window"}:
        raise ValueError("expected one host, and no parameters but tls and window")
    parameters = dict(address.parameters)
    told = tls(parameters["tls"]) if "tls" in parameters else REQUIRED
    default = TLSMode.IMPLICIT if address.scheme == "pops" else TLSMode.STARTTLS
    return PopSettings(
        host=address.hosts[0][0],
        port=address.hosts[0][1] or _POP_PORTS[address.scheme],
        tls=told if isinstance(told, TLSMode) else default,
        username=address.username,
        password=address.password,
        window=minutes(parameters.get("window", 10)),
    )
