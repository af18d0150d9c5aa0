"""How wide text is shown: characters as they are seen (UAX #29), and the columns that each takes (UAX #11)."""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, TypeAlias

Ambiguous: TypeAlias = Literal[1, 2]

TAB = 8  # columns at most; how many they are depends on where the line begins on a screen

# Where these stand, Greek, Cyrillic and ①…※ are as wide as they are (UAX #11 §5: context decides).
_EAST_ASIAN = re.compile(
    "[\u2e80-\u303f\u3041-\u33ff\u3400-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\uff01-\uffee]"
)

_JOINER = "\u200d"
_WIDENED = "\ufe0f"  # "as an emoji"
_VOICED = frozenset("ﾞﾟ")
# UAX #29 table 2, GCB=Prepend: signs in front of what they belong to.
_PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\u0d4e"
    "\U000110bd\U000110cd\U000111c2\U000111c3\U0001193f\U00011941\U00011a3a\U00011d46\U00011f02"
)
# Letters that belong to the one before them and take a column of their own: SARA AM, in Thai and Lao.
_NAMED = (
    dict.fromkeys("\u0e33\u0eb3", "sign")
    | {_JOINER: "joiner"}
    | dict.fromkeys(_VOICED, "voiced")
    | dict.fromkeys(_PREPENDED, "prepended")
)
# Marks that are none by their category: ZWNJ, the colours of skin, the letters of a region's flag.
_MARKS = re.compile("[\u200c\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]")
_FLAGS = re.compile("[\U0001f1e6-\U0001f1ff]")
# UAX #29 GB6-GB8: the letters of a Hangul syllable.
_SYLLABLE = {"L": ("L", "V", "LV", "LVT"), "LV": ("V", "T"), "V": ("V", "T"), "LVT": ("T",), "T": ("T",)}


def context(text: str) -> Ambiguous:
    """Return how many columns an ambiguous character takes in this text: two among East Asian ones."""
    return 2 if _EAST_ASIAN.search(text) else 1


def columns(text: str, *, ambiguous: Ambiguous = 2) -> int:
    """Return how many columns a line of text takes."""
    if text.isascii() and text.isprintable():
        return len(text)
    return sum(_columns(grapheme, ambiguous) for grapheme in graphemes(text))


def graphemes(text: str) -> Iterator[str]:
    """Cut text into what is seen as one character each: letters with their marks, syllables, flags, joined emoji."""
    if text.isascii():
        yield from text
        return
    start = 0
    before, flags = "", 0
    for at, char in enumerate(text):
        kind = _kind(char)
        if at and not _belongs(before, kind, flags, text[at - 1]):
            yield text[start:at]
            start, flags = at, 0
        flags += kind == "flag"
        before = kind
    yield text[start:]


def _belongs(before: str, kind: str, flags: int, char: str) -> bool:
    """Tell whether a character of this kind is one with what stands before it (UAX #29 §3.1.1)."""
    if before == kind == "other":
        return False
    if "control" in (before, kind):
        return False
    if kind in ("mark", "joiner", "sign") or before in ("joiner", "prepended"):
        return True
    if kind == "voiced":
        return char not in _VOICED
    if kind == before == "flag":
        return flags % 2 == 1
    return kind in _SYLLABLE.get(before, ())


@lru_cache(maxsize=8192)
def _kind(char: str) -> str:
    category = unicodedata.category(char)
    if char in _NAMED:
        return _NAMED[char]
    if category[0] == "M" or _MARKS.match(char):
        return "mark"
    if category in ("Cc", "Cf", "Zl", "Zp", "Cs"):
        return "control"
    return "flag" if _FLAGS.match(char) else _hangul(char) or "other"


def _hangul(char: str) -> str:
    if "\uac00" <= char <= "\ud7a3":
        return "LVT" if (ord(char) - 0xAC00) % 28 else "LV"
    if "\u1100" <= char <= "\u115f" or "\ua960" <= char <= "\ua97c":
        return "L"
    if "\u1160" <= char <= "\u11a7" or "\ud7b0" <= char <= "\ud7c6":
        return "V"
    return "T" if "\u11a8" <= char <= "\u11ff" or "\ud7cb" <= char <= "\ud7fb" else ""


@lru_cache(maxsize=8192)
def _columns(grapheme: str, ambiguous: Ambiguous) -> int:
    if grapheme == "\t":
        return TAB
    # One picture, however many it is made of.
    if _WIDENED in grapheme or _JOINER in grapheme:
        return 2 if any(_width(char, ambiguous) for char in grapheme) else 0
    return sum(_width(char, ambiguous) for char in grapheme if _kind(char) not in ("mark", "V", "T"))


def _width(char: str, ambiguous: Ambiguous) -> int:
    if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp", "Mn", "Me", "Mc"):
        # SOFT HYPHEN is shown where a line ends with it.
        return int(char == "\u00ad")
    match unicodedata.east_asian_width(char):
        case "W" | "F":
            return 2
        case "A":
            return ambiguous
        case _:
            return 1
