import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cp50221_characters import DOUBLE_WIDTH, HALF_WIDTH_KANA
from ninsho.mail.charsets.charset import ISO_2022_JP, UTF_8, charset
from ninsho.mail.charsets.encoding import CannotEncode, encodable, encoded, settled
from ninsho.mail.unsendable import Unsendable

JAPANESE = pytest.mark.parametrize("name", ["iso-2022-jp", "shift_jis", "euc-jp"])

mixed = st.text(st.sampled_from(DOUBLE_WIDTH + HALF_WIDTH_KANA) | st.characters(), max_size=40)


def refusal(text, name="iso-2022-jp"):
    with pytest.raises(CannotEncode) as caught:
        encoded(text, charset(name), unencodable="error", place="subject")
    return caught.value


def test_73_what_cannot_be_written_is_named_with_its_places():
    error = refusal("お知らせ😀①한😀")
    assert str(error) == (
        "subject: cannot be written in iso-2022-jp: '😀' (U+1F600) at character 5, character 8; "
        "'한' (U+D55C) at character 7"
    )
    assert error.characters == ((5, "😀"), (7, "한"), (8, "😀"))
    assert isinstance(error, Unsendable)
    assert error.permanent


def test_73_places_in_several_lines_are_lines_and_columns():
    error = refusal("é\r\n漢字\r\n字é", "shift_jis")
    assert str(error) == "subject: cannot be written in shift_jis: 'é' (U+00E9) at line 1 column 1, line 3 column 2"
    assert error.characters == ((1, "é"), (9, "é"))


def test_73_ten_places_are_named_and_the_others_counted():
    error = refusal("한" * 4 + "é" * 9 + "글")
    named = ", ".join(f"character {place}" for place in range(5, 11))
    assert str(error).endswith(f"'é' (U+00E9) at {named}; and 4 more")
    assert len(error.characters) == 14


@pytest.mark.parametrize("char", ["\x1b", "\u202e", "\u0301", "\ud800", "\x80", "\u200d"])
def test_what_would_not_show_alone_is_named_by_its_code_point(char):
    assert str(refusal(f"漢{char}")) == (f"subject: cannot be written in iso-2022-jp: U+{ord(char):04X} at character 2")


def test_the_error_survives_the_way_from_another_process():
    error = pickle.loads(pickle.dumps(refusal("😀")))
    assert str(error) == str(refusal("😀"))
    assert error.characters == ((1, "😀"),)


def test_73_what_can_be_written_is_left_as_it_is():
    assert settled("①—～ｱ", ISO_2022_JP, unencodable="error", place="subject") == ("①—～ｱ", ISO_2022_JP)


def test_73_utf_8_is_taken_where_that_is_told():
    assert encoded("漢字😀", ISO_2022_JP, unencodable="utf-8", place="text") == ("漢字😀".encode(), UTF_8)
    assert encoded("漢字", ISO_2022_JP, unencodable="utf-8", place="text") == (b"\x1b$B4A;z\x1b(B", ISO_2022_JP)


def test_half_a_character_is_in_no_charset():
    with pytest.raises(CannotEncode) as caught:
        encoded("a\ud83d", UTF_8, unencodable="utf-8", place="text")
    assert str(caught.value) == "text: cannot be written in utf-8: U+D83D at character 2"


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("①😀髙", "iso-2022-jp", "①〓髙"),
        ("①😀髙", "shift_jis", "①〓髙"),
        ("①한", "euc-jp", "①〓"),
        ("grün 😀", "iso-8859-1", "grün ?"),
        ("grün", "us-ascii", "gr?n"),
        ("a\ud83d", "utf-8", "a\ufffd"),
        # One mark for what is seen as one.
        ("❤\ufe0f", "iso-2022-jp", "〓"),
        ("葛\U000e0100", "iso-2022-jp", "葛"),
        ("ñ", "iso-2022-jp", "〓"),
        ("n\u0303", "iso-2022-jp", "n"),
    ],
)
def test_73_what_cannot_be_written_is_replaced_where_that_is_told(text, name, expected):
    wanted = charset(name)
    assert settled(text, wanted, unencodable="replace", place="text") == (expected, wanted)


@JAPANESE
@given(text=mixed)
def test_73_all_else_is_kept_where_something_is_replaced(name, text):
    wanted = charset(name)
    octets, _ = encoded(text, wanted, unencodable="replace", place="text")
    kept = [char for char in text if encodable(char, wanted)]
    read = iter(wanted.decode(octets))
    # Each that can be written is there, in its order; others may stand between.
    assert all(wanted.decode(wanted.encode(char)) in read for char in kept)


@given(text=mixed)
def test_73_replacing_and_utf_8_never_fail(text):
    # Half a surrogate pair is no character, and cannot be written in anything.
    assume(encodable(text, UTF_8))
    for told in ("replace", "utf-8"):
        octets, used = encoded(text, ISO_2022_JP, unencodable=told, place="text")
        assert used.decode(octets)[:0] == ""


@given(text=mixed)
def test_73_an_error_names_what_cannot_be_written_and_nothing_else(text):
    if encodable(text, ISO_2022_JP):
        return
    for place, char in refusal(text).characters:
        assert text[place - 1] == char
        assert not encodable(char, ISO_2022_JP)


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ("か\u3099き\u3099", "iso-2022-jp", "がぎ"),
        ("ハ\u309a.pdf", "shift_jis", "パ.pdf"),
        ("u\u0308", "iso-8859-1", "ü"),
        ("か\u3099", "utf-8", "か\u3099"),
    ],
)
def test_names_of_files_as_macos_has_them_are_put_together(text, name, expected):
    assert settled(text, charset(name), unencodable="error", place="attachment")[0] == expected


def test_what_can_be_put_together_is_not_in_the_error():
    assert refusal("か\u3099あ\u3099").characters == ((4, "\u3099"),)


def test_kanji_for_compatibility_are_not_made_the_usual_ones():
    assert encoded("神\ufa19か\u3099", ISO_2022_JP, unencodable="error", place="text")[0] == ISO_2022_JP.encode(
        "神\ufa19が"
    )
