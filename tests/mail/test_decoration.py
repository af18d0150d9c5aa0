"""Decoration mail: the trees of the carriers, their charsets, what their handsets cannot read, what is too much."""

import pytest

from ninsho.mail.charsets.charset import UTF_8
from ninsho.mail.composing.shapes import USUAL, Leaf, Shape
from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.decoration.decorated import decorated
from ninsho.mail.decoration.shapes import SHAPES
from ninsho.mail.emoji.mapping import bracketed
from ninsho.mail.unsendable import Unsendable

DOCOMO, AU, SOFTBANK, PC = "a..b@docomo.ne.jp", ".a@ezweb.ne.jp", "a@softbank.ne.jp", "a@example.com"


def tree(place, present):
    """A shape as text, with those leaves that there are."""
    if isinstance(place, Leaf):
        return place.value if place in present else None
    found = [inner for child in place.children if (inner := tree(child, present))]
    if len(found) < 2 and not (place.always and found):
        return found[0] if found else None
    return f"{place.subtype}({', '.join(found)})"


BARE = {Leaf.TEXT, Leaf.HTML}
SHOWN = {*BARE, Leaf.IMAGES}
ALL = {*SHOWN, Leaf.FILES}


@pytest.mark.parametrize(
    ("carrier", "bare", "shown", "everything"),
    [
        (
            Carrier.DOCOMO,
            "mixed(related(alternative(text, html)))",
            "mixed(related(alternative(text, html), images))",
            "mixed(related(alternative(text, html), images), files)",
        ),
        (
            Carrier.AU,
            "mixed(alternative(text, html))",
            "mixed(alternative(text, html), images)",
            "mixed(alternative(text, html), images, files)",
        ),
        (
            Carrier.SOFTBANK,
            "related(alternative(text, html))",
            "related(alternative(text, html), images)",
            "mixed(related(alternative(text, html), images), files)",
        ),
        (
            Carrier.PC,
            "alternative(text, html)",
            "related(alternative(text, html), images)",
            "mixed(related(alternative(text, html), images), files)",
        ),
    ],
)
def test_78_each_carrier_has_its_tree(carrier, bare, shown, everything):
    assert [tree(SHAPES[carrier], present) for present in (BARE, SHOWN, ALL)] == [bare, shown, everything]


def test_every_carrier_has_a_tree_with_a_place_for_everything():
    def leaves(place):
        return [place] if isinstance(place, Leaf) else [leaf for child in place.children for leaf in leaves(child)]

    assert set(SHAPES) == set(Carrier)
    assert all(
        isinstance(shape, Shape) and sorted(leaves(shape), key=str) == sorted(Leaf, key=str)
        for shape in SHAPES.values()
    )


@pytest.mark.parametrize(
    ("told", "addresses", "carrier", "label"),
    [
        (True, [DOCOMO], Carrier.DOCOMO, "shift_jis"),
        (True, [AU, "b@au.com"], Carrier.AU, "iso-2022-jp"),
        (True, [SOFTBANK], Carrier.SOFTBANK, "utf-8"),
        ("docomo", [PC], Carrier.DOCOMO, "shift_jis"),
        ("AU", [DOCOMO, SOFTBANK], Carrier.AU, "iso-2022-jp"),
        ("willcom", [], Carrier.WILLCOM, "shift_jis"),
    ],
)
def test_the_carrier_is_told_or_follows_from_the_recipients(told, addresses, carrier, label):
    decoration = decorated(addresses, told)
    assert (decoration.carrier, decoration.charset.label) == (carrier, label)
    assert decoration.shape is SHAPES[carrier]
    assert decoration.strip_line_ends


@pytest.mark.parametrize(("told", "addresses"), [(False, [DOCOMO, PC]), (True, [PC]), ("pc", [DOCOMO])])
def test_for_others_nothing_changes(told, addresses):
    decoration = decorated(addresses, told)
    assert (decoration.carrier, decoration.shape, decoration.charset) == (Carrier.PC, USUAL, None)
    assert decoration.emoji("☀️\ue63e", UTF_8) == "☀️\ue63e"
    assert decoration.html("<p>\n☀️&#9728;", UTF_8) == "<p>\n☀️&#9728;"
    decoration.check(text=10**9, html=10**9, images=[10**9] * 100)


def test_several_carriers_need_several_messages():
    with pytest.raises(Unsendable, match=r"^decoration: expected recipients of one carrier.*got docomo, au$"):
        decorated([DOCOMO, AU], told=True)
    with pytest.raises(Unsendable, match=r"^decoration: expected one of docomo, .*, got 'dokomo'$"):
        decorated([DOCOMO], told="dokomo")


# Emoji and charsets.


