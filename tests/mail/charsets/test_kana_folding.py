import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp50221_characters import HALF_WIDTH_KANA
from ninsho.mail.charsets.charset import charset
from ninsho.mail.charsets.kana import full_width


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ﾃﾞｼﾞﾀﾙ ｶﾒﾗ", "デジタル カメラ"),
        ("ﾊﾟﾋﾟﾌﾟﾍﾟﾎﾟ", "パピプペポ"),
        ("ｳﾞｧｲｵﾘﾝ", "ヴァイオリン"),
        ("｢ｱ｣､ｲ｡ｳ･ｴｰ", "「ア」、イ。ウ・エー"),
        ("ｱﾞ ﾝﾟ ﾞ ﾟ", "ア゛ ン゜ ゛ ゜"),
        # Unicode has these in one, no Japanese charset has.
        ("ﾜﾞｦﾞ", "ワ゛ヲ゛"),
        ("カﾞ", "カ゛"),
        ("ABC１２３abc漢字 ①", "ABC１２３abc漢字 ①"),
        ("", ""),
    ],
)
def test_half_width_kana_are_widened(text, expected):
    assert full_width(text) == expected


@given(st.text(st.sampled_from(HALF_WIDTH_KANA) | st.characters()))
def test_nothing_else_is_touched(text):
    wide = full_width(text)
    assert not set(wide) & set(HALF_WIDTH_KANA)
    assert full_width(wide) == wide
    if not set(text) & set(HALF_WIDTH_KANA):
        assert wide == text


@given(st.text(st.sampled_from(HALF_WIDTH_KANA)))
def test_what_is_widened_is_in_the_oldest_japanese_charset(text):
    assert charset("iso-2022-jp").encode(full_width(text)) == full_width(text).encode("iso2022_jp")
