import pytest
from hypothesis import given
from hypothesis import strategies as st

from cp50221_characters import DOUBLE_WIDTH, HALF_WIDTH_KANA
from ninsho.mail.charsets import cp932, cp50221, cp51932
from ninsho.mail.charsets.jis import euc

# What Unicode has besides, and what it is written as.
LOOK_ALIKES = {
    "\u301c": "～",
    "\u2016": "∥",
    "\u2212": "－",
    "\u00a2": "￠",
    "\u00a3": "￡",
    "\u00ac": "￢",
    "\u2014": "―",
    "\u00a5": "￥",
    "\u203e": "￣",
    "\u00a6": "￤",
    "\u00a0": " ",
}
ALL = [*map(chr, range(128)), *DOUBLE_WIDTH, *HALF_WIDTH_KANA]
CODECS = pytest.mark.parametrize("codec", [cp932, cp50221, cp51932])

characters = st.sampled_from([char for char in ALL if char not in "\x0e\x0f\x1b"])
texts = st.text(characters, max_size=60)


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        ("", b""),
        ("plain", b"plain"),
        ("漢字", b"\x1b$B4A;z\x1b(B"),
        ("①㈱髙", b"\x1b$B-!-j|b\x1b(B"),
        ("ｱｲｳ", b"\x1b(I123\x1b(B"),
        ("漢ｱ字", b"\x1b$B4A\x1b(I1\x1b$B;z\x1b(B"),
        ("aｱ漢b", b"a\x1b(I1\x1b$B4A\x1b(Bb"),
        ("～－∥", b"\x1b$B!A!]!B\x1b(B"),
        ("\\~", b"\\~"),
    ],
)
def test_text_is_written(text, octets):
    assert cp50221.encode(text) == octets
    assert cp50221.decode(octets) == text


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_73_each_line_ends_in_ascii(end):
    text = end.join(["漢字", "ｱｲｳ", "①", "", "髙ｱ"])
    lines = cp50221.encode(text).split(end.encode())
    assert [cp50221.decode(line) for line in lines] == text.split(end)
    assert all(b"\x1b" not in line or line.endswith(b"\x1b(B") for line in lines)


@given(texts)
def test_73_what_is_written_has_seven_bits_and_whole_lines(text):
    for line in cp50221.encode(text).split(b"\n"):
        assert line.isascii()
        assert b"\x1b" not in line or line[line.rindex(b"\x1b") :].startswith(b"\x1b(B")


@CODECS
@given(text=texts)
def test_73_what_is_written_is_read(codec, text):
    assert codec.decode(codec.encode(text)) == text


@CODECS
def test_73_every_character_goes_round(codec):
    assert len(DOUBLE_WIDTH) == 7326
    for char in (*DOUBLE_WIDTH, *HALF_WIDTH_KANA):
        assert codec.decode(codec.encode(char)) == char


@CODECS
@pytest.mark.parametrize(("given_form", "read_form"), LOOK_ALIKES.items(), ids=map(ascii, LOOK_ALIKES))
def test_73_look_alikes_are_taken_and_microsofts_form_is_read(codec, given_form, read_form):
    assert codec.encode(f"あ{given_form}①") == codec.encode(f"あ{read_form}①")
    assert codec.encode(given_form) == codec.encode(read_form)
    assert codec.decode(codec.encode(given_form)) == read_form


@given(texts)
def test_python_reads_what_is_written(text):
    try:
        read = cp50221.encode(text).decode("iso2022_jp_ext")
    except UnicodeDecodeError:
        # NEC's and IBM's characters it has not, nor has anything else in Python.
        return
    assert cp932.encode(read) == cp932.encode(text)


@given(texts)
def test_shift_jis_is_what_python_calls_cp932(text):
    assert cp932.encode(text).decode("cp932") == text


def test_characters_that_the_standard_library_knows_are_written_alike_by_the_longer_way():
    for char in DOUBLE_WIDTH:
        long = euc(char, "euc-jp")
        assert cp51932.encode(char) == long
        assert cp50221.encode(char) == b"\x1b$B" + bytes(octet & 0x7F for octet in long) + b"\x1b(B"


def refused(codec, text):
    try:
        codec.encode(text)
    except UnicodeEncodeError as fault:
        return fault
    return None


@CODECS
@given(text=st.text(max_size=30))
def test_any_text_is_written_so_that_it_is_read_or_refused_at_a_place(codec, text):
    fault = refused(codec, text)
    if fault is None:
        assert codec.decode(codec.encode(text)) == "".join(LOOK_ALIKES.get(char, char) for char in text)
    else:
        assert fault.object == text
        assert refused(codec, text[fault.start : fault.end])


@CODECS
@pytest.mark.parametrize("char", ["😀", "한", "é", "\x80", "\uf8f0", "\ud800", "\u3099"])
def test_what_there_is_not_is_refused(codec, char):
    with pytest.raises(UnicodeEncodeError) as caught:
        codec.encode(f"①漢{char}字")
    assert (caught.value.start, caught.value.end) == (2, 3)
    assert caught.value.encoding == codec.CODEC


