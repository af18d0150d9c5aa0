import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ninsho.mail.columns import columns
from ninsho.mail.flowed import flowed, unflowed

WORDS = st.sampled_from(
    [
        "日本語の文章です。",
        "「",
        "ー",
        "word",
        "word ",
        "a longer sentence of several words ",
        "From ",
        "From",
        ">",
        "> ",
        ">> ",
        ">>",
        "--",
        "-- ",
        "--  ",
        " ",
        "   ",
        "\u3000",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "https://example.jp/a/b/c",
        "--あ",
        "> -- ",
        "é",
    ]
)
TEXTS = st.lists(st.one_of(WORDS, st.text(max_size=4)), max_size=40).map("".join)


def without_trailing_spaces(text):
    return re.sub(r" +(?=[\r\n]|\Z)", "", text)


def test_a_paragraph_is_broken_behind_its_spaces():
    flow = flowed("The quick brown fox jumps over the lazy dog.\nThe end", width=20)
    assert flow.text == "The quick brown fox \njumps over the lazy \ndog.\nThe end"
    assert flow.parameters == ("format=flowed",)
    assert not flow.delsp


def test_text_without_spaces_gets_some_that_the_reader_deletes():
    flow = flowed("本日は晴天なり。本日は晴天なり。", width=20)
    assert flow.text == "本日は晴天なり。本日 \nは晴天なり。"
    assert flow.parameters == ("format=flowed", "delsp=yes")
    # A space of the text's own stands beside it.
    flow = flowed("本日は晴天なり。 word本日は晴天なり。", width=18)
    assert flow.text == "本日は晴天なり。  \nword本日は晴天な \nり。"
    assert unflowed(flow.text, delsp=True) == "本日は晴天なり。 word本日は晴天なり。"


def test_short_lines_and_line_ends_stay():
    assert flowed("一行\r\n\r\n二行\r\n").text == "一行\r\n\r\n二行\r\n"
    assert flowed("一行\r\n\r\n二行\r\n").parameters == ("format=flowed",)
    assert flowed("").text == ""


def test_81_space_stuffing():
    assert (
        flowed(" indented\nFrom here\nFromage\n>quoted\n> quoted").text
        == "  indented\n From here\nFromage\n>quoted\n> quoted"
    )
    assert flowed("word word word word From here", width=20).text == "word word word word \n From here"
    assert unflowed("  indented\n From here\n >not quoted\n", delsp=False) == " indented\nFrom here\n>not quoted\n"


def test_81_the_signature_is_neither_broken_nor_joined():
    text = "Hello\n-- \n" + "あ" * 50 + " \n From"
    assert flowed(text, width=20).text == "Hello\n-- \n" + "あ" * 50 + "\n  From"
    assert unflowed("Hello \n-- \nme", delsp=False) == "Hello \n-- \nme"
    assert unflowed("> Hello \n> -- \n> me", delsp=False) == "> Hello \n> -- \n> me"
    assert flowed("> Hello\n> -- \n> me").text == "> Hello\n> -- \n> me"


def test_no_signature_is_made():
    assert not re.search(r"^-- $", flowed("-- foo bar baz and so on and on", width=12).text, re.MULTILINE)
    assert not re.search(r"^-- $", flowed("--あいうえおかきくけこさし", width=12).text, re.MULTILINE)


def test_quoted_lines_are_flowed_by_their_depth():
    text = ">> The quick brown fox jumps over the lazy dog.\n> Yes.\nNo."
    flow = flowed(text, width=20)
    assert flow.text == ">> The quick brown \n>> fox jumps over \n>> the lazy dog.\n> Yes.\nNo."
    assert unflowed(flow.text, delsp=False) == text


def test_marks_with_spaces_between_them_are_left_alone():
    text = "> > " + "word " * 20 + "end"
    assert flowed(text, width=20).text == text


def test_a_soft_break_in_front_of_another_depth_is_a_hard_one():
    assert unflowed("> one \n>> two\nthree \n> four", delsp=False) == "> one \n>> two\nthree \n> four"
    assert unflowed("> one \n>> two\nthree \n> four", delsp=True) == "> one \n>> two\nthree \n> four"


def test_what_others_write_is_read():
    # RFC 3676 §4.5's example of quoting, flowed by another program.
    assert unflowed(">>>Take some more tea. \n>>>Really.\n", delsp=False) == ">>>Take some more tea. Really.\n"
    assert unflowed("`Take some more tea,' the March Hare said \nto Alice.", delsp=False) == (
        "`Take some more tea,' the March Hare said to Alice."
    )
    assert unflowed("soft at the end \n", delsp=False) == "soft at the end \n"
    assert unflowed("soft at the end \n", delsp=True) == "soft at the end \n"


def test_spaces_at_the_ends_of_lines_are_lost():
    assert flowed("one  \n   \n\u3000 \ntwo").text == "one\n\n\u3000\ntwo"


@given(TEXTS, st.integers(8, 40))
@example(">>>>>>>>>>>>>>>>>>>> a b c d e f", 8)
@example("-- \u3000" + "あ" * 20, 8)
def test_what_is_flowed_is_read_back(text, width):
    text = without_trailing_spaces(text)
    flow = flowed(text, width=width)
    assert unflowed(flow.text, delsp=flow.delsp) == text


@given(TEXTS, st.integers(8, 40))
def test_the_signatures_of_a_text_are_those_it_had(text, width):
    separator = re.compile(r"(?:\A|(?<=[\r\n]))(?:>+ ?)?-- (?=[\r\n]|\Z)")
    assert separator.findall(flowed(text, width=width).text) == separator.findall(text)


@given(st.text(), st.booleans())
def test_anything_is_read(text, delsp):
    unflowed(text, delsp=delsp)


@given(TEXTS)
def test_lines_are_no_wider_than_rfc_3676_wants(text):
    for line in re.split(r"[\r\n]", flowed(text).text):
        assert columns(line) <= 78 or not re.search(r"\w \w", line) or re.search("^> ?>|https:|\t", line)


@pytest.mark.parametrize(
    "line", ["あ" * 60_000, "a b" * 20_000, ">" * 60_000, "> " * 30_000, "-- " * 20_000, " " * 60_000]
)
def test_long_lines_are_read_back(line):
    flow = flowed(line)
    assert unflowed(flow.text, delsp=flow.delsp) == line.rstrip(" ")
