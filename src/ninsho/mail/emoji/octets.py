"""Mail with emoji in octets, as the carriers' handsets write it and read it, in Shift_JIS, ISO-2022-JP and UTF-8.

Shift_JIS has them where nothing else is. In ISO-2022-JP au has rows of its own, and docomo puts the octets of
Shift_JIS between: so it is not of seven bits. SoftBank has none there; what J-PHONE wrote (``ESC $ G ! SI``) is read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from ninsho.mail.charsets.charset import Charset, charset
from ninsho.mail.charsets.errors import Errors
from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.areas import characters, iso_2022_jp_codes, shift_jis_codes

_SHIFT_JIS: Final = charset("shift_jis")
_ISO_2022_JP: Final = charset("iso-2022-jp")

_TO_JIS, _TO_ASCII = b"\x1b$B", b"\x1b(B"
_PRIVATE: Final = "\ue000-\uf8ff"
_NONE: Final = "no emoji of this carrier, or no character beside them"
# A designation, the end of a line, a character of two octets in seven bits or eight; all else one by one.
_JIS_UNIT: Final = re.compile(rb"\x1b(?:\$\(?|\()[@-Z]|\n|[\x21-\x7e]{2}|[\xf8\xf9][\x40-\x7e\x80-\xfc]|.", re.DOTALL)
_SHIFT_JIS_UNIT: Final = re.compile(rb"[\x81-\x9f\xe0-\xfc][\x40-\x7e\x80-\xfc]|.", re.DOTALL)
_WEB_CODES: Final = re.compile(rb"\x1b\$([GEFOPQ])([\x21-\x7a]+)(?:\x0f|(?=\x1b)|$)")
_PAGES: Final = {b"G": 0xE000, b"E": 0xE100, b"F": 0xE200, b"O": 0xE300, b"P": 0xE400, b"Q": 0xE500}
# SUBSTITUTE is in no text, and the same octet in each of the charsets.
_MARK: Final = "\x1a"
_MARKED: Final = re.compile("\x1a([0-9A-F]{4})")


def encode(text: str, carrier: Carrier, name: str | Charset = "shift_jis") -> bytes:
    """Return *text*, which has the private-use characters of *carrier*, in the charset called *name*.

    Raises ``UnicodeEncodeError`` with the first character that cannot be told there, an emoji of others among them.
    """
    plain = charset(name)
    if plain.label not in (_SHIFT_JIS.label, _ISO_2022_JP.label):
        return plain.encode(text)
    octets = b""
    for piece in _encoded(text, carrier, plain):
        octets = _joined(octets, piece)
    return octets


def decode(octets: bytes, carrier: Carrier, name: str | Charset = "shift_jis", errors: Errors = "replace") -> str:
    """Return the text of mail that a handset of *carrier* wrote, with the carrier's private-use characters."""
    plain = charset(name)
    if plain.label == _SHIFT_JIS.label:
        marked = _SHIFT_JIS_UNIT.sub(_Marks(carrier, {}), _web_codes_marked(octets, carrier))
    elif plain.label == _ISO_2022_JP.label:
        rows = {code: character for character, code in iso_2022_jp_codes(carrier).items()}
        marked = _JIS_UNIT.sub(_Marks(carrier, rows), _web_codes_marked(octets, carrier))
    else:
        return plain.decode(octets, errors)
    return _MARKED.sub(lambda found: chr(int(found[1], 16)), plain.decode(marked, errors))


def has_emoji(carrier: Carrier, name: str | Charset) -> bool:
    """Tell whether handsets of *carrier* read their own emoji in the charset called *name*."""
    label = charset(name).label
    return bool(_codes(carrier.emoji, label)) or (label == "utf-8" and carrier is Carrier.SOFTBANK)


