import encodings.aliases
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.charsets.charset import ISO_2022_JP, UTF_8, Charset, charset
from ninsho.mail.unsendable import Unsendable


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("utf8", "utf-8"),
        ("UTF-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("latin-1", "iso-8859-1"),
        ("L1", "iso-8859-1"),
        ("iso8859_15", "iso-8859-15"),
        ("ascii", "us-ascii"),
        ("ANSI_X3.4-1968", "us-ascii"),
        ("cp1252", "windows-1252"),
        ("sjis", "shift_jis"),
        ("Shift-JIS", "shift_jis"),
        ("x-sjis", "shift_jis"),
        ("Windows-31J", "shift_jis"),
        ("cp932", "shift_jis"),
        ("EUCJP", "euc-jp"),
        ("eucJP-win", "euc-jp"),
        ("ISO-2022-JP", "iso-2022-jp"),
        ("jis", "iso-2022-jp"),
        ("iso2022jp", "iso-2022-jp"),
        ("csISO2022JP", "iso-2022-jp"),
        ("cp50220", "iso-2022-jp"),
        ("iso2022_jp_ext", "iso-2022-jp-ext"),
        ("iso2022_kr", "iso-2022-kr"),
        ("hz", "hz-gb-2312"),
        ("GB2312", "gb2312"),
        ("gb18030", "gb18030"),
        ("big5", "big5"),
        ("euc_kr", "euc-kr"),
        ("ks_c_5601-1987", "ks_c_5601-1987"),
        ("cp949", "ks_c_5601-1987"),
        ("koi8_r", "koi8-r"),
        ("tis-620", "tis-620"),
        ("cp874", "windows-874"),
        ("utf-16-le", "utf-16le"),
        ("mac-roman", "macintosh"),
        (" utf-8 ", "utf-8"),
    ],
)
def test_a_name_gives_the_label_that_mime_prefers(name, label):
    assert charset(name).label == label
    assert charset(charset(name)) is charset(name)
    assert str(charset(name)) == label


@pytest.mark.parametrize("name", sorted({*encodings.aliases.aliases, *encodings.aliases.aliases.values()}))
def test_each_codec_of_python_is_had_by_its_label_or_refused(name):
    try:
        found = charset(name)
    except Unsendable:
        return
    assert charset(found.label) == found
    assert found.label == found.label.lower()
    assert found.decode(found.encode("Ab1")) == "Ab1"
    assert found.ascii_compatible == found.encode("Ab1\r\n").endswith(b"Ab1\r\n")


@pytest.mark.parametrize(
    "name", ["rot13", "base64", "hex", "zip", "quopri", "uu", "nix", "", "x" * 999, "é", "a\0b", "utf-8\r\nBcc: x"]
)
def test_what_is_no_charset_is_refused(name):
    with pytest.raises(Unsendable, match='charset: expected the name of a charset, such as "utf-8"'):
        charset(name)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("idna", "for domain names"),
        ("punycode", "for domain names"),
        ("unicode_escape", "for Python's source"),
        ("utf-7", "mail readers have ceased to read it"),
        ("undefined", "nobody else knows what it means"),
    ],
)
def test_what_is_no_charset_of_mail_is_refused_with_the_reason(name, reason):
    with pytest.raises(Unsendable, match=f"expected one for text in mail, got '{name}': .*{reason}"):
        charset(name)


STATEFUL = ["iso-2022-jp", "iso-2022-jp-2", "iso-2022-jp-3", "iso-2022-jp-ext", "iso-2022-kr", "hz"]


@pytest.mark.parametrize("name", STATEFUL)
@given(text=st.text(max_size=20))
def test_charsets_of_seven_bits_say_so(name, text):
    found = charset(name)
    assert found.seven_bit
    assert found.stateful
    try:
        octets = found.encode(text)
    except UnicodeEncodeError:
        return
    assert octets.isascii()


@pytest.mark.parametrize("name", STATEFUL)
@pytest.mark.parametrize("char", "\x0e\x0f\x1b")
def test_text_cannot_change_the_character_set_in_any_of_them(name, char):
    with pytest.raises(UnicodeEncodeError) as caught:
        charset(name).encode(f"a{char}")
    assert caught.value.start == 1


@pytest.mark.parametrize(
    ("name", "char"), [("iso-2022-jp-2", "é"), ("iso-2022-jp-3", "①"), ("iso-2022-jp-ext", "ｱ"), ("iso-2022-kr", "한")]
)
def test_each_line_can_be_read_by_itself_up_to_its_end(name, char):
    found = charset(name)
    first, second = found.encode(f"{char}\r\nplain").split(b"\r\n")
    assert found.decode(first) == char
    assert second == b"plain"


def test_charsets_of_eight_bits_say_so():
    assert not any(charset(name).seven_bit for name in ("utf-8", "shift_jis", "euc-jp", "iso-8859-1", "utf-16"))
    assert charset("us-ascii").seven_bit
    assert not charset("us-ascii").stateful


def test_what_cannot_be_a_body_without_base64_says_so():
    assert not any(charset(name).ascii_compatible for name in ("utf-16", "utf-32", "utf-16le", "cp037"))
    assert all(charset(name).ascii_compatible for name in ("utf-8", "shift_jis", "iso-2022-jp", "gb18030"))


def test_constants():
    assert Charset("utf-8", "utf_8") == UTF_8
    assert ISO_2022_JP.codec == "cp50221"


@given(st.text(max_size=50))
def test_any_name_is_a_charset_or_refused(name):
    with suppress(Unsendable):
        charset(name)


@pytest.mark.parametrize("label", ["", "utf-8\r\nX: y", "utf 8", "日本", "x" * 41, 'utf-8"'])
def test_76_a_label_made_by_hand_is_one(label):
    with pytest.raises(Unsendable, match="charset: expected a label such as iso-8859-1, got"):
        Charset(label, "utf_8")


def test_an_error_says_who_told_the_charset():
    with pytest.raises(Unsendable, match="there: expected the name of a charset"):
        charset("bogus", place="there")
    with pytest.raises(TypeError, match="there: expected the name of a charset, got int"):
        charset(5, place="there")


def test_72_in_fields_it_is_one_that_keeps_ascii():
    assert charset("utf-16").in_fields is UTF_8
    assert charset("euc-jp").in_fields is charset("euc-jp")
