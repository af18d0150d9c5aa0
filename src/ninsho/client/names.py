"""Names of hosts: the one that we call ourselves in EHLO, and the A-labels that the DNS knows others by."""

import re
import socket
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from ninsho import domains
from ninsho.domains import LABEL_LIMIT

HOST_LIMIT = 253  # octets (RFC 1035 §3.1, less the length octets at both ends)
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
# RFC 5321 §4.1.2: Domain. Hosts that one connects to have underscores as well, in private networks.
_DOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_HOST: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.?")
_ZONE: Final = re.compile(r"[A-Za-z0-9_.-]+")  # RFC 4007 §11: an interface's name
HOSTS: Final = Path("/etc/hosts")
MAILNAME: Final = Path("/etc/mailname")  # Debian policy §11.6
_LOCAL_ONLY: Final = ("localhost", "localdomain", "local")


def a_labels(host: str) -> str:
    """Return *host* as the DNS knows it, in ASCII and lower case; an IP address is returned as it is.

    Raises ``ValueError`` with what was expected of it; the host is not quoted.
    """
    if _is_address(host):
        return host.lower()
    try:
        name = domains.a_labels(host).lower()
    except ValueError as fault:
        raise ValueError(f"expected a host name or an IP address: {fault}") from None
    labels = name.removesuffix(".").split(".")
    if not _HOST.fullmatch(name) or len(name) > HOST_LIMIT or max(map(len, labels)) > LABEL_LIMIT:
        raise ValueError("expected a host name or an IP address")
    return name


def fault_of_ehlo_name(name: str) -> str | None:
    """What is wrong with *name* after EHLO (RFC 5321 §4.1.1.1); None if nothing is."""
    if name.startswith("[") and name.endswith("]") and _is_literal(name[1:-1]):
        return None
    if _DOMAIN.fullmatch(name) and len(name) <= HOST_LIMIT and max(map(len, name.split("."))) <= LABEL_LIMIT:
        return None
    return 'expected a domain name, or an address in brackets such as "[192.0.2.1]"'


def ehlo_name(given: str | None, local_address: str, *, hosts: Path = HOSTS, mailname: Path = MAILNAME) -> str:
    """Return what to say after EHLO: the *given* name, our own full name, or the connection's *local_address*.

    Our own name is taken from what this machine knows by heart. No resolver is asked, as it may take 20 s to know
    nothing.
    """
    return given or _known_name(hosts, mailname) or address_literal(local_address)


def address_literal(address: str) -> str:
    """Return *address* in brackets (RFC 5321 §4.1.3); of a unix socket, which has none, this machine's own."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "[127.0.0.1]"
    mapped = getattr(parsed, "ipv4_mapped", None)
    return f"[IPv6:{parsed}]" if parsed.version == 6 and not mapped else f"[{mapped or parsed}]"


def _known_name(hosts: Path, mailname: Path) -> str | None:
    name = socket.gethostname()
    candidates = (name, *_aliases(name, hosts), *_lines(mailname)[:1])
    return next((candidate for candidate in candidates if _is_public(candidate)), None)


def _aliases(name: str, hosts: Path) -> list[str]:
    """The names that stand with *name* on a line of *hosts*: the full one by custom first (hosts(5))."""
    rows = (line.partition("#")[0].split()[1:] for line in _lines(hosts))
    return [alias for row in rows if name in row for alias in row]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _is_public(name: str) -> bool:
    """Whether *name* may be told to others: a domain name in full, and not one that every machine has."""
    labels = name.lower().rpartition(".")
    return bool(labels[0]) and labels[2] not in _LOCAL_ONLY and fault_of_ehlo_name(name) is None


def _is_address(host: str) -> bool:
    address, percent, zone = host.partition("%")
    # Python takes anything for a zone, a line feed too.
    if percent and not _ZONE.fullmatch(zone):
        return False
    try:
        ip_address(address)
    except ValueError:
        return False
    return not percent or ":" in address


def _is_literal(text: str) -> bool:
    is_six = text[:5].upper() == "IPV6:"
    address = text[5:] if is_six else text
    return _is_address(address) and is_six == (":" in address) and "%" not in address
