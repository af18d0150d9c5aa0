"""The character sets that mail in ISO-2022-JP changes to, by what follows ESC (RFC 1468, RFC 1554, ISO-IR)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ninsho.mail.charsets.jis import character

_SINGLE: Final = re.compile(rb".", re.DOTALL)
_DOUBLE: Final = re.compile(rb"[\x21-\x7e]{2}|.", re.DOTALL)
# Spaces and controls are the same in each set.
_PLAIN: Final = frozenset(bytes((octet,)) for octet in (*range(0x21), 0x7F) if octet != 0x1B)
_EIGHT_BITS: Final = bytes(octet | 0x80 for octet in range(256))


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """What a designation changes to: how its octets are taken apart, and what each unit of them says."""

    unit: "re.Pattern[bytes]"
    character: Callable[[bytes], str]

    def read(self, unit: bytes) -> str:
        """Return the character of one unit, or raise ``UnicodeDecodeError``."""
        return unit.decode() if unit in _PLAIN else self.character(unit)


def _ascii(unit: bytes) -> str:
    if unit == b"\x1b":
        raise UnicodeDecodeError("ascii", unit, 0, 1, "it begins no designation that is known")
    return unit.decode("ascii")


def _kana(unit: bytes) -> str:
    if unit > b"\x5f":
        raise UnicodeDecodeError("ascii", unit, 0, 1, "there is no such kana")
    return unit.translate(_EIGHT_BITS).decode("cp932")


def _pair(unit: bytes) -> str:
    return character(unit) if len(unit) == 2 else unit.decode("utf-8")


def _of(codec: str, shift: bytes = b"") -> CharacterSet:
    """Return a set whose pairs a codec has with the eighth bit, maybe behind a single shift."""
    return CharacterSet(_DOUBLE, lambda unit: (shift + unit.translate(_EIGHT_BITS)).decode(codec))


ASCII: Final = CharacterSet(_SINGLE, _ascii)
KANA: Final = CharacterSet(_SINGLE, _kana)
_JIS: Final = CharacterSet(_DOUBLE, _pair)

DESIGNATIONS: Final[Mapping[bytes, CharacterSet]] = {
    b"(B": ASCII,
    # JIS X 0201: its yen sign and overline are meant as what a programmer types, a backslash and a tilde.
    b"(J": ASCII,
    # A mistake of the 1980s for (J, which was in use for long.
    b"(H": ASCII,
    b"(I": KANA,
    b"$@": _JIS,
    b"$B": _JIS,
    b"$(@": _JIS,
    b"$(B": _JIS,
    b"$(D": _of("euc_jp", b"\x8f"),
    # JIS X 0213, in mail that Apple's programs wrote.
    b"$(O": _of("euc_jis_2004"),
    b"$(Q": _of("euc_jis_2004"),
    b"$(P": _of("euc_jis_2004", b"\x8f"),
    # RFC 1554: Chinese and Korean.
    b"$A": _of("gb2312"),
    b"$(C": _of("euc_kr"),
}
