"""Text put into a charset, and what becomes of characters that the charset has not."""

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias
from unicodedata import category, normalize

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.unsendable import Unsendable

Unencodable: TypeAlias = Literal["error", "replace", "utf-8"]

# Letters with accents, and kana with voiced marks, in two characters each: so macOS has them in names of files.
_COMPOSABLE = re.compile("[^\u0300-\u036f\u3099\u309a][\u0300-\u036f\u3099\u309a]+")
# The first of them that the charset has. GETA MARK is what printers in Japan set for a character that they have not.
_REPLACEMENTS: Final = ("\N{REPLACEMENT CHARACTER}", "\N{GETA MARK}", "?")
_SHOWN: Final = 10


class CannotEncode(Unsendable):
    """Text has characters that its charset has not; ``characters`` are all of them, with their places from 1."""

    def __init__(self, text: str, charset: Charset, *, place: str) -> None:
        self.characters = tuple(_missing(text, charset))
        super().__init__(f"{place}: cannot be written in {charset}: {_listed(text, self.characters)}")


def encodable(text: str, charset: Charset) -> bool:
    """Tell whether *charset* has every character of *text*."""
    try:
        charset.encode(text)
    except UnicodeEncodeError:
        return False
    return True


def encoded(text: str, charset: Charset, *, unencodable: Unencodable, place: str) -> tuple[bytes, Charset]:
    """Return the octets of *text*, and the charset that they are in after all; raise ``CannotEncode``."""
    try:
        return charset.encode(text), charset
    except UnicodeEncodeError:
        text, charset = settled(text, charset, unencodable=unencodable, place=place)
    return charset.encode(text), charset


def settled(text: str, charset: Charset, *, unencodable: Unencodable, place: str) -> tuple[str, Charset]:
    """Return *text* as it will be written, and in which charset; raise ``CannotEncode``.

    *place* is what the error calls the text, as ``subject``. Where *charset* lacks characters, *unencodable* says
    whether that is an error, or other characters stand for them, or UTF-8 is taken.
    """
    if encodable(text, charset):
        return text, charset
    composed = _composed(text, charset)
    if encodable(composed, charset):
        return composed, charset
    if unencodable == "utf-8" and encodable(text, UTF_8):
        return text, UTF_8
    if unencodable == "replace":
        return _replaced(composed, charset), charset
    raise CannotEncode(text, charset, place=place)


def _composed(text: str, charset: Charset) -> str:
    return _COMPOSABLE.sub(lambda found: _joined(found, charset) or found[0], text)


def _joined(found: "re.Match[str]", charset: Charset) -> str:
    """Return a character and its marks in one, or nothing where the charset has no such character."""
    composed = normalize("NFC", found[0])
    return composed if encodable(composed, charset) else ""


def _missing(text: str, charset: Charset) -> Iterator[tuple[int, str]]:
    lacking = frozenset(char for char in set(text) if not encodable(char, charset))
    had = {place for found in _COMPOSABLE.finditer(text) if _joined(found, charset) for place in range(*found.span())}
    for place, char in enumerate(text):
        if char in lacking and place not in had:
            yield place + 1, char


def _replaced(text: str, charset: Charset) -> str:
    mark = next(mark for mark in _REPLACEMENTS if encodable(mark, charset))
    missing = dict(_missing(text, charset))
    return "".join(_replacement(char, mark) if place in missing else char for place, char in enumerate(text, 1))


def _replacement(char: str, mark: str) -> str:
    # Marks, variation selectors and joiners show nothing of their own.
    return "" if category(char) in ("Mn", "Me", "Cf") else mark


def _listed(text: str, characters: tuple[tuple[int, str], ...]) -> str:
    shown: dict[str, list[str]] = {}
    for place, char in characters[:_SHOWN]:
        shown.setdefault(char, []).append(_where(text, place))
    listed = [f"{_named(char)} at {', '.join(places)}" for char, places in shown.items()]
    if len(characters) > _SHOWN:
        listed.append(f"and {len(characters) - _SHOWN} more")
    return "; ".join(listed)


def _named(char: str) -> str:
    code_point = f"U+{ord(char):04X}"
    # Alone, the others would be unseen, or change how the rest of the line is shown.
    return f"'{char}' ({code_point})" if category(char)[0] in "LNPS" else code_point


def _where(text: str, place: int) -> str:
    if "\n" not in text:
        return f"character {place}"
    before = text[: place - 1]
    line_ends, last = before.count("\n"), before.rfind("\n")
    return f"line {line_ends + 1} column {place - last - 1}"
