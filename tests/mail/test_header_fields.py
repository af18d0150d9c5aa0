"""Header fields: whatever a field says is what readers read, in lines that servers take."""

import re
from base64 import b64decode
from email import message_from_bytes, policy
from email.header import decode_header, make_header

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ninsho.mail.charsets.charset import ISO_2022_JP, UTF_8, charset
from ninsho.mail.encoded_words import encoded_words
from ninsho.mail.fields import field
from ninsho.mail.parameters import extended, worded
from ninsho.mail.unsendable import Unsendable

PRINTABLE = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=200)
# ZWJ families, flags, keycaps, skin tones, marks that stand on letters.
CLUSTERS = st.sampled_from(
    [
        "👨‍👩‍👧‍👦",
        "🇯🇵",
        "1️⃣",
        "👍🏽",
        "か\u3099",
        "e\u0301",
        "ﾊ\uff9f",
        "漢",
        "a",
        " ",
        "ﾃﾞ",
        "🏴\U000e0067\U000e0062\U000e007f",
    ]
)
WORD = re.compile(r"=\?[^?]+\?[BQ]\?[^? ]*\?=")


def lines_of(written):
    assert written.endswith("\r\n")
    return written[:-2].split("\r\n")


def read(written):
    value = written.partition(":")[2].replace("\r\n", "").removeprefix(" ")
    return str(make_header(decode_header(value)))


@given(PRINTABLE | st.lists(CLUSTERS, max_size=60).map("".join))
@example("a =?utf-8?B?5pel?= b")
@example("Re: [list 5] お知らせ　と  two spaces")
@example("  both ends ")
@example("x" * 600)
@example("日本語" * 200)
@example("")
def test_72_a_field_says_what_it_was_told(text):
    written = field("Subject", text)
    assert read(written) == text if text.strip(" ") else True
    for line in lines_of(written):
        assert line.isascii()
        assert len(line) <= 998
        assert len(line) <= 76 or not WORD.search(line)
        assert all(len(word) <= 75 for word in WORD.findall(line))
    # Never a line without a word.
    assert all(line.strip() for line in lines_of(written)[1:])


@given(st.text(st.sampled_from("日本語カナかな漢字ｱｲｳabc 　①㈱髙～－"), max_size=120))
def test_72_each_iso_2022_jp_word_returns_to_ascii(text):
    words = encoded_words(text, ISO_2022_JP, first=60)
    decoded = ""
    for number, word in enumerate(words):
        assert len(word) <= (75 if number else 60)
        assert word.startswith("=?iso-2022-jp?B?")
        octets = b64decode(word[16:-2])
        assert not re.search(rb"\x1b\(I[^\x1b]*\Z|\x1b\$[^\x1b]*\Z", octets)
        decoded += ISO_2022_JP.decode(octets)
    assert decoded == text


@given(st.lists(CLUSTERS, min_size=1, max_size=40))
def test_72_words_are_cut_between_characters(clusters):
    for word in encoded_words("".join(clusters), UTF_8):
        text = str(make_header(decode_header(word)))
        assert "".join(clusters).count(text) >= 1
        # Nothing begins with what belongs to the character before.
        assert not re.match("[\u0300-\u036f\u3099\u309a\uff9e\uff9f\ufe0f\u200d\u20e3\U0001f3fb-\U0001f3ff]", text)


def test_a_character_larger_than_a_word_is_cut_all_the_same():
    text = "e" + "\u0301" * 300
    assert all(len(word) <= 75 for word in encoded_words(text, UTF_8))
    assert "".join(str(make_header(decode_header(word))) for word in encoded_words(text, UTF_8)) == text


def test_the_ascii_around_stays_readable():
    assert (
        field("Subject", "Re: [users 12] お知らせ (fwd)")
        == "Subject: Re: [users 12] =?utf-8?B?44GK55+l44KJ44Gb?= (fwd)\r\n"
    )


def test_the_shorter_encoding_is_taken():
    assert field("Subject", "Amanhã cedo") == "Subject: =?utf-8?Q?Amanh=C3=A3?= cedo\r\n"
    assert (
        field("Subject", "Amanhãs", settle=lambda text: (text, charset("iso-8859-1")))
        == "Subject: =?iso-8859-1?Q?Amanh=E3s?=\r\n"
    )


