"""Text that servers are known to change on its way, encoded so that they do not: else its signature would break."""

import re

from ninsho.mail.conversion import DEPTH_LIMIT
from ninsho.mail.entity import Entity, decoded, encoded, first_line_end, pieces, with_encoding
from ninsho.mail.headers import SIGNATURES

# Trailing white space is lost, and ">From " is written in mailboxes (RFC 3156 §3, §5; RFC 8551 §3.1.3).
_WEAK = re.compile(rb"[ \t](?:\r\n|\Z)|^From ", re.MULTILINE)
_FROM = re.compile(rb"^From ", re.MULTILINE)
_SEALED = re.compile(rb"^(?:%b)[ \t]*:" % "|".join(sorted(SIGNATURES)).encode(), re.IGNORECASE | re.MULTILINE)
_MESSAGES = ("message/rfc822", "message/global", "message/news")
_ENCODED = ("base64", "quoted-printable")


def robust(octets: bytes, *, depth: int = 0) -> bytes:
    """Encode the texts of an entity that may change on their way; all its lines must be of seven bits, with CRLF.

    What somebody has signed stays as it is.
    """
    if depth > DEPTH_LIMIT or not _WEAK.search(octets):
        return octets
    entity = Entity.read(octets)
    if entity.type == "multipart/signed" or _SEALED.search(entity.header):
        return octets
    if entity.type.startswith("multipart/"):
        return entity.written(entity.header, _multipart(entity, depth)) if entity.boundary else octets
    if entity.type in _MESSAGES and entity.encoding not in _ENCODED:
        return entity.written(entity.header, robust(entity.body, depth=depth + 1))
    return _leaf(entity)


def _multipart(entity: Entity, depth: int) -> bytes:
    return b"".join(
        (_part(piece.octets, depth) if piece.part else piece.octets) + piece.delimiter
        for piece in pieces(entity.body, entity.boundary or "")
    )


def _part(octets: bytes, depth: int) -> bytes:
    skipped = first_line_end(octets)
    return octets[:skipped] + robust(octets[skipped:], depth=depth + 1)


def _leaf(entity: Entity) -> bytes:
    header, body = entity.header, entity.body
    if entity.encoding not in _ENCODED and _WEAK.search(body):
        # Text in ISO-2022-JP would be nothing but escapes.
        body, encoding = encoded(decoded(entity), text=b"\x1b" not in body)
        header = with_encoding(header, encoding)
    if b"From " in body:
        # On a line of its own, as the line may be full (RFC 2045 §6.7).
        body = _FROM.sub(b"=46rom=\r\n ", body)
    return entity.written(header, body)