@pytest.mark.parametrize(
    ("address", "octets"),
    [(DOCOMO, b"\x90\xb0\xf8\x9f\x81\xac"), (AU, b'\x1b$B@2uA".\x1b(B'), (SOFTBANK, "晴\ue04a〓".encode())],
)
def test_emoji_are_those_of_the_handset(address, octets):
    decoration = decorated([address], told=True)
    assert decoration.charset.encode(decoration.emoji("晴☀️🤣", decoration.charset)) == octets


@pytest.mark.parametrize(
    ("address", "charset", "text"),
    [
        # Servers of today read Unicode's.
        (DOCOMO, "utf-8", "晴☀️🤣"),
        (AU, UTF_8, "晴☀️🤣"),
        (SOFTBANK, "utf-8", "晴\ue04a[rolling on the floor laughing]"),
        # And nobody has any there.
        (SOFTBANK, "shift_jis", "晴\ue04a[rolling on the floor laughing]"),
        (SOFTBANK, "iso-2022-jp", "晴[black sun with rays][rolling on the floor laughing]"),
        (DOCOMO, "euc-jp", "晴[black sun with rays][rolling on the floor laughing]"),
        (AU, "shift_jis", "晴\ue488[rolling on the floor laughing]"),
    ],
)
def test_another_charset_may_be_told(address, charset, text):
    decoration = decorated([address], told=True, charset=charset, fallback=bracketed)
    assert decoration.charset.label == str(charset)
    assert decoration.emoji("晴☀️🤣", decoration.charset) == text
    assert decoration.charset.encode(text)


# HTML.


def test_html_is_in_one_line():
    decoration = decorated([DOCOMO], told=True)
    assert decoration.html("<p>\r\n晴れ\n<br>です\n☀</p>\n", decoration.charset) == "<p>晴れ<br>です\ue63e</p>"


@pytest.mark.parametrize(
    ("html", "mapped"),
    [
        ("&#9728;", "\ue63e"),
        ("&#x2600;&#xFE0F;", "\ue63e"),
        ("&#X02600", "\ue63e"),
        ("1&#65039;&#8419;", "\ue6e2"),
        ("&#129315;", "〓"),
        ("&#26085;&#9728;", "日\ue63e"),
        # What is no emoji, and what Shift_JIS has not, stays a reference.
        ("&#26085;&#233;&#60;b&#62;", "&#26085;&#233;&#60;b&#62;"),
        ("&#233;&#9728;", "&#233;&#9728;"),
        ("&#8624;", "&#8624;"),
        ("&#1114112;&#55296;&#0000000060;&#;&#x;", "&#1114112;&#55296;&#0000000060;&#;&#x;"),
    ],
)
def test_emoji_may_be_numeric_references(html, mapped):
    decoration = decorated([DOCOMO], told=True)
    assert decoration.html(html, decoration.charset) == mapped


def test_in_utf8_references_stay():
    decoration = decorated([DOCOMO], told=True)
    assert decoration.html("&#9728;", UTF_8) == "&#9728;"


# Sizes.


@pytest.mark.parametrize(
    ("address", "sizes", "sentence"),
    [
        (DOCOMO, {"text": 4000, "html": 6001}, "text and HTML: expected at most 10000 octets, got 10001"),
        (DOCOMO, {"images": [92_161]}, "images: expected at most 92160 octets, got 92161"),
        (DOCOMO, {"images": [1] * 21}, "number of images: expected at most 20 images, got 21"),
        (AU, {"text": 1, "html": 10_240}, "text and HTML: expected at most 10240 octets, got 10241"),
        (AU, {"html": 400, "images": [51_000, 51_001]}, "size: expected at most 102400 octets, got 102401"),
        (SOFTBANK, {"html": 30_721}, "HTML: expected at most 30720 octets, got 30721"),
        (
            DOCOMO,
            {"html": 20_000, "images": [1] * 30},
            "text and HTML: expected at most 10000 octets, got 20000; number of images: expected at most 20 images, got 30",
        ),
    ],
)
def test_what_is_too_much_is_refused_in_words(address, sizes, sentence):
    decoration = decorated([address], told=True)
    with pytest.raises(Unsendable) as caught:
        decoration.check(**{"text": 0, "html": 0, **sizes})
    assert str(caught.value) == f"decoration for {decoration.carrier.value}: {sentence}"


@pytest.mark.parametrize(
    ("address", "sizes"),
    [
        (DOCOMO, {"text": 4000, "html": 6000, "images": [4608] * 20}),
        (AU, {"text": 240, "html": 10_000, "images": [92_160]}),
        (SOFTBANK, {"text": 40_000, "html": 30_720, "images": [200_000]}),
        ("a@pdx.ne.jp", {"text": 10**6, "html": 10**6, "images": [10**6]}),
    ],
)
def test_what_fits_is_not_refused(address, sizes):
    decorated([address], told=True).check(**sizes)
