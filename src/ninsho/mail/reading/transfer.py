"""Transfer encodings (RFC 2045 §6) undone, be they half broken: what cannot be decoded stays as it is."""

import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ninsho.mail.reading.words import padded

_WHITE: Final = b" \t\r\n"
_BASE64_LINE: Final = re.compile(rb"[A-Za-z0-9+/=]*+")
_NOT_BASE64: Final = bytes(
    octet for octet in range(256) if octet not in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
)
_PADDING: Final = re.compile(rb"=++")
# A line of base64 that something has happened to, not one of text.
_LONG_LINE, _FEW = 40, 4
_SOFT: Final = re.compile(rb"=[ \t]*+(?:\r?\n|\Z)")
_TRAILING: Final = re.compile(rb"(?<![ \t])[ \t]++(?=\r?\n|\Z)")
_BROKEN: Final = re.compile(rb"=(?![0-9A-Fa-f]{2})")
_UU_BEGIN: Final = re.compile(rb"^begin(?:-base64)? [0-7]{3,4} [^\n]*\n", re.MULTILINE)


class Decoded(NamedTuple):
    """Octets, and what was wrong with their encoding."""

    octets: bytes
    defect: str = ""


def undone(body: bytes, encoding: str, *, text: bool) -> Decoded:
    """Undo *encoding* (in lower case); of a *text* nothing is lost that was not encoded."""
    match encoding:
        case "base64":
            return _base64(body, text=text)
        case "quoted-printable":
            return _quoted_printable(body)
        case "x-uuencode" | "uuencode" | "x-uue" | "uue":
            return _uuencode(body)
        case "" | "7bit" | "8bit" | "binary":
            return Decoded(body)
        case _:
            return Decoded(body, f"an encoding that nobody knows: {encoding[:40]!a}")


def _base64(body: bytes, *, text: bool) -> Decoded:
    bare = body.translate(None, _WHITE)
    try:
        return Decoded(binascii.a2b_base64(bare, strict_mode=True))
    except binascii.Error:
        return Decoded(b"".join(_mended(body, text=text)), "base64 that is broken")


def _mended(body: bytes, *, text: bool) -> Iterator[bytes]:
    """Decode what is base64, and keep lines of *text* between it and behind it, as lists add them."""
    run: list[bytes] = []
    for line in body.split(b"\n"):
        bare = line.translate(None, _NOT_BASE64)
        strange = len(line.translate(None, _WHITE)) - len(bare)
        inner = len(line.strip()) - len(line.translate(None, _WHITE))
        if text and (strange or inner) and (strange + inner > _FEW or len(line) < _LONG_LINE):
            yield from _runs(run)
            run = []
            yield line + b"\n"
        else:
            run.append(bare)
    yield from _runs(run)


def _runs(lines: list[bytes]) -> Iterator[bytes]:
    """Decode each piece between paddings: some encode a piece at a time."""
    for piece in _PADDING.split(b"".join(lines)):
        if piece:
            yield padded(piece)


def _quoted_printable(body: bytes) -> Decoded:
    # White space at the end of a line came on the way (RFC 2045 §6.7), and may hide a soft line break.
    joined = _SOFT.sub(b"", _TRAILING.sub(b"", body))
    mended = _BROKEN.sub(b"=3D", joined)
    return Decoded(binascii.a2b_qp(mended), "quoted-printable that is broken" if mended != joined else "")


def _uuencode(body: bytes) -> Decoded:
    begin = _UU_BEGIN.search(body)
    if not begin:
        return Decoded(body, "uuencode without a beginning")
    return Decoded(*_uudecoded(body[begin.end() :]))


def _uudecoded(body: bytes) -> tuple[bytes, str]:
    found: list[bytes] = []
    defect = "uuencode without an end"
    for line in body.split(b"\n"):
        bare = line.rstrip(b"\r")
        if bare == b"end":
            defect = ""
            break
        try:
            found.append(binascii.a2b_uu(bare) if bare else b"")
        except binascii.Error:
            defect = "uuencode that is broken"
            # As much of the line as its length octet promises.
            size = (((bare[0] - 32) & 63) * 4 + 5) // 3
            with_padding = bare[:size].ljust(size, b" ")
            found.append(_a2b_uu(with_padding))
    return b"".join(found), defect


def _a2b_uu(line: bytes) -> bytes:
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        return b""