def _encoded(text: str, carrier: Carrier, plain: Charset) -> Iterator[bytes]:
    codes = _codes(carrier.emoji, plain.label)
    in_rows = plain.label == _ISO_2022_JP.label and carrier.emoji is Carrier.AU
    place = 0
    for found in _runs(carrier.emoji, plain.label).finditer(text):
        if place < found.start():
            yield _rest(text, place, found.start(), plain, carrier)
        octets = b"".join(map(codes.__getitem__, found[0]))
        yield _TO_JIS + octets + _TO_ASCII if in_rows else octets
        place = found.end()
    yield _rest(text, place, len(text), plain, carrier)


def _rest(text: str, start: int, end: int, plain: Charset, carrier: Carrier) -> bytes:
    if found := _refused(carrier.emoji, plain.label).search(text, start, end):
        raise UnicodeEncodeError(plain.label, text, *found.span(), _NONE)
    try:
        return plain.encode(text[start:end])
    except UnicodeEncodeError as fault:
        place = start + fault.start
        raise UnicodeEncodeError(plain.label, text, place, start + fault.end, fault.reason) from None


def _joined(octets: bytes, piece: bytes) -> bytes:
    """Put octets together without going back to ASCII only to leave it again."""
    if not (octets.endswith(_TO_ASCII) and piece.startswith(b"\x1b")):
        return octets + piece
    octets = octets.removesuffix(_TO_ASCII)
    before = octets[octets.rfind(b"\x1b") :]
    return (
        octets + piece[len(_TO_JIS) :] if before.startswith(_TO_JIS) and piece.startswith(_TO_JIS) else octets + piece
    )


@cache
def _codes(carrier: Carrier, label: str) -> Mapping[str, bytes]:
    """Return the octets of the emoji in a charset."""
    if label == _SHIFT_JIS.label:
        # SoftBank has put some over IBM's kanji, which Python's codec writes with NEC's codes.
        return shift_jis_codes(carrier)
    if label != _ISO_2022_JP.label or carrier is Carrier.SOFTBANK:
        return {}
    return iso_2022_jp_codes(carrier) or shift_jis_codes(carrier)


@cache
def _runs(carrier: Carrier, label: str) -> "re.Pattern[str]":
    characters = "".join(_codes(carrier, label))
    return re.compile(f"[{characters}]+" if characters else "(?!)")


@cache
def _refused(carrier: Carrier, label: str) -> "re.Pattern[str]":
    """Return what finds characters that would be read as something else: kanji in au's rows among them."""
    rows = iso_2022_jp_codes(carrier).values() if label == _ISO_2022_JP.label else ()
    read = "".join(_ISO_2022_JP.decode(_TO_JIS + code + _TO_ASCII, "replace") for code in rows)
    return re.compile(f"[{_PRIVATE}{read.replace(chr(0xFFFD), '')}]")


def _web_codes_marked(octets: bytes, carrier: Carrier) -> bytes:
    octets = octets.replace(_MARK.encode(), _marked(_MARK))
    return _WEB_CODES.sub(_web_code, octets) if carrier is Carrier.SOFTBANK else octets


def _web_code(found: "re.Match[bytes]") -> bytes:
    return b"".join(_marked(chr(_PAGES[found[1]] + octet - 0x20)) for octet in found[2])


def _marked(character: str) -> bytes:
    return f"{_MARK}{ord(character):04X}".encode()


@dataclass
class _Marks:
    """Puts marks for emoji, unit by unit; *rows* are those of ISO-2022-JP, ``designated`` what is not ASCII there."""

    carrier: Carrier
    rows: dict[bytes, str]
    designated: bytes = b""

    def __call__(self, found: "re.Match[bytes]") -> bytes:
        unit = found[0]
        if unit[:1] == b"\x1b":
            self.designated = b"" if unit == _TO_ASCII else unit
        elif unit == b"\n":
            self.designated = b""
        if emoji := self._emoji(unit):
            # A mark is ASCII.
            return _TO_ASCII + _marked(emoji) + self.designated if self.designated else _marked(emoji)
        return unit

    def _emoji(self, unit: bytes) -> str | None:
        if self.designated == _TO_JIS and unit in self.rows:
            return self.rows[unit]
        return characters(self.carrier).get(unit) if not unit.isascii() else None
