"""Emoji in octets: Shift_JIS and ISO-2022-JP as handsets wrote them. The codes are those of the carriers' lists."""

from email.header import decode_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.charsets.charset import charset
from ninsho.mail.charsets.encoding import CannotEncode, encoded, settled
from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.areas import characters, shift_jis_codes
from ninsho.mail.emoji.charsets import CarrierCharset, carrier_charset
from ninsho.mail.emoji.mapping import to_unicode
from ninsho.mail.emoji.octets import decode, encode, has_emoji
from ninsho.mail.emoji.table import COLUMNS
from ninsho.mail.encoded_words import encoded_words

READ = [
    (Carrier.DOCOMO, "shift_jis"),
    (Carrier.DOCOMO, "iso-2022-jp"),
    (Carrier.DOCOMO, "utf-8"),
    (Carrier.AU, "shift_jis"),
    (Carrier.AU, "iso-2022-jp"),
    (Carrier.AU, "utf-8"),
    (Carrier.SOFTBANK, "shift_jis"),
    (Carrier.SOFTBANK, "utf-8"),
    (Carrier.WILLCOM, "iso-2022-jp"),
]
each_pair = pytest.mark.parametrize(("carrier", "name"), READ)


@pytest.mark.parametrize(
    ("carrier", "name", "text", "octets"),
    [
        (Carrier.DOCOMO, "shift_jis", "\ue63e", b"\xf8\x9f"),
        (Carrier.DOCOMO, "shift_jis", "こ\ue6b9\ue63fこ", b"\x82\xb1\xf9\x5d\xf8\xa0\x82\xb1"),
        (Carrier.DOCOMO, "shift_jis", "\ue757", b"\xf9\xfc"),
        (Carrier.DOCOMO, "iso-2022-jp", "あ\ue63f", b"\x1b$B\x24\x22\x1b(B\xf8\xa0"),
        (Carrier.AU, "shift_jis", "\ue481\ueb88", b"\xf6\x59\xf4\x8d"),
        (Carrier.AU, "shift_jis", "\ue5cd\uea80\ueb0e\ueafb\ue5b5", b"\xf3\x40\xf3\x53\xf3\xcf\xf7\xd2\xf7\xe5"),
        (Carrier.AU, "iso-2022-jp", "\ue488\ue51b", b"\x1b$B\x75\x41\x76\x76\x1b(B"),
        (Carrier.AU, "iso-2022-jp", "\ue481\ue52c", b"\x1b$B\x75\x3a\x77\x29\x1b(B"),
        (Carrier.AU, "iso-2022-jp", "お\ue488お", b"\x1b$B\x24\x2a\x75\x41\x24\x2a\x1b(B"),
        (Carrier.AU, "iso-2022-jp", "ﾔ\ue488", b"\x1b(I\x54\x1b$B\x75\x41\x1b(B"),
        (Carrier.SOFTBANK, "shift_jis", "\ue001", b"\xf9\x41"),
        (Carrier.SOFTBANK, "shift_jis", "\ue101\ue201\ue301\ue401\ue501", b"\xf7\x41\xf7\xa1\xf9\xa1\xfb\x41\xfb\xa1"),
        (Carrier.SOFTBANK, "utf-8", "\ue001", b"\xee\x80\x81"),
    ],
)
def test_the_codes_are_those_of_the_carriers(carrier, name, text, octets):
    assert encode(text, carrier, name) == octets
    assert decode(octets, carrier, name) == text


@each_pair
def test_each_emoji_goes_there_and_back_within_text(carrier, name):
    for character in shift_jis_codes(carrier):
        text = f"山{character}、{character}{character}a\n{character}ｶ"
        assert decode(encode(text, carrier, name), carrier, name) == text


@each_pair
@given(data=st.data())
def test_what_is_written_is_what_is_read(carrier, name, data):
    own = sorted(shift_jis_codes(carrier))
    letters = st.sampled_from([*own, *"aZ ~\\{}@あア亜髙①㈱～―∥ｱﾞ・。\n\r\t1A00E63\x1a"])
    text = data.draw(st.text(letters, max_size=30))
    octets = encode(text, carrier, name)
    assert decode(octets, carrier, name) == text
    if carrier is Carrier.AU and name == "iso-2022-jp":
        assert octets.isascii()


@given(st.binary(max_size=40))
def test_whatever_the_octets_there_is_a_text(octets):
    for carrier in Carrier:
        for name in ("shift_jis", "iso-2022-jp", "utf-8"):
            assert isinstance(decode(octets, carrier, name), str)


# Handsets wrote in several ways what is read in one.


