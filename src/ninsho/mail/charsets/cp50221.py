"""ISO-2022-JP as mail in Japan has it (CP50221): with NEC's row 13, IBM's characters, and half-width kana.

Written: ASCII, JIS X 0208 by ``ESC $ B``, kana by ``ESC ( I``, and each line ends in ASCII (RFC 1468).
Read: that, older and newer designations, and kana between SO and SI.
"""

import re
from typing import Final

from ninsho.mail.charsets.designations import ASCII, DESIGNATIONS, KANA, CharacterSet
from ninsho.mail.charsets.errors import Errors, unread
from ninsho.mail.charsets.jis import euc
from ninsho.mail.charsets.lookalikes import jis_forms

CODEC: Final = "iso-2022-jp"

_SHIFTS = re.compile("[\x0e\x0f\x1b]")
_RUN = re.compile(rb"((?:\x8e[\xa1-\xdf])+)|[\xa1-\xfe]+")
_SEVEN_BITS: Final = bytes(octet & 0x7F for octet in range(256))
_TO_KANA, _TO_JIS, _TO_ASCII = b"\x1b(I", b"\x1b$B", b"\x1b(B"
_SHIFT_OUT, _SHIFT_IN = b"\x0e", b"\x0f"
_MARK = re.compile(rb"\x1b(%b)|[\x0e\x0f\n]" % b"|".join(map(re.escape, DESIGNATIONS)))


def encode(text: str) -> bytes:
    """Return *text* in octets of seven bits, back in ASCII at its end; raise ``UnicodeEncodeError``."""
    if found := _SHIFTS.search(text):
        raise UnicodeEncodeError(CODEC, text, *found.span(), "it would change what follows it")
    try:
        # The standard library's codec takes a tenth of the time, and knows JIS X 0208 without the additions.
        return jis_forms(text).encode("iso2022_jp")
    except UnicodeEncodeError:
        octets = _RUN.sub(_designated, euc(text, CODEC))
    return octets.translate(_SEVEN_BITS).replace(_TO_ASCII + b"\x1b", b"\x1b")


def _designated(found: "re.Match[bytes]") -> bytes:
    if kana := found[1]:
        return _TO_KANA + kana.replace(b"\x8e", b"") + _TO_ASCII
    return _TO_JIS + found[0] + _TO_ASCII


def decode(octets: bytes, errors: Errors = "strict") -> str:
    """Return the text of octets in ISO-2022-JP; raise ``UnicodeDecodeError`` if *errors* is strict."""
    designated, shifted, place = ASCII, False, 0
    text: list[str] = []
    for mark in _MARK.finditer(octets):
        _read(text, KANA if shifted else designated, octets, (place, mark.start()), errors)
        place = mark.end()
        match mark[0]:
            case b"\x0e" | b"\x0f" as shift:
                shifted = shift == _SHIFT_OUT
            case b"\n":
                # A line begins in ASCII, even behind one that does not end so (RFC 1468).
                designated, shifted = ASCII, False
                text.append("\n")
            case _:
                designated = DESIGNATIONS[mark[1]]
    _read(text, KANA if shifted else designated, octets, (place, len(octets)), errors)
    return "".join(text)


def _read(text: list[str], characters: CharacterSet, octets: bytes, span: tuple[int, int], errors: Errors) -> None:
    if characters is ASCII and (found := octets[slice(*span)]).isascii() and b"\x1b" not in found:
        text.append(found.decode())
        return
    for unit in characters.unit.finditer(octets, *span):
        try:
            text.append(characters.read(unit[0]))
        except UnicodeDecodeError:
            text.append(unread(CODEC, octets, unit.span(), errors))
