"""Header fields made fit for lines of seven bits: encoded words (RFC 2047), A-labels, folds."""

import re
from email.header import Header
from email.policy import SMTP

from ninsho.client.addresses import a_labels
from ninsho.client.content import has_long_line
from ninsho.client.unsendable import Unsendable, excerpt

_FIELD = re.compile(rb"^([!-9;-~]+)[ \t]*:([^\n]*\n(?:[ \t][^\n]*\n)*)", re.MULTILINE)
_FOLD_LIMIT = 78  # RFC 5322 §2.1.1


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
        return _line(name, Header(value.decode(), maxlinelen=_FOLD_LIMIT, header_name=name))
    try:
        return _encoded(name, value.decode())
    except UnicodeDecodeError:
        # RFC 1428 §3: nobody knows what it means, and nothing of it is lost.
        return _line(name, Header(value, "unknown-8bit", maxlinelen=_FOLD_LIMIT, header_name=name))


def _line(name: str, value: Header) -> bytes:
    return b"%b: %b\r\n" % (name.encode(), value.encode(linesep="\r\n").encode())


def _encoded(name: str, value: str) -> bytes:
    return f"{name}: {encoded_value(name, value)}\r\n".encode()


def encoded_value(name: str, value: str) -> str:
    """Return the value of a field, folded, in ASCII; raise ``Unsendable`` for an address that cannot be."""
    for address in getattr(SMTP.header_factory(name, value), "addresses", ()):
        if not address.username.isascii():
            raise Unsendable(f"{name}: expected a server that offers SMTPUTF8 for {excerpt(address.addr_spec)}")
        if not address.domain.isascii():
            value = value.replace(address.domain, a_labels(address.domain))
    folded: str = SMTP.header_factory(name, value).fold(policy=SMTP)
    return folded.partition(":")[2].strip()