@pytest.mark.parametrize(
    "octets",
    [
        b"\x1b$B\x24\x22\xf8\xa0\x1b(B",
        b"\x1b$B\x24\x22\x1b(B\xf8\xa0",
        b"\x1b$B\x24\x22\x1b(B\x1b$B\xf8\xa0\x1b(B",
        b"\x1b$@\x24\x22\xf8\xa0\x1b(J",
    ],
)
def test_in_iso_2022_jp_docomos_octets_stand_anywhere(octets):
    assert decode(octets, Carrier.DOCOMO, "iso-2022-jp") == "あ\ue63f"


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"\x1b$G!\x0f", "\ue001"),
        (b'a\x1b$E!"\x0fb', "a\ue101\ue102b"),
        (b"\x1b$F!\x1b$O!\x0f", "\ue201\ue301"),
        (b"\x1b$P!\x0f\x1b$Q!\x0f", "\ue401\ue501"),
        # The last of them may end the text.
        (b"\x1b$G!", "\ue001"),
    ],
)
@pytest.mark.parametrize("name", ["shift_jis", "iso-2022-jp"])
def test_what_j_phone_wrote_is_read(octets, text, name):
    assert decode(octets, Carrier.SOFTBANK, name) == text
    assert decode(octets, Carrier.DOCOMO, name) != text


def test_kanji_whose_codes_are_softbanks_emoji_have_other_codes():
    # IBM's FB41 and so on; NEC has them in row 89.
    kanji = "".join(code.decode("cp932") for code in characters(Carrier.SOFTBANK) if code[0] == 0xFB)
    assert kanji[0] == "涬"
    octets = encode(f"{kanji}\ue401", Carrier.SOFTBANK)
    assert octets[0] in (0xED, 0xEE)
    assert decode(octets, Carrier.SOFTBANK) == f"{kanji}\ue401"
    # IBM's are read as such where they are.
    assert decode(b"\xfb\x41", Carrier.DOCOMO) == "涬"
    assert decode(b"\xfb\x41", Carrier.SOFTBANK) == "\ue401"


def test_kanji_that_au_would_show_as_emoji_are_refused_in_iso_2022_jp():
    kanji = charset("iso-2022-jp").decode(b"\x1b$B\x79\x21\x1b(B")
    assert encode(kanji, Carrier.DOCOMO, "iso-2022-jp")
    assert encode(kanji, Carrier.AU, "shift_jis")
    with pytest.raises(UnicodeEncodeError) as caught:
        encode(f"a{kanji}", Carrier.AU, "iso-2022-jp")
    assert caught.value.start == 1


@pytest.mark.parametrize(
    ("carrier", "name", "text", "place"),
    [
        (Carrier.DOCOMO, "shift_jis", "ab\ue488", 2),
        (Carrier.AU, "shift_jis", "\ue488あ\ue63e", 2),
        (Carrier.SOFTBANK, "iso-2022-jp", "あ\ue001", 1),
        (Carrier.PC, "shift_jis", "\ue63e", 0),
        (Carrier.DOCOMO, "shift_jis", "\ue63e☀", 1),
        (Carrier.AU, "iso-2022-jp", "\ue488\ue488😀", 2),
    ],
)
def test_what_a_handset_would_misread_is_refused_with_its_place(carrier, name, text, place):
    with pytest.raises(UnicodeEncodeError) as caught:
        encode(text, carrier, name)
    assert (caught.value.start, caught.value.object) == (place, text)
    with pytest.raises(CannotEncode, match=f"character {place + 1}"):
        encoded(text, CarrierCharset(name, charset(name).codec, carrier=carrier), unencodable="error", place="text")


# As a charset, for those who build messages.


def test_a_carriers_charset_is_a_charset():
    told = carrier_charset(Carrier.DOCOMO, "shift_jis")
    assert (told.label, str(told), told.seven_bit) == ("shift_jis", "shift_jis", False)
    assert charset(told) is told
    assert told.encode("晴\ue63e") == b"\x90\xb0\xf8\x9f"
    assert told.decode(b"\x90\xb0\xf8\x9f") == "晴\ue63e"
    assert settled("🤣\ue63e", told, unencodable="replace", place="text") == ("〓\ue63e", told)


@pytest.mark.parametrize(
    ("carrier", "seven_bit"), [(Carrier.AU, True), (Carrier.DOCOMO, False), (Carrier.WILLCOM, False)]
)
def test_in_iso_2022_jp_aus_are_of_seven_bits_and_docomos_are_not(carrier, seven_bit):
    told = carrier_charset(carrier, "iso-2022-jp")
    assert (told.label, told.seven_bit, told.stateful) == ("iso-2022-jp", seven_bit, True)


@pytest.mark.parametrize("carrier", Carrier)
@pytest.mark.parametrize("name", ["shift_jis", "iso-2022-jp", "utf-8", "euc-jp", "us-ascii"])
def test_what_does_not_go_together_is_just_the_charset(carrier, name):
    told = carrier_charset(carrier, name)
    expected = name in ("shift_jis", "iso-2022-jp") and has_emoji(carrier, name)
    assert isinstance(told, CarrierCharset) == expected
    if not expected:
        assert told == charset(name)


@pytest.mark.parametrize("carrier", COLUMNS)
def test_72_encoded_words_hold_them_whole(carrier):
    told = carrier_charset(carrier, "iso-2022-jp" if carrier is Carrier.AU else "shift_jis")
    text = "".join(shift_jis_codes(carrier)) + "晴れ"
    words = encoded_words(text, told)
    assert all(len(word) <= 75 for word in words)
    assert "".join(told.decode(octets) for word in words for octets, _ in decode_header(word)) == text
    assert to_unicode(text, carrier).endswith("晴れ")