def test_private_characters_have_no_row_in_jis():
    assert cp932.encode("\ue000") == b"\xf0\x40"
    for codec in (cp50221, cp51932):
        with pytest.raises(UnicodeEncodeError):
            codec.encode("\ue000")


@pytest.mark.parametrize("char", "\x0e\x0f\x1b")
def test_text_cannot_change_the_character_set(char):
    with pytest.raises(UnicodeEncodeError) as caught:
        cp50221.encode(f"漢{char}$B")
    assert caught.value.start == 1


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b$@4A;z\x1b(J", "漢字"),
        (b"\x1b$(B4A\x1b$(@;z\x1b(B", "漢字"),
        (b"\x1b&@\x1b$B4A\x1b(B", "漢"),
        (b"\x1b(Ja\\~\x1b(Bb", "a\\~b"),
        (b"\x1b$B4A\x1b(Ha", "漢a"),
        (b"\x1b$(D0!\x1b(B", "丂"),
        (b"\x1b(I6^\x1b(B", "ｶﾞ"),
        (b"a\x0e6^\x0fa", "aｶﾞa"),
        (b"\x1b$B4A\x0e1\x0f;z\x1b(B", "漢ｱ字"),
        (b"\x1b$A0!\x1b$(C0!\x1b(B", "啊가"),
        (b"\x1b$(P!!\x1b$(Q-!\x1b(B", "𠂉①"),
        # Somebody wrapped it without knowing what it is.
        (b"\x1b$B4A\r\n;z\x1b(B\x0e1\n2\x0f", "漢\r\n字ｱ\nｲ"),
        # NEC's other code of what JIS X 0208 has as well.
        (b"\x1b$B-p\x1b(B", "≒"),
        (b"\x1b$B4A ;z\t\x1b(B", "漢 字\t"),
    ],
)
def test_other_writers_are_read(octets, text):
    assert cp50221.decode(octets) == text


@pytest.mark.parametrize(
    ("codec", "octets", "place", "text"),
    [
        (cp50221, b"ab\x1b$B4A)!\x1b(B", 7, "ab漢\ufffd"),
        (cp50221, b"\x1b$B4A;", 5, "漢\ufffd"),
        (cp50221, b"\x1b$B4A\xa4\xa2\x1b(B", 5, "漢\ufffd\ufffd"),
        (cp50221, b"a\x1b[31mb", 1, "a\ufffd[31mb"),
        (cp50221, b"\x1b$Z4A", 0, "\ufffd$Z4A"),
        (cp50221, b"\x1b(Ia", 3, "\ufffd"),
        (cp50221, b"a\xff", 1, "a\ufffd"),
        (cp51932, b"\xb4\xc1\xff", 2, "漢\ufffd"),
        (cp51932, b"\xad\xa1\xa9\xa1\xb4", 2, "①\ufffd\ufffd"),
        (cp51932, b"a\x80", 1, "a\ufffd"),
        (cp932, b"\x8a\xbf\x80", 2, "漢\ufffd"),
        (cp932, b"\xb1\xa0", 1, "ｱ\ufffd"),
        (cp932, b"\x8a\xbf\xff", 2, "漢\ufffd"),
    ],
)
def test_octets_that_mean_nothing_are_told_by_place_or_replaced(codec, octets, place, text):
    with pytest.raises(UnicodeDecodeError) as caught:
        codec.decode(octets)
    assert caught.value.start == place
    assert codec.decode(octets, "replace") == text


PIECES = [b"\x1b", b"\x1b$B", b"\x1b(B", b"\x1b(I", b"\x1b$(D", b"\x1b$(P", b"\x1b$A", b"\x0e", b"\x0f", b"\n", b"4A"]


@CODECS
@given(octets=st.binary() | st.lists(st.sampled_from(PIECES) | st.binary(max_size=3)).map(b"".join))
def test_anything_can_be_read_with_replacements(codec, octets):
    text = codec.decode(octets, "replace")
    text.encode()
    if "\ufffd" not in text:
        assert codec.decode(octets) == text
        return
    with pytest.raises(UnicodeDecodeError) as caught:
        codec.decode(octets)
    assert 0 <= caught.value.start < caught.value.end <= len(octets)


@given(
    st.lists(st.sampled_from([*PIECES, b"\x1b$@", b" ", b"\t", b"\r\n", b"!A", b"\\~"]) | st.binary(max_size=2)).map(
        b"".join
    )
)
def test_what_the_standard_library_reads_is_read_alike_by_the_longer_way(octets):
    text = cp50221.decode(octets, "replace")
    assert text == cp50221._decoded(octets, "replace")


def test_jis_x_0212_in_euc_is_read_and_not_written():
    assert cp51932.decode(b"\x8f\xb0\xa1\xad\xa1") == "丂①"
    with pytest.raises(UnicodeEncodeError):
        cp51932.encode("丂")
