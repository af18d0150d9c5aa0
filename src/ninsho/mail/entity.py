"""MIME entities as octets (RFC 2045, RFC 2046): cut at their boundaries, described, encoded, put together."""

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ninsho.mail.content import base64_lines, crlf
from ninsho.mail.headers import fields
from ninsho.mail.unsendable import Unsendable

# Atomic: a CRLF is never read as a CR and an LF.
_EMPTY_LINE = re.compile(rb"(?>\A|\r\n|\r|\n)(?>\r\n|\r|\n)")
# Octets that people can read where text is quoted-printable: all of seven bits but ESC, which ISO-2022-JP is full of.
_READABLE = bytes(octet for octet in range(127) if octet != 0x1B)
_ENCODING = re.compile(rb"^content-transfer-encoding[ \t]*:[^\n]*\n(?:[ \t][^\n]*\n)*", re.IGNORECASE | re.MULTILINE)
_MIME_VERSION = re.compile(rb"^mime-version[ \t]*:", re.IGNORECASE | re.MULTILINE)
# The standard library's reader of parameters takes a minute for some of 200 kB.
_PARAMETER = re.compile(
    r""";\s*+ (?P<name> [^\s;="]++ ) \s*+ = \s*+ (?: "(?P<quoted> (?:[^"\\]|\\.)*+ )" | (?P<token> [^\s;"]*+ ) )
    | " (?:[^"\\]|\\.)*+ (?: " | \\?+\Z )""",
    re.VERBOSE,
)
_ESCAPED = re.compile(r"\\(.)")
_LINE_END = re.compile(rb"\r\n|\r|\n")
_COMMENT = re.compile(r"\([^()]*+\)")
_TEXT = "text/plain"  # RFC 2045 §5.2
_MESSAGES = ("message/rfc822", "message/global", "message/news")
ENCODED = ("base64", "quoted-printable")
_IDENTITY = ("", "7bit", "8bit", "binary")  # RFC 2045 §6.2


@dataclass(frozen=True, slots=True)
class Entity:
    """A header and a body as they came, with the *gap* between them; *type* and *encoding* are in lower case."""

    header: bytes
    gap: bytes
    body: bytes
    type: str
    encoding: str
    boundary: str | None
    described: bool

    @classmethod
    def read(cls, octets: bytes, *, default: str = _TEXT) -> "Entity":
        """Cut *octets* at the first empty line; the header gets CRLF for each line end, the body stays.

        *default* is the type where none is told: the container's ``default_type``.
        """
        found = _EMPTY_LINE.search(octets)
        header, body = (octets[: found.start()], octets[found.end() :]) if found else (octets, b"")
        header = crlf(header) + b"\r\n" if header and not header.endswith((b"\r", b"\n")) else crlf(header)
        # The first of a name counts.
        described = {field.name: field.value for field in reversed(list(fields(header)))}
        content_type = described.get("content-type", default)
        return cls(
            header=header,
            gap=b"\r\n" if found else b"",
            body=body,
            type=_type(content_type),
            encoding=_encoding(described.get("content-transfer-encoding", "")),
            boundary=_boundary(content_type),
            described="content-type" in described,
        )

    @property
    def opaque(self) -> bool:
        """Whether nothing in the body is a line end: what is not text, and text in UTF-16 and its kin."""
        return self.encoding == "binary" and (not self.type.startswith("text/") or b"\0" in self.body)

    @property
    def unencoded(self) -> bool:
        """Whether the body is written as it is, by an encoding that is known to do so, or none."""
        return self.encoding in _IDENTITY

    @property
    def encodable(self) -> bool:
        """Whether the body may be encoded: not where it is so already, nor in a message (RFC 2045 §6.4)."""
        # RFC 6532 §3.5: some types may that are newer.
        return self.unencoded and (not self.type.startswith("message/") or self.type.startswith("message/global"))

    @property
    def carries_message(self) -> bool:
        """Whether the body is a whole message, which is read like the one it stands in."""
        return self.unencoded and self.type in _MESSAGES

    @property
    def default_type(self) -> str:
        """What each part is that does not say so (RFC 2046 §5.1.5)."""
        return "message/rfc822" if self.type == "multipart/digest" else _TEXT

    def written(self, header: bytes, body: bytes) -> bytes:
        """Put a header and a body together."""
        return header + (b"\r\n" if body else self.gap) + body


