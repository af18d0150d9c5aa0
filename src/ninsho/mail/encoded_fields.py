"""Header fields made fit for lines of seven bits: encoded words (RFC 2047), A-labels, folds."""

import re
from email.errors import MessageError
from email.header import Header
from email.policy import SMTP

from ninsho.mail.address_fields import FOLD_LIMIT
from ninsho.mail.content import has_long_line
from ninsho.mail.fields import NAMING_FIELDS, STRUCTURED, field, folded
from ninsho.mail.unsendable import Unsendable, excerpt

_FIELD = re.compile(rb"^([!-9;-~]++)[ \t]*+:([^\n]*\n(?:[ \t][^\n]*\n)*)", re.MULTILINE)
_FOLDED = re.compile(r"[^\r\n]*(?:\r\n[ \t]+[^\r\n \t][^\r\n]*)*\r\n", re.ASCII)
# What the standard library's parser of header fields is known to trip with.
FAULTS = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError)
_PARAMETERS = frozenset(("content-type", "content-disposition"))
_VALUE_LIMIT = 16_384  # characters: the library's time grows with their square


def encoded_fields(header: bytes) -> bytes:
    """Encode each field that needs it, and leave the others as they are; each line must end with CRLF."""
    header = _FIELD.sub(_fitted, header)
    if b"\0" in header or not header.isascii() or has_long_line(header):
        raise Unsendable("expected a header of ASCII lines with at most 998 octets, got one that cannot be made so")
    return header


def _fitted(found: "re.Match[bytes]") -> bytes:
    octets = found[0]
    if b"\0" in octets:
        raise Unsendable(f"{found[1].decode()}: expected no NUL in a header field, got one")
    if octets.isascii() and not has_long_line(octets):
        return octets
    name, value = found[1].decode(), found[2].replace(b"\r\n", b"").strip(b" \t")
    if octets.isascii():
        return folded(name, value.decode()).encode()
    if name.lower() in STRUCTURED - _PARAMETERS:
        raise Unsendable(f"{name}: expected ASCII, or a server that offers SMTPUTF8, got {excerpt(value)}")
    try:
        return _encoded(name, value.decode())
    except UnicodeDecodeError:
        if name.lower() in NAMING_FIELDS | _PARAMETERS:
            raise Unsendable(f"{name}: expected UTF-8 or encoded words, got {excerpt(value)}") from None
        # RFC 1428 §3: nobody knows what it means, and nothing of it is lost.
        line = Header(value, "unknown-8bit", maxlinelen=FOLD_LIMIT, header_name=name).encode(linesep="\r\n")
        return f"{name}: {line}\r\n".encode()


def _encoded(name: str, value: str) -> bytes:
    if name.lower() in NAMING_FIELDS:
        return field(name, value).encode()
    if len(value) > _VALUE_LIMIT:
        raise Unsendable(
            f"{name}: expected ASCII, or a value of at most {_VALUE_LIMIT} characters, got one of {len(value)}"
        )
    try:
        understood = SMTP.header_factory(name, value)
        # What is an encoded word already is not encoded once more.
        written = understood.fold(policy=SMTP) if name.lower() in _PARAMETERS else field(name, str(understood))
    except FAULTS as fault:
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}: {fault}") from None
    # The library's folding has let line ends through (CVE-2024-6923).
    if not _FOLDED.fullmatch(written):
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}")
    return written.encode()
