"""Header fields made fit for lines of seven bits: encoded words (RFC 2047), A-labels, folds."""

import re
from email.errors import MessageError
from email.header import Header
from email.policy import SMTP

from ninsho.mail.address_fields import ADDRESS_FIELDS, FOLD_LIMIT, address_value
from ninsho.mail.content import has_long_line
from ninsho.mail.unsendable import Unsendable, excerpt

_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*\n(?:[ \t][^\n]*\n)*)", re.MULTILINE)
_FOLDED = re.compile(r"[^\r\n]*(?:\r\n[ \t]+[^\r\n \t][^\r\n]*)*", re.ASCII)
# What the standard library's parser of header fields is known to trip with.
FAULTS = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)
_PARAMETERS = frozenset(("content-type", "content-disposition"))
# Nothing in these may be encoded.
_IDENTIFIERS = frozenset(
    {
        *("message-id", "resent-message-id", "references", "in-reply-to", "content-id"),
        *("received", "return-path", "date", "mime-version", "content-transfer-encoding"),
    }
)
_VALUE_LIMIT = 16_384  # characters: the library's time grows with their square


def encoded_fields(header: bytes) -> bytes:
    """Encode each field that needs it, and leave the others as they are; each line must end with CRLF."""
    header = _FIELD.sub(_fitted, header)
    if b"\0" in header or not header.isascii() or has_long_line(header):
        raise Unsendable("expected a header of ASCII lines with at most 998 octets, got one that cannot be made so")
    return header


def _fitted(found: "re.Match[bytes]") -> bytes:
    field = found[0]
    if b"\0" in field:
        raise Unsendable(f"{found[1].decode()}: expected no NUL in a header field, got one")
    if field.isascii() and not has_long_line(field):
        return field
    name, value = found[1].decode(), found[2].replace(b"\r\n", b"").strip(b" \t")
    if field.isascii():
        return _line(name, Header(value.decode(), maxlinelen=FOLD_LIMIT, header_name=name))
    if name.lower() in _IDENTIFIERS:
        raise Unsendable(f"{name}: expected ASCII, or a server that offers SMTPUTF8, got {excerpt(value)}")
    try:
        return _encoded(name, value.decode())
    except UnicodeDecodeError:
        if name.lower() in ADDRESS_FIELDS | _PARAMETERS:
            raise Unsendable(f"{name}: expected UTF-8 or encoded words, got {excerpt(value)}") from None
        # RFC 1428 §3: nobody knows what it means, and nothing of it is lost.
        return _line(name, Header(value, "unknown-8bit", maxlinelen=FOLD_LIMIT, header_name=name))


def _line(name: str, value: Header) -> bytes:
    return b"%b: %b\r\n" % (name.encode(), value.encode(linesep="\r\n").encode())


def _encoded(name: str, value: str) -> bytes:
    is_addresses = name.lower() in ADDRESS_FIELDS
    return f"{name}: {address_value(name, value, utf8=False) if is_addresses else _folded(name, value)}\r\n".encode()


def _folded(name: str, value: str) -> str:
    if len(value) > _VALUE_LIMIT:
        raise Unsendable(
            f"{name}: expected ASCII, or a value of at most {_VALUE_LIMIT} characters, got one of {len(value)}"
        )
    try:
        folded: str = SMTP.header_factory(name, value).fold(policy=SMTP)
    except FAULTS as fault:
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}: {fault}") from None
    folded = folded.partition(":")[2].strip(" \t\r\n")
    # The library's folding has let line ends through (CVE-2024-6923).
    if not _FOLDED.fullmatch(folded):
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}")
    return folded
