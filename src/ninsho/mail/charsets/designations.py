"""The character sets that mail in ISO-2022-JP changes to, by what follows ESC (RFC 1468, RFC 1554, ISO-IR)."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from ninsho.mail.charsets.jis import character
from ninsho.mail.charsets.lookalikes import microsoft_forms

_SINGLE: Final = re.compile(rb".", re.DOTALL)
_DOUBLE: Final = re.compile(rb"[\x21-\x7e]{2}|.", re.DOTALL)
_PAIR: Final = re.compile(rb"..", re.DOTALL)
_KANA: Final = re.compile(rb"[\x21-\x5f]*")
# Spaces and controls are the same in each set.
_PLAIN: Final = frozenset(bytes((octet,)) for octet in (*range(0x21), 0x7F) if octet != 0x1B)
_EIGHT_BITS: Final = bytes(octet | 0x80 for octet in range(256))


@dataclass(frozen=True, slots=True)
class CharacterSet:
    """What a designation changes to: ``unit`` takes octets apart, ``decode`` has the text of one unit, or of a run."""

    unit: "re.Pattern[bytes]"
    decode: Callable[[bytes], str]

    def read(self, octets: bytes, span: tuple[int, int], unread: Callable[[tuple[int, int]], str]) -> str:
        """Return the text of *octets* within *span*, and of what is none what *unread* says."""
        try:
            # A run at once takes a sixth of the time, if it can be had.
            return self.decode(octets[slice(*span)])
        except UnicodeDecodeError:
            return "".join(self._read(found, unread) for found in self.unit.finditer(octets, *span))

    def _read(self, found: "re.Match[bytes]", unread: Callable[[tuple[int, int]], str]) -> str:
        try:
            return found[0].decode() if found[0] in _PLAIN else self.decode(found[0])
        except UnicodeDecodeError:
            return unread(found.span())


def _ascii(octets: bytes) -> str:
    if b"\x1b" in octets:
        raise UnicodeDecodeError("ascii", octets, 0, 1, "it begins no designation that is known")
    return octets.decode("ascii")


def _kana(octets: bytes) -> str:
    if not _KANA.fullmatch(octets):
        raise UnicodeDecodeError("kana", octets, 0, 1, "there is no such kana")
    return octets.translate(_EIGHT_BITS).decode("cp932")


def _jis(octets: bytes) -> str:
    try:
        return microsoft_forms(_with_eighth_bit(octets).decode("euc_jp"))
    except UnicodeDecodeError:
        # Python's codec has not all of them.
        return "".join([character(octets[place : place + 2]) for place in range(0, len(octets), 2)])


def _with_eighth_bit(octets: bytes) -> bytes:
    if not octets.isascii():
        raise UnicodeDecodeError("ascii", octets, 0, 1, "it has eight bits already")
    return octets.translate(_EIGHT_BITS)


def _of(codec: str, shift: bytes = b"") -> CharacterSet:
    """Return a set whose pairs a codec has with the eighth bit, maybe each behind a single shift."""

    def decode(octets: bytes) -> str:
        return _PAIR.sub(lambda pair: shift + pair[0], _with_eighth_bit(octets)).decode(codec)

    return CharacterSet(_DOUBLE, decode)


ASCII: Final = CharacterSet(_SINGLE, _ascii)
KANA: Final = CharacterSet(_SINGLE, _kana)
_JIS: Final = CharacterSet(_DOUBLE, _jis)

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
    # JIS X 0208 of 1990 announces itself so, and is designated by what follows.
    b"&@": _JIS,
    b"$(D": _of("euc_jp", b"\x8f"),
    # JIS X 0213, in mail that Apple's programs wrote.
    b"$(O": _of("euc_jis_2004"),
    b"$(Q": _of("euc_jis_2004"),
    b"$(P": _of("euc_jis_2004", b"\x8f"),
    # RFC 1554: Chinese and Korean.
    b"$A": _of("gb2312"),
    b"$(C": _of("euc_kr"),
}
