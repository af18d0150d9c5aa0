"""Where the carriers' emoji stand: Shift_JIS codes and private-use code points, in areas that run side by side.

The areas are those of the carriers' published lists. docomo's are the user-defined ones of code page 932; au and
SoftBank have moved theirs, and share U+E501 to U+E53E.
"""

from functools import cache
from typing import Final, NamedTuple

from ninsho.mail.decoration.carriers import Carrier


class Area(NamedTuple):
    """*length* codes: the first one in Shift_JIS, and its code point."""

    shift_jis: int
    code_point: int
    length: int


AREAS: Final = {
    Carrier.DOCOMO: (Area(0xF89F, 0xE63E, 282),),
    Carrier.AU: (
        Area(0xF340, 0xE5CD, 19),
        Area(0xF353, 0xEA80, 123),
        Area(0xF3CF, 0xEB0E, 129),
        Area(0xF640, 0xE468, 333),
        Area(0xF7D2, 0xEAFB, 19),
        Area(0xF7E5, 0xE5B5, 24),
    ),
    Carrier.SOFTBANK: (
        Area(0xF741, 0xE101, 90),
        Area(0xF7A1, 0xE201, 90),
        Area(0xF941, 0xE001, 90),
        Area(0xF9A1, 0xE301, 77),
        Area(0xFB41, 0xE401, 76),
        Area(0xFBA1, 0xE501, 62),
    ),
}
_TRAILS = 188  # second octets of Shift_JIS: 40 to FC without 7F


@cache
def shift_jis_codes(carrier: Carrier) -> dict[str, bytes]:
    """Return the two octets of each of the carrier's private-use characters."""
    return {
        chr(area.code_point + number): _octets(_index(area.shift_jis) + number)
        for area in AREAS.get(carrier.emoji, ())
        for number in range(area.length)
    }


@cache
def characters(carrier: Carrier) -> dict[bytes, str]:
    """Return the private-use character of each of the carrier's Shift_JIS codes."""
    return {code: character for character, code in shift_jis_codes(carrier).items()}


@cache
def iso_2022_jp_codes(carrier: Carrier) -> dict[str, bytes]:
    """Return the codes that au's handsets write in ISO-2022-JP, in rows 85 to 91 of JIS X 0208."""
    if carrier.emoji is not Carrier.AU:
        return {}
    return {character: _jis(code) for character, code in shift_jis_codes(carrier).items()}


def _index(code: int) -> int:
    lead, trail = divmod(code, 256)
    return lead * _TRAILS + trail - 0x40 - (trail > 0x7F)


def _octets(index: int) -> bytes:
    lead, trail = divmod(index, _TRAILS)
    return bytes((lead, trail + 0x40 + (trail >= 0x3F)))


def _jis(code: bytes) -> bytes:
    """Move an au code to where there are rows for it, and write it as JIS X 0208 is in seven bits."""
    lead = code[0] - (0x06 if code[0] < 0xF6 else 0x0B)
    row, cell = divmod(_index(lead << 8 | code[1]) - _index(0xE040), 94)
    return bytes((row + 0x5F, cell + 0x21))