def test_75_identifiers_are_whole_and_unencoded():
    names = [f"<{'x' * 90}.{number}@example.org>" for number in range(20)]
    lines = lines_of(field("References", " ".join(names)))
    assert [line.strip() for line in [lines[0].partition(":")[2], *lines[1:]]] == names
    with pytest.raises(Unsendable, match="Message-ID: expected ASCII"):
        field("Message-ID", "<日本@example.org>")
    with pytest.raises(Unsendable, match="References: expected words of at most 998 octets"):
        field("References", f"<{'x' * 1200}@example.org>")


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\nb", "a\rb", "a\0", "\x85", "\u2028", "\udcff", "\x7f"])
def test_76_a_value_is_one_line(value):
    with pytest.raises(Unsendable, match="Subject: expected one line"):
        field("Subject", value)


@pytest.mark.parametrize("name", ["", "A B", "A:", "日本", "X" * 100, "A\r\nB"])
def test_76_a_name_is_a_name(name):
    with pytest.raises(Unsendable, match="expected the name of a header field"):
        field(name, "x")


@given(PRINTABLE.filter(str.strip))
@example("日本語の" * 60 + ".pdf")
@example("a" * 300)
@example('"quoted" \\ back')
def test_74_file_names_of_every_kind_are_read_back(name):
    parameters = "; ".join(["attachment", *extended("filename", name, UTF_8)])
    octets = field("Content-Disposition", parameters).encode() + b"\r\n"
    assert all(len(line) <= 78 for line in octets.split(b"\r\n"))
    # Python's reader loses white space at the ends, though it stands in quotes.
    assert message_from_bytes(octets).get_filename() == name.strip()


@given(PRINTABLE.filter(str.strip))
@example("日本語の" * 60 + ".pdf")
def test_74_and_in_encoded_words_beside(name):
    written = field("Content-Type", f"application/pdf; {worded('name', name, UTF_8)}")
    message = message_from_bytes(written.encode() + b"\r\n", policy=policy.compat32)
    assert str(make_header(decode_header(message.get_param("name")))) == name
    assert all(len(line) <= 998 for line in lines_of(written))


@pytest.mark.parametrize(
    "value",
    [
        '{"to":["' + '","'.join(f"a{number}@example.jp" for number in range(50)) + '"]}',
        "https://x.example/?a=?b",
        "=?utf-8?B?5pel half of one",
        "x" * 990,
    ],
)
def test_72_what_is_ascii_and_fits_stays_as_it_is(value):
    assert len(value) < 998
    assert field("X-Data", value) == f"X-Data: {value}\r\n"


@pytest.mark.parametrize(
    "value", ["x" * 999, "a " + "x" * 1200 + " b", "=?utf-8?B?5pel?=", "=?x?q?a b?=", "=?x?q?a 日本 b", "日本 ?= b"]
)
def test_72_what_does_not_fit_or_would_be_read_as_something_else_is_encoded(value):
    written = field("X-Data", value)
    assert read(written) == value
    assert all(len(line) <= 998 for line in lines_of(written))


@pytest.mark.parametrize("value", ["日本語" * 200, "a =?utf-8?B?5pel?= b", " both ends ", "日本 " + "語" * 400 + " b"])
def test_72_with_smtputf8_words_are_encoded_where_nothing_else_keeps_them(value):
    written = field("Subject", value, utf8=True)
    assert message_from_bytes(written.encode(), policy=policy.default)["Subject"] == value
    assert all(len(line.encode()) <= 998 for line in lines_of(written))
    assert field("Subject", "日本 語", utf8=True) == "Subject: 日本 語\r\n"


@pytest.mark.parametrize("length", [30, 40, 50, 60, 62, 70, 76])
@pytest.mark.parametrize("value", ["日本語" * 20, "a 日本語", "日 a"])
def test_72_no_name_makes_a_line_too_long_for_encoded_words(length, value):
    name = "X-" + "N" * (length - 2)
    written = field(name, value)
    assert all(len(line) <= 76 or not WORD.search(line) for line in lines_of(written))
    assert read(written.replace(":\r\n ", ": ")) == value


@pytest.mark.parametrize("name", ["Disposition-Notification-To", "Return-Receipt-To"])
def test_who_is_named_is_not_encoded(name):
    assert field(name, "山田 <a@b.jp>") == f"{name}: =?utf-8?B?5bGx55Sw?= <a@b.jp>\r\n"


def test_74_a_character_of_two_stays_whole():
    two = charset("shift_jis-2004")
    [parameter] = extended("filename", "か\u309a.txt", two)
    assert message_from_bytes(f"Content-Disposition: attachment; {parameter}\r\n\r\n".encode()).get_filename() == (
        "か\u309a.txt"
    )
    assert worded("name", "か\u309a.txt", two).startswith('name="=?shift_jis-2004?')
