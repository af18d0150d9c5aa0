import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ninsho.mail.columns import columns, graphemes
from ninsho.mail.unsendable import Unsendable
from ninsho.mail.wrapping import Wrapping, wrapped

# What text is made of, awkwardly.
WORDS = st.sampled_from(
    [
        "日本語",
        "は",
        "、",
        "。",
        "「",
        "」",
        "ー",
        "っ",
        "ｶﾞ",
        "ｰ",
        "…",
        "……",
        "――",
        "①",
        "😀",
        "👨\u200d👩\u200d👧",
        "🇯🇵",
        "❤️",
        "が",
        "한국어",
        "word",
        "longerwordthanthelineiswide",
        "don't",
        "(",
        ")",
        "!",
        ">",
        "> ",
        "--",
        "-- ",
        "a",
        " ",
        "  ",
        "\u3000",
        "\t",
        "https://example.jp/a?b=c#d",
        "https://example.jp/をご覧ください",
        "taro@example.jp",
        "Ж",
        "é",
        "é",
        "\n",
        "\r\n",
        "\xa0",
    ]
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=5)), max_size=40).map("".join)


def lines(text, width=20, **options):
    return wrapped(text, Wrapping(width, **options)).split("\n")


def test_81_lines_end_before_they_are_wider_than_told():
    assert lines("本日は晴天なり。本日は晴天なり。") == ["本日は晴天なり。本日", "は晴天なり。"]
    assert lines("ﾎﾝｼﾞﾂﾊｾｲﾃﾝﾅﾘ ﾎﾝｼﾞﾂﾊｾｲﾃﾝﾅﾘ") == ["ﾎﾝｼﾞﾂﾊｾｲﾃﾝﾅﾘ ﾎﾝｼﾞﾂﾊｾ", "ｲﾃﾝﾅﾘ"]
    assert lines("The quick brown fox jumps over the lazy dog.") == [
        "The quick brown fox",
        "jumps over the lazy",
        "dog.",
    ]
    assert lines("日本語とEnglishを混ぜる文章です") == ["日本語とEnglishを混", "ぜる文章です"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # 行頭禁則: a character goes along to the next line (追い出し).
        ("あいうえおかきくけこ。さ", ["あいうえおかきくけ", "こ。さ"]),
        ("あいうえおかきくけこ」。", ["あいうえおかきくけ", "こ」。"]),
        ("あいうえおかきくけラーメン", ["あいうえおかきくけ", "ラーメン"]),
        ("あいうえおかきくけきって", ["あいうえおかきくけ", "きって"]),
        ("あいうえおかきくけｷｬｯﾁ", ["あいうえおかきくけ", "ｷｬｯﾁ"]),
        ("あいうえおかきくけｶｶﾞ", ["あいうえおかきくけｶ", "ｶﾞ"]),
        ("あいうえおかきくけこ人々", ["あいうえおかきくけこ", "人々"]),
        ("あいうえおかきくけ人々", ["あいうえおかきくけ", "人々"]),
        # 行末禁則
        ("あいうえおかきくけ「こ」", ["あいうえおかきくけ", "「こ」"]),
        ("あいうえおかきくけ（『こ", ["あいうえおかきくけ", "（『こ"]),
        ("あいうえおかきくけ￥100", ["あいうえおかきくけ", "￥100"]),
        # 分離禁則
        ("あいうえおかきくけ――", ["あいうえおかきくけ", "――"]),
        ("あいうえおかきく100％", ["あいうえおかきく", "100％"]),
    ],
)
def test_81_kinsoku(text, expected):
    assert lines(text) == expected


def test_kinsoku_can_be_left_out():
    assert lines("あいうえおかきくけこ。さ", kinsoku=False) == ["あいうえおかきくけこ", "。さ"]
    assert lines("あいうえおかきくけ「こ」", kinsoku=False) == ["あいうえおかきくけ「", "こ」"]


