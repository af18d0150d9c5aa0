"""Text that servers are known to change on its way, encoded so that they do not: else its signature would break."""

import re
from dataclasses import replace

from ninsho.mail.conversion import DEPTH_LIMIT
from ninsho.mail.entity import (
    ENCODED,
    Entity,
    Piece,
    decoded,
    encoded,
    first_line_end,
    pieces,
    with_encoding,
    with_mime,
)
from ninsho.mail.headers import SIGNATURES

# Trailing white space is lost, and ">From " is written in mailboxes (RFC 3156 §3, §5; RFC 8551 §3.1.3).
_WEAK = re.compile(rb"[ \t](?:\r\n|\Z)|^From ", re.MULTILINE)
_FROM = re.compile(rb"^From ", re.MULTILINE)
_TRAILING = re.compile(rb"(?<![ \t])[ \t]++(?=\r\n|\Z)")
# A line of white space alone goes as a whole: an empty one would end the header.
_TRAILING_IN_HEADER = re.compile(rb"^[ \t]++\r\n|(?<![ \t])[ \t]++(?=\r\n)", re.MULTILINE)
_SEALED = re.compile(rb"^(?:%b)[ \t]*:" % "|".join(sorted(SIGNATURES)).encode(), re.IGNORECASE | re.MULTILINE)


def robust(octets: bytes) -> bytes:
    """Write an entity so that nothing of it changes on its way; all its lines must be of seven bits, with CRLF.

    Texts are encoded where they must be; what means nothing is left out: white space at line ends of headers and of
    what is encoded, and text around the parts. What somebody has signed stays as it is, and what must not be encoded.
    """
    return _robust(octets, Entity.read(octets), depth=0)


def _robust(octets: bytes, entity: Entity, *, depth: int, message: bool = False) -> bytes:
    if depth > DEPTH_LIMIT or not _WEAK.search(octets):
        return octets
    if entity.type == "multipart/signed" or _SEALED.search(entity.header):
        return octets
    entity = replace(entity, header=_TRAILING_IN_HEADER.sub(b"", entity.header))
    if entity.type.startswith("multipart/"):
        return entity.written(entity.header, _multipart(entity, depth))
    if entity.carries_message:
        carried = _robust(entity.body, Entity.read(entity.body), depth=depth + 1, message=True)
        return entity.written(entity.header, carried)
    return _leaf(entity, message=message)


def _multipart(entity: Entity, depth: int) -> bytes:
    found = list(pieces(entity.body, entity.boundary)) if entity.boundary else []
    if not any(piece.part for piece in found):
        return entity.body
    return b"".join(
        (_part(piece.octets, entity.default_type, depth) if piece.part else _outside(piece))
        + piece.delimiter.rstrip(b" \t")
        for piece in found
    )


def _part(octets: bytes, default: str, depth: int) -> bytes:
    skipped = first_line_end(octets)
    octets, line_end = octets[skipped:], octets[:skipped]
    return line_end + _robust(octets, Entity.read(octets, default=default), depth=depth + 1)


def _outside(piece: Piece) -> bytes:
    """Leave preamble or epilogue out where it is weak: they are for nobody's eyes (RFC 2046 §5.1.1)."""
    if not _WEAK.search(piece.octets):
        return piece.octets
    return b"" if piece.delimiter else b"\r\n"


def _leaf(entity: Entity, *, message: bool) -> bytes:
    header, body, encoding = entity.header, entity.body, entity.encoding
    if encoding in ENCODED:
        # RFC 2045 §6.7 (3), §6.8: it is no part of what is encoded.
        body = _TRAILING.sub(b"", body)
    elif entity.encodable and _WEAK.search(body):
        # Text in ISO-2022-JP would be nothing but escapes.
        header = with_mime(header, body, described=entity.described) if message else header
        body, encoding = encoded(decoded(entity), text=b"\x1b" not in body)
        header = with_encoding(header, encoding)
    if encoding == "quoted-printable":
        # On a line of its own, as the line may be full (RFC 2045 §6.7).
        body = _FROM.sub(b"=46rom=\r\n ", body)
    return entity.written(header, body)
