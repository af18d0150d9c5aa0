"""The table of Unicode's and the carriers' emoji, read from ``table.txt`` beside it when it is first asked for.

Which symbols are equivalent are facts of the Unicode Consortium (EmojiSources.txt of the Unicode Character Database).
"""

from functools import cache
from importlib.resources import files
from typing import Final

from ninsho.mail.decoration.carriers import Carrier

COLUMNS: Final = (Carrier.DOCOMO, Carrier.AU, Carrier.SOFTBANK)


@cache
def _rows() -> dict[str, list[str]]:
    text = files("ninsho.mail.emoji").joinpath("table.txt").read_text(encoding="ascii")
    words = " ".join(line for line in text.splitlines() if not line.startswith("#")).split()
    pairs = (word.split("=") for word in words)
    return {_characters(key, "."): values.split(",") for key, values in pairs}


def _characters(numbers: str, between: str) -> str:
    return "".join(chr(int(number, 16)) for number in numbers.split(between))


def _column(carrier: Carrier) -> dict[str, str]:
    """Return what stands for the *carrier* beside each of Unicode's emoji, as the file has it."""
    if carrier.emoji not in COLUMNS:
        return {}
    place = COLUMNS.index(carrier.emoji)
    return {emoji: values[place] for emoji, values in _rows().items() if len(values) > place and values[place]}


@cache
def from_unicode(carrier: Carrier) -> dict[str, str]:
    """Return the carrier's character, or characters, for emoji of Unicode, which have no variation selectors here."""
    return {emoji: _characters(text.removeprefix("~"), "+") for emoji, text in _column(carrier).items()}


@cache
def into_unicode(carrier: Carrier) -> dict[str, str]:
    """Return Unicode's emoji for those of the carrier's characters that have an equivalent."""
    return {_characters(text, "+"): emoji for emoji, text in _column(carrier).items() if not text.startswith("~")}
