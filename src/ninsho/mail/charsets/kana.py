"""Half-width kana made full-width, a voiced mark joined to the kana in front of it."""

import re
from typing import Final
from unicodedata import normalize

_HALF_WIDTH = re.compile("[\uff61-\uff9f]+")
# Marks that belong to no kana, and two voiced kana of Unicode's that no Japanese charset has.
_APART: Final = (("\u3099", "゛"), ("\u309a", "゜"), ("ヷ", "ワ゛"), ("ヺ", "ヲ゛"))


def full_width(text: str) -> str:
    """Return *text* with each half-width kana full-width: ｶﾞ is ガ. Letters and digits stay as they are."""
    return _HALF_WIDTH.sub(_widened, text)


def _widened(found: "re.Match[str]") -> str:
    wide = normalize("NFKC", found[0])
    for joined, apart in _APART:
        wide = wide.replace(joined, apart)
    return wide