def _type(content_type: str) -> str:
    """Return the media type in lower case; what cannot be read as one is text (RFC 2045 §5.2)."""
    found = content_type.partition(";")[0].strip().lower()
    return found if found.count("/") == 1 else _TEXT


def _encoding(value: str) -> str:
    """Return the transfer encoding in lower case, without comments; "8bit;" has been seen."""
    return _COMMENT.sub("", value).partition(";")[0].strip().lower()


def _boundary(content_type: str) -> str | None:
    for found in _PARAMETER.finditer(content_type):
        if (found["name"] or "").lower() == "boundary":
            value = found["token"] if found["quoted"] is None else _ESCAPED.sub(r"\1", found["quoted"])
            # RFC 2046 §5.1.1: a boundary does not end with white space, as lines lose it on their way.
            return value.rstrip() or None
    return None


class Piece(NamedTuple):
    """What stands between two boundaries, and the boundary behind it; *part* where it is an entity."""

    octets: bytes
    delimiter: bytes
    part: bool


def pieces(body: bytes, boundary: str) -> Iterator[Piece]:
    """Cut the body of a multipart entity; preamble and epilogue are no parts (RFC 2046 §5.1.1)."""
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    # The line end in front belongs to the delimiter, the one behind is taken where there is one.
    delimiter = re.compile(rb"(?:\A|\r\n|\r|\n)--" + mark + rb"(--)?[ \t]*(?=\r|\n|\Z)")
    start, part = 0, False
    for found in delimiter.finditer(body):
        yield Piece(body[start : found.start()], found[0], part)
        start, part = found.end(), not found[1]
        if found[1]:
            break
    yield Piece(body[start:], b"", part)


def first_line_end(octets: bytes) -> int:
    """Return the length of the line end that *octets* begin with."""
    found = _LINE_END.match(octets)
    return found.end() if found else 0


def decoded(entity: Entity) -> bytes:
    """Undo the transfer encoding; text that has none gets CRLF, anything else that has none stays."""
    match entity.encoding:
        case "base64":
            return _from_base64(entity.body)
        case "quoted-printable":
            return crlf(binascii.a2b_qp(crlf(entity.body)))
        case _:
            return entity.body if entity.opaque else crlf(entity.body)


def _from_base64(body: bytes) -> bytes:
    try:
        return binascii.a2b_base64(body)
    except ValueError:
        raise Unsendable("expected a part in base64 as its header says, got something else") from None


def encoded(data: bytes, *, text: bool, always: bool = False) -> tuple[bytes, str]:
    """Return *data* in lines of seven bits, and the encoding's name: for *text* what people can read.

    That is so where it is short, or *always*.
    """
    if text and (always or len(data.translate(None, _READABLE)) * 4 < len(data)):
        return crlf(binascii.b2a_qp(data, istext=True)), "quoted-printable"
    return base64_lines(data), "base64"


def with_encoding(header: bytes, encoding: str) -> bytes:
    """Return *header* with another Content-Transfer-Encoding, where the former stood, or at its end."""
    field = f"Content-Transfer-Encoding: {encoding}\r\n".encode()
    changed, count = _ENCODING.subn(field, header, count=1)
    return changed if count else header + field


def with_mime(header: bytes, data: bytes, *, described: bool) -> bytes:
    """Return the header of a message with what RFC 2045 §4 and §5.2 want of one that has an encoding."""
    if not _MIME_VERSION.search(header):
        header += b"MIME-Version: 1.0\r\n"
    if described:
        return header
    return header + f"Content-Type: text/plain; charset={_charset(data)}\r\n".encode()


def _charset(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        # RFC 1428 §3.
        return "unknown-8bit"
    return "us-ascii" if data.isascii() else "utf-8"
