import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.columns import columns, context, graphemes


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("abc", ["a", "b", "c"]),
        ("か\u3099き", ["か\u3099", "き"]),
        ("ｶﾞｷﾞﾞ", ["ｶﾞ", "ｷﾞ", "ﾞ"]),
        ("👨‍👩‍👧👍🏽", ["👨‍👩‍👧", "👍🏽"]),
        ("🇯🇵🇺🇸🇯", ["🇯🇵", "🇺🇸", "🇯"]),
        ("🏴\U000e0067\U000e0062\U000e007fx", ["🏴\U000e0067\U000e0062\U000e007f", "x"]),
        ("1️⃣2", ["1️⃣", "2"]),
        ("葛\U000e0100城", ["葛\U000e0100", "城"]),
        ("각\u1112\u1161\u11ab\u1100", ["각", "\u1112\u1161\u11ab", "\u1100"]),
        ("가\u11a8", ["가\u11a8"]),
        ("क्षि", ["क्", "षि"]),
        ("\u0600١x", ["\u0600١", "x"]),
        ("\u0301a", ["\u0301", "a"]),
        ("a\u200bb", ["a", "\u200b", "b"]),
        ("", []),
    ],
)
def test_graphemes(text, seen):
    assert list(graphemes(text)) == seen


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("abc", 3),
        ("日本", 4),
        ("ｶﾞ", 2),
        ("か\u3099", 2),
        ("Ａ！　", 6),
        ("é", 2),
        ("e\u0301", 1),
        ("👨‍👩‍👧", 2),
        ("👍🏽", 2),
        ("🇯🇵", 2),
        ("❤️", 2),
        ("1️⃣", 2),
        ("葛\U000e0100", 2),
        ("한", 2),
        ("\u1112\u1161\u11ab", 2),
        ("①Ж", 4),
        ("\u200b\x07", 0),
        ("\t", 8),
    ],
)
def test_columns(text, expected):
    assert columns(text) == expected


def test_ambiguous_characters_are_as_wide_as_told():
    assert columns("①Ж", ambiguous=1) == 2
    assert context("Жизнь 😀") == 1
    assert context("Жизнь と日本") == 2


@given(st.text())
def test_graphemes_lose_nothing_and_never_part_a_mark_from_its_letter(text):
    seen = list(graphemes(text))
    assert "".join(seen) == text
    for before, after in itertools.pairwise(seen):
        assert not unicodedata.combining(after[0]) or unicodedata.category(before[-1])[0] in "CZ"


@given(st.text(), st.text())
def test_what_two_texts_take_is_no_less_than_that_of_both(text, other):
    assert columns(text + other) <= columns(text) + columns(other) + 2
