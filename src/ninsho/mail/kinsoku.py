"""Between which characters a line may be broken: at spaces, and by 禁則処理 around East Asian ones (JIS X 4051)."""

import re
import unicodedata
from functools import lru_cache

# Spaces that a line may end with unseen. NO-BREAK SPACE is none of them.
BLANKS = " \t\u3000"

# 行頭禁則: what no line begins with. Closing brackets and quotes, commas and stops, marks of iteration and sound, small
# kana, hyphens, units; full-width, half-width and ASCII.
_NO_HEAD = frozenset(
    "」』】〕〉》）］｝｠〗〙〛〟”’»)]}｣"
    "、。，．・：；？！‼⁇⁈⁉,.:;?!､｡･"
    "々〻ー～〜ヽヾゝゞ゛゜ｰﾞﾟ‐–゠"
    "ぁぃぅぇぉっゃゅょゎゕゖァィゥェォッャュョヮヵヶㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿｧｨｩｪｫｬｭｮｯ"
    "%％‰°℃℉′″¢￠"
)
# 行末禁則: what no line ends with. Opening brackets and quotes, and signs that stand before a figure.
_NO_TAIL = frozenset("「『【〔〈《（［｛｟〖〘〚〝“‘«([{｢$＄£￡¥￥#＃№@＠")
# 分離禁則: two of these that are the same are one sign.
_PAIRED = frozenset("—―…‥〳〴〵")

_HANGUL = re.compile("[\u1100-\u11ff\u3130-\u318f\ua960-\ua97f\uac00-\ud7ff\uffa0-\uffdc]")
# Signs that stand for themselves, whatever the tables say of their width: arrows, ①, boxes, ★, ※.
_SIGN = re.compile("[\u203b\u2190-\u21ff\u2460-\u27bf\u2b00-\u2bff]")


def parts(before: str, after: str) -> bool:
    """Tell whether a line may be broken between two graphemes, without 禁則."""
    return after not in BLANKS and (before in BLANKS or _stands_alone(before) or _stands_alone(after))


def parts_by_rule(before: str, after: str) -> bool:
    """Tell whether a line may be broken between two graphemes."""
    return parts(before, after) and (before in BLANKS or _allowed(before, after))


def within_words(before: str, after: str) -> bool:
    """Tell whether a word that has no room on a line may be broken between two graphemes."""
    return after not in BLANKS and _allowed(before, after)


def anywhere(before: str, after: str) -> bool:  # noqa: ARG001 - as the others
    """Tell whether what is longer than a line may be broken between two graphemes."""
    return after not in BLANKS


def _allowed(before: str, after: str) -> bool:
    return not (after[0] in _NO_HEAD or before[0] in _NO_TAIL or (before == after and before in _PAIRED))


@lru_cache(maxsize=8192)
def _stands_alone(grapheme: str) -> bool:
    """Tell whether a grapheme is a word for itself: a kana, an ideograph, an emoji; Hangul has words and spaces."""
    if grapheme.isascii():
        return False
    if "\ufe0f" in grapheme or "\U0001f1e6" <= grapheme[0] <= "\U0001f1ff" or _SIGN.match(grapheme):
        return True
    return unicodedata.east_asian_width(grapheme[0]) in "WFH" and not _HANGUL.match(grapheme)
