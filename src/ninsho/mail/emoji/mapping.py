"""Emoji between Unicode and the carriers' private-use characters, and so from one carrier to another."""

import re
from collections.abc import Callable
from functools import cache
from typing import Final, TypeAlias
from unicodedata import name

from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.areas import shift_jis_codes
from ninsho.mail.emoji.table import COLUMNS, from_unicode, into_unicode

Fallback: TypeAlias = str | Callable[[str], str]
"""What stands for an emoji that a carrier has not: a text, or what makes one of the emoji."""

GETA: Final = "\N{GETA MARK}"

_JOINER: Final = "\u200d"
_SELECTOR: Final = "\ufe0f"
_MODIFIERS: Final = re.compile("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
_SELECTORS: Final = re.compile("[\ufe0e\ufe0f]")
# A person's sex behind a joiner: the person alone says nearly the same.
_SEX: Final = re.compile("\u200d[\u2640\u2642]")
_BASE: Final = (
    "[\u00a9\u00ae\u2002\u2003\u2005\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u2500-\u27bf"
    "\u2934\u2935\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI: Final = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|[0-9#*]\ufe0f?\u20e3"
    f"|{_BASE}(?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff])*[\U000e0020-\U000e007f]*"
    f"(?:\u200d{_BASE}[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]*)*"
)
_PRIVATE: Final = re.compile("[\ue000-\uf8ff]")
# What is a picture without a variation selector (Emoji_Presentation, UTS #51); the newer ones roughly.
_PICTURES: Final = re.compile(
    "[\u231a\u231b\u23e9-\u23ec\u23f0\u23f3\u25fd\u25fe\u2614\u2615\u2648-\u2653\u267f\u2693\u26a1\u26aa\u26ab\u26bd"
    "\u26be\u26c4\u26c5\u26ce\u26d4\u26ea\u26f2\u26f3\u26f5\u26fa\u26fd\u2705\u270a\u270b\u2728\u274c\u274e"
    "\u2753-\u2755\u2757\u2795-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50\u2b55\U0001f000-\U0001faff]"
)
# Of the carriers' newer ones these are not.
_LETTERS: Final = "\U0001f170\U0001f171\U0001f17e\U0001f17f\U0001f202\U0001f237"
_SPACES: Final = "\u2002\u2003\u2005"


def to_unicode(text: str, carrier: Carrier | None = None) -> str:
    """Return *text* with Unicode's emoji instead of private-use characters of the carriers.

    *carrier* is whose they are: it decides where those of several have the same code points (U+E501 to U+E53E of au
    and SoftBank, which stay as they are if it is not told). What has no equivalent in Unicode, such as a carrier's
    logo, stays.
    """
    meant = _readings(carrier)
    return _PRIVATE.sub(lambda found: meant.get(found[0], found[0]), text)


def to_carrier(text: str, carrier: Carrier, *, source: Carrier | None = None, fallback: Fallback = GETA) -> str:
    """Return *text* with the private-use characters of *carrier* instead of Unicode's emoji, and of other carriers'.

    *source* is whose private-use characters there are; those of *carrier* itself stay if it is not told. For what
    *carrier* has nothing alike, *fallback* stands. For ``PC`` it is ``to_unicode``.
    """
    if carrier.emoji not in COLUMNS:
        return to_unicode(text, source)
    text = _from_others(text, carrier.emoji, source)
    known = from_unicode(carrier)
    return _EMOJI.sub(lambda found: _written(found[0], known, fallback), text)


def without_emoji(text: str, *, source: Carrier | None = None, fallback: Fallback = GETA) -> str:
    """Return *text* with *fallback* for each emoji: for charsets that have none."""
    return _EMOJI.sub(lambda found: _written(found[0], {}, fallback), to_unicode(text, source))


def bracketed(emoji: str) -> str:
    """Return the name of an emoji in brackets, such as ``[snowman without snow]``; a fallback."""
    names = (name(character, "") for character in _MODIFIERS.sub("", emoji) if character != _JOINER)
    return f"[{', '.join(filter(None, names)).lower()}]"


def _from_others(text: str, carrier: Carrier, source: Carrier | None) -> str:
    if source is not None and source.emoji is not carrier:
        return to_unicode(text, source)
    own = shift_jis_codes(carrier)
    meant = _readings(None)
    return _PRIVATE.sub(lambda found: found[0] if found[0] in own else meant.get(found[0], found[0]), text)


@cache
def _readings(carrier: Carrier | None) -> dict[str, str]:
    """Return what each private-use character is in Unicode, fully qualified: shown as a picture."""
    meant: dict[str, str] = {}
    for one in COLUMNS:
        others = {character for other in COLUMNS if other is not one for character in shift_jis_codes(other)}
        told = carrier is not None and carrier.emoji is one
        meant.update({key: _qualified(emoji) for key, emoji in into_unicode(one).items() if told or key not in others})
    return meant


def _qualified(emoji: str) -> str:
    first, rest = emoji[0], emoji[1:]
    is_picture = first in _SPACES or (_PICTURES.match(first) and first not in _LETTERS)
    return emoji if is_picture else f"{first}{_SELECTOR}{rest}"


def _written(emoji: str, known: dict[str, str], fallback: Fallback) -> str:
    plain = _SELECTORS.sub("", emoji)
    for form in (plain, _MODIFIERS.sub("", emoji), _SEX.sub("", _MODIFIERS.sub("", emoji))):
        if form in known:
            return known[form]
    if _JOINER in plain:
        # UTS #51 §2.2: where a sequence cannot be shown, its parts are, side by side.
        parts = _SEX.sub("", emoji).split(_JOINER)
        return "".join(_written(part, known, fallback) for part in parts)
    return _lacking(emoji, plain, fallback)


def _lacking(emoji: str, plain: str, fallback: Fallback) -> str:
    # Arrows, stars and the like are characters of the charset, or not, like any other.
    is_picture = _PICTURES.match(plain) or _SELECTOR in emoji or len(plain) > 1
    if not is_picture or _is_japanese(plain):
        return plain
    return fallback(emoji) if callable(fallback) else fallback


def _is_japanese(character: str) -> bool:
    try:
        character.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True
