"""Emoji from Unicode to the carriers, from the carriers to Unicode, and from one carrier to another."""

import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.emoji.areas import shift_jis_codes
from ninsho.mail.emoji.mapping import bracketed, to_carrier, to_unicode, without_emoji
from ninsho.mail.emoji.table import COLUMNS, from_unicode, into_unicode

each_carrier = pytest.mark.parametrize("carrier", COLUMNS)


# One line for each kind: Unicode, docomo, au, SoftBank.


@pytest.mark.parametrize(
    ("emoji", "docomo", "au", "softbank"),
    [
        ("☀️", "\ue63e", "\ue488", "\ue04a"),
        ("🌂", "\ue645", "\ueae8", "\ue43c"),
        # Keycaps: a digit, a variation selector, a combining character.
        ("1️⃣", "\ue6e2", "\ue522", "\ue21c"),
        ("#️⃣", "\ue6e0", "\ueb84", "\ue210"),
        # Flags: two letters.
        ("🇯🇵", "〓", "\ue4cc", "\ue50b"),
        ("🇰🇷", "〓", "\ueb12", "\ue514"),
        ("©️", "\ue731", "\ue558", "\ue24e"),
        # What is not equivalent, but near; here in two of theirs.
        ("⌛", "\ue71c", "\ue57b", "〓"),
        ("⛅", "\ue63e\ue63f", "\ue48e", "\ue04a\ue049"),
        # What came after their time.
        ("🤣", "〓", "〓", "〓"),
        ("🇧🇷", "〓", "〓", "〓"),
    ],
)
def test_an_emoji_is_the_carriers_own(emoji, docomo, au, softbank):
    written = [to_carrier(f"今日は{emoji}。", carrier) for carrier in COLUMNS]
    assert written == [f"今日は{own}。" for own in (docomo, au, softbank)]


@pytest.mark.parametrize("carrier", [Carrier.WILLCOM, Carrier.EMOBILE])
def test_who_has_docomos_emoji_gets_them(carrier):
    assert to_carrier("☀️", carrier) == "\ue63e"
    assert to_unicode("\ue63e", carrier) == "☀️"


@each_carrier
def test_what_a_carrier_has_goes_to_unicode_and_back_to_itself(carrier):
    own = into_unicode(carrier)
    assert len(own) == {Carrier.DOCOMO: 244, Carrier.AU: 633, Carrier.SOFTBANK: 469}[carrier]
    for character in shift_jis_codes(carrier):
        shown = to_unicode(character, carrier)
        assert (shown != character) == (character in own)
        assert to_carrier(shown, carrier) == character


@each_carrier
def test_no_two_emoji_have_one_equivalent(carrier):
    shown = Counter(to_unicode(character, carrier) for character in shift_jis_codes(carrier))
    assert set(shown.values()) == {1}


@each_carrier
def test_all_that_emoji_become_is_in_the_carriers_areas(carrier):
    areas = shift_jis_codes(carrier)
    assert all(character in areas for text in from_unicode(carrier).values() for character in text)


@given(st.text(st.sampled_from("あa1#*\n\t ☀️⃣\u200d♀♂👩💻👍🏽🇯🇵❤🔥\ue63e\ue488\ue04a\ue501〓\ufe0f\ufe0e"), max_size=20))
def test_whatever_the_text_nothing_but_emoji_changes(text):
    for carrier in COLUMNS:
        written = to_carrier(text, carrier)
        # Its letters are still there, and in order.
        letters = re.compile("[あa\n\t ]")
        assert letters.findall(written) == letters.findall(text)
        # Once written, it stays.
        assert to_carrier(written, carrier, source=carrier) == written


@given(st.text())
def test_text_without_emoji_is_not_touched(text):
    plain = re.sub(
        "[\ue000-\uf8ff\u00a9\u00ae\u2002-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff\ufe0e\ufe0f]", "", text
    )
    for carrier in Carrier:
        assert to_carrier(plain, carrier) == to_unicode(plain, carrier) == plain


# From one carrier to another.


def test_one_carriers_emoji_become_anothers():
    assert to_carrier("\ue63e", Carrier.AU) == "\ue488"
    assert to_carrier("\ue488", Carrier.SOFTBANK) == "\ue04a"
    assert to_carrier("\ue04a\ue21c", Carrier.DOCOMO) == "\ue63e\ue6e2"
    assert to_carrier("\ue63e\ue488\ue04a", Carrier.PC) == "☀️☀️☀️"


def test_where_two_carriers_have_the_same_code_points_it_is_told_whose_they_are():
    # SoftBank's flag of Japan, and au's massage.
    assert to_unicode("\ue50b", Carrier.SOFTBANK) == "🇯🇵"
    assert to_unicode("\ue50b", Carrier.AU) == "💆"
    assert to_unicode("\ue50b") == "\ue50b"
    assert to_carrier("\ue50b", Carrier.AU, source=Carrier.SOFTBANK) == "\ue4cc"
    assert to_carrier("\ue50b", Carrier.AU) == "\ue50b"
    assert to_carrier("\ue50b", Carrier.SOFTBANK) == "\ue50b"


def test_a_logo_that_unicode_has_not_stays():
    # docomo's i-mode.
    assert to_unicode("\ue6d1", Carrier.DOCOMO) == "\ue6d1"
    assert to_carrier("\ue6d1", Carrier.DOCOMO) == "\ue6d1"


# What carriers have not.


@pytest.mark.parametrize(
    ("emoji", "au"),
    [
        # Skin tones fall away, so does the sex of whom a picture shows.
        ("👍🏽", "\ue4f9"),
        ("🙋‍♀️", "\ueb85"),
        ("🙋🏿‍♂️", "\ueb85"),
        # Sequences come apart (UTS #51).
        ("👩‍💻", "\ue4fa\ue5b8"),
        ("❤️‍🔥", "\ue595\ue47b"),
        ("👨‍👩‍👧‍👦", "\ue4fc\ue4fa\ue4fa\ue4fc"),
        ("🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "〓"),
    ],
)
def test_what_is_put_together_comes_apart(emoji, au):
    assert to_carrier(emoji, Carrier.AU) == au


def test_a_fallback_is_a_text_or_what_makes_one():
    assert to_carrier("a🤣b", Carrier.DOCOMO, fallback="") == "ab"
    assert to_carrier("a🤣b", Carrier.DOCOMO, fallback="[笑]") == "a[笑]b"
    assert (
        to_carrier("🤣🥺", Carrier.DOCOMO, fallback=bracketed)
        == "[rolling on the floor laughing][face with pleading eyes]"
    )
    seen = []
    to_carrier("🇧🇷☀️🤙🏽", Carrier.DOCOMO, fallback=lambda emoji: seen.append(emoji) or "")
    # It is asked for each whole emoji.
    assert seen == ["🇧🇷", "🤙🏽"]


def test_characters_of_japanese_charsets_are_no_emoji():
    text = "♪★☆♂♀→⇒○●△▲※〒①㈱♭♯∞"
    assert all(to_carrier(text, carrier) == without_emoji(text) == text for carrier in Carrier)
    # A variation selector, which those charsets have not, goes.
    assert to_carrier("♂️", Carrier.DOCOMO) == "♂"


def test_without_emoji_nothing_is_left_of_them():
    assert without_emoji("晴れ☀️と\ue63e、1️⃣", fallback="") == "晴れと、"