@pytest.mark.parametrize(
    "whole",
    [
        "https://example.jp/a/very/long/path?with=a&query=of-its-own#and,(more)",
        "HTTP://example.jp/%E6%97%A5%E6%9C%AC%E8%AA%9E",
        "https://ja.wikipedia.org/wiki/日本の首都と歴史の一覧",
        "https://ja.wikipedia.org/wiki/すし",
        "<https://ja.wikipedia.org/wiki/すし>",
        "https://ja.wikipedia.org/wiki/日本の首都とその歴史",
        "www.example.jp/a/very/long/path",
        "mailto:taro.yamada@department.example.jp",
        "taro.yamada+list@department.section.example.co.jp",
        "info@例え.テスト",
        "<https://example.jp/a/very/long/path>",
        "(https://example.jp/a/very/long/path)。",
    ],
)
def test_81_addresses_are_never_broken(whole):
    assert lines(f"問い合わせは {whole} からです", 12) == ["問い合わせは", whole, "からです"]
    assert any(whole in line for line in lines(f"詳しくは：{whole} まで", 30))


def test_a_sentence_goes_on_behind_an_address():
    assert lines("詳しくはhttps://example.jp/をご覧ください") == ["詳しくは", "https://example.jp/", "をご覧ください"]
    assert lines("https://example.com/詳細についてはこちらのページ", 28) == [
        "https://example.com/詳細につ",
        "いてはこちらのページ",
    ]
    assert lines("https://ja.wikipedia.org/wiki/すし を見る") == ["https://ja.wikipedia.org/wiki/すし", "を見る"]
    assert lines("連絡はinfo@example.jpまでお願いします") == ["連絡は", "info@example.jpまで", "お願いします"]


def test_81_quoted_lines_and_the_signature_are_kept():
    long = "あ" * 30
    text = f"> {long}\n>> {long}\n{long}\n-- \n{long}\n{long}"
    assert lines(text) == [f"> {long}", f">> {long}", "あ" * 10, "あ" * 10, "あ" * 10, "-- ", long, long]


def test_what_looks_like_a_quoted_line_or_a_signature_is_never_made():
    assert lines("word word word and a > b, and so on") == ["word word word and", "a > b, and so on"]
    assert lines("あいうえおかきくけ -- ") == ["あいうえおかきく", "け -- "]
    assert lines("--  https://example.jp/a/long/path") == ["--  https://example.jp/a/long/path"]


def test_lines_that_hold_what_is_to_be_kept_are_left_alone():
    table = "品名　　　　　　数量　　　　　　金額"
    assert lines(f"{table}\n{table}", keep=("数量",)) == [table, table]
    code = "code = an_expression + another"
    assert lines(f"{code}\nno {code}", keep=(re.compile("^code"),)) == [code, "no code =", "an_expression +", "another"]


def test_line_ends_stay_as_they_were():
    assert wrapped("a\r\n\r\nあいうえおかきくけこさ\r\n", Wrapping(20)) == "a\r\n\r\nあいうえおかきくけこ\r\nさ\r\n"
    assert wrapped("a\rb\n\n", Wrapping(20)) == "a\rb\n\n"
    assert wrapped("", Wrapping()) == ""


def test_spaces_are_kept_but_for_the_one_that_a_line_end_replaces():
    assert lines("Two spaces follow.  They stay with what they follow.") == [
        "Two spaces follow. ",
        "They stay with what",
        "they follow.",
    ]
    assert lines("　字下げをした段落です。　次の文") == ["　字下げをした段落で", "す。　次の文"]
    assert lines("    indented and long enough to be broken") == ["    indented and", "long enough to be", "broken"]
    assert lines(" " * 30 + "right") == [" " * 29, "right"]


def test_a_word_is_broken_only_where_it_has_no_room_on_a_line_of_its_own():
    assert lines("a Donaudampfschifffahrtsgesellschaft is one.") == [
        "a",
        "Donaudampfschifffahr",
        "tsgesellschaft is",
        "one.",
    ]
    assert lines("うわ" + "ー" * 15) == ["う", "わ" + "ー" * 9, "ー" * 6]
    assert lines("(" * 25) == ["(" * 20, "(" * 5]


def test_graphemes_are_never_cut():
    family = "👨‍👩‍👧"
    assert lines(family * 11) == [family * 10, family]
    assert lines("🇯🇵" * 11) == ["🇯🇵" * 10, "🇯🇵"]
    assert lines("👍🏽" * 11) == ["👍🏽" * 10, "👍🏽"]
    assert lines("か\u3099" * 11) == ["か\u3099" * 10, "か\u3099"]
    assert lines("葛\U000e0100" * 11) == ["葛\U000e0100" * 10, "葛\U000e0100"]
    assert lines("x\u0301" * 25) == ["x\u0301" * 20, "x\u0301" * 5]


