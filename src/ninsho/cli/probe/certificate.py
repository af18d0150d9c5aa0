"""Reading a certificate (RFC 5280), also one that nobody believes: whose, from whom, for which names, until when."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Final

VERSION, EXTENSIONS = 0xA0, 0xA3  # the tags of TBSCertificate (RFC 5280 §4.1)
UTC_TIME = 0x17
DNS_NAME, IP_ADDRESS = 0x82, 0x87  # of GeneralName (RFC 5280 §4.2.1.6)
SUBJECT_ALT_NAME: Final = bytes.fromhex("551d11")  # 2.5.29.17
# Common name, organization, organizational unit: the first that there is.
_PARTS: Final = tuple(map(bytes.fromhex, ("550403", "55040a", "55040b")))
_BMP_STRING, _TELETEX_STRING = 0x1E, 0x14
_DAY = 86_400  # seconds


@dataclass(frozen=True, slots=True)
class Certificate:
    """What people want to know of a certificate."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    @classmethod
    def read(cls, der: bytes) -> "Certificate":
        """Read one; raise ``ValueError`` for what is none."""
        whole = _content(der)
        fields = [field for field in _elements(_content(whole)) if field[0] != VERSION]
        _serial, _algorithm, issuer, validity, subject = (content for _, content in fields[:5])
        begin, end = (_moment(tag, content) for tag, content in _elements(validity))
        extensions = [content for tag, content in fields if tag == EXTENSIONS]
        names = tuple(name for content in extensions for name in _names(_content(content)))
        return cls(_shown(subject), _shown(issuer), names, begin, end)

    def is_for(self, host: str) -> bool:
        """Whether it is for *host* (RFC 6125 §6.4): a star stands for one whole label."""
        host = host.lower().removesuffix(".")
        names = {name.lower() for name in self.names}
        return host in names or f"*.{host.partition('.')[2]}" in names

    def days_left(self, now: datetime) -> int:
        """How many whole days it has still to run; below 0 when it has expired."""
        return int((self.not_after - now).total_seconds() // _DAY)


def _element(der: bytes) -> tuple[int, bytes, bytes]:
    """The tag and the content of the element that *der* begins with, and what stands behind it (X.690 §8.1)."""
    if len(der) < 2:
        raise ValueError("DER: expected an element, got its end")
    size, start = der[1], 2
    # The long form: how many octets the length takes.
    if size & 0x80:
        start += size & 0x7F
        size = int.from_bytes(der[2:start], "big")
    if len(der) < start + size:
        raise ValueError(f"DER: expected {size} octets, got {max(len(der) - start, 0)}")
    return der[0], der[start : start + size], der[start + size :]


def _content(der: bytes) -> bytes:
    return _element(der)[1]


def _elements(der: bytes) -> Iterator[tuple[int, bytes]]:
    while der:
        tag, content, der = _element(der)
        yield tag, content


def _moment(tag: int, content: bytes) -> datetime:
    """RFC 5280 §4.1.2.5: two digits of a year below 50 are of this century."""
    text = content.decode("ascii")
    if tag == UTC_TIME:
        text = ("20" if text < "5" else "19") + text
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _shown(name: bytes) -> str:
    """The part of a distinguished name that says most."""
    parts = dict(_parts(name))
    return next((parts[part] for part in _PARTS if part in parts), "")


def _parts(name: bytes) -> Iterator[tuple[bytes, str]]:
    for _, group in _elements(name):
        for _, pair in _elements(group):
            (_, kind), (tag, value) = _elements(pair)
            encoding = {_BMP_STRING: "utf-16-be", _TELETEX_STRING: "latin-1"}.get(tag, "utf-8")
            yield kind, value.decode(encoding, "backslashreplace")


def _names(extensions: bytes) -> Iterator[str]:
    for _, extension in _elements(extensions):
        # Between the two there may be whether it is critical.
        (_, kind), *_, (_, value) = _elements(extension)
        if kind == SUBJECT_ALT_NAME:
            yield from filter(None, (_general_name(tag, content) for tag, content in _elements(_content(value))))


def _general_name(tag: int, content: bytes) -> str:
    if tag == IP_ADDRESS:
        return str(ip_address(content))
    return content.decode("ascii", "backslashreplace") if tag == DNS_NAME else ""