def test_ambiguous_characters_are_wide_among_east_asian_ones():
    word = "Привет "
    assert lines(word * 3 + "!") == ["Привет Привет Привет", "!"]
    assert lines("日本 " + word * 2) == ["日本 Привет", "Привет "]
    assert lines("日本 " + word * 2, ambiguous=1) == ["日本 Привет Привет "]
    assert lines("①" * 11, ambiguous=2) == ["①" * 10, "①"]


def test_hangul_is_broken_at_spaces():
    assert lines("안녕하세요 여러분 반갑습니다") == ["안녕하세요 여러분", "반갑습니다"]


@pytest.mark.parametrize("width", [-1, 0, 7])
def test_no_room_is_refused(width):
    with pytest.raises(Unsendable, match=f"wrap: expected a width of at least 8 columns, got {width}"):
        Wrapping(width)


@given(TEXTS, st.integers(8, 40), st.booleans())
@example("aaaaaaaa--  b", 8, True)
@example("--あいうえおかきくけこ", 8, True)
def test_only_line_ends_are_put_in_and_only_single_spaces_replaced(text, width, kinsoku):
    after = wrapped(text, Wrapping(width, kinsoku))
    end = "\r\n" if "\r\n" in text else "\n"
    at = place = 0
    while place < len(after):
        if at < len(text) and after[place] == text[at]:
            place, at = place + 1, at + 1
        else:
            assert after.startswith(end, place)
            place += len(end)
            at += text[at : at + 1] == " "
    assert at == len(text)


@given(TEXTS, st.integers(8, 40), st.booleans())
def test_no_line_is_too_wide_but_for_what_is_not_broken(text, width, kinsoku):
    text = text.replace(">", "").replace("-", "")
    wide = 2 if re.search("[\u2e80-\uffef]", text) else 1
    for line in re.split(r"[\r\n]", wrapped(text, Wrapping(width, kinsoku, ambiguous=wide))):
        assert columns(line.rstrip(" \t\u3000"), ambiguous=wide) <= width or re.search("://|@|[\t]", line), line


@given(TEXTS, st.integers(8, 40))
def test_no_grapheme_is_cut_and_no_mark_made(text, width):
    lines_before = re.split("\r\n|\r|\n", text)
    lines_after = re.split("\r\n|\r|\n", wrapped(text, Wrapping(width)))
    assert sum(line.startswith(">") for line in lines_after) == sum(line.startswith(">") for line in lines_before)
    assert lines_after.count("-- ") == lines_before.count("-- ")
    assert [g for line in lines_before for g in graphemes(line) if g != " "] == [
        g for line in lines_after for g in graphemes(line) if g != " "
    ]


@pytest.mark.parametrize(
    "line",
    [
        "あ" * 60000,
        "a" * 60000,
        "。" * 60000,
        "（" * 60000,
        " " * 60000,
        "a@" * 30000,
        "a@a." * 15000,
        "x@" + "a1.1." * 12000,
        ">" * 60000,
        "a>" * 30000,
        "-- " * 20000,
        "e" + "́" * 60000,
        "http://" * 10000,
        "👨\u200d👩\u200d👧" * 12000,
        "👨" + "\u200d👩" * 30000,
        "🇯🇵" * 30000,
        "www." * 15000,
        "ｶﾞ" * 30000,
        "한국어 " * 15000,
        "\t" * 60000,
        "あhttp://" * 7000,
        "http://あ/い" * 6000,
        "http://x/あ/い" * 6000,
        "http://x/" + "あ" * 60000 + " ",
        ("x" * 64 + "@") * 1000,
        "あ@い." * 15000,
        "a." * 30000,
    ],
    ids=lambda line: ascii(line[:8]),
)
def test_no_line_takes_more_time_than_its_length_deserves(line):
    begun = time.process_time()
    wrapped(line, Wrapping())
    assert time.process_time() - begun < 2
