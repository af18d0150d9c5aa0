"""Domain names beyond ASCII, as IDNA 2003 and what came behind it write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.domains import a_labels


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("example.com", "example.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("straße.de", "xn--strae-oqa.de"),
        # Unicode 3.2, which is all that IDNA 2003 knows, has no capital sharp s.
        ("straẞe.de", "xn--strae-oqa.de"),
        ("STRAẞE.de", "xn--strae-oqa.de"),
        # Squared letters are letters, negative squared ones are signs (UTS #46).
        ("\N{SQUARED LATIN CAPITAL LETTER A}bc.com", "abc.com"),
        ("\N{NEGATIVE SQUARED LATIN CAPITAL LETTER A}bc.com", "xn--bc-it52a.com"),
        ("\N{PILE OF POO}.la", "xn--ls8h.la"),
        ("i\N{HEAVY BLACK HEART}\N{VARIATION SELECTOR-16}.ws", "xn--i-7iq.ws"),
        ("\N{PILE OF POO}\N{VARIATION SELECTOR-16}.la", "xn--ls8h.la"),
        ("ex\N{SOFT HYPHEN}ample.com", "example.com"),
        # Cherokee has had small letters since Unicode 8, Georgian capital ones since 11.
        ("\N{GEORGIAN MTAVRULI CAPITAL LETTER AN}.ge", "xn--lod.ge"),
        ("βόλος.com", "xn--nxasmm1c.com"),
        ("例え。jp", "xn--r8jz45g.jp"),
        ("ü_x.example", "xn--_x-wka.example"),
    ],
)
def test_labels(name, labels):
    assert a_labels(name) == labels


@pytest.mark.parametrize(
    "name",
    [
        # One that is a dot, three that hold one, and the look-alikes of other characters.
        "exa\N{ONE DOT LEADER}mple.com",
        "exa\N{TWO DOT LEADER}mple.com",
        "\N{DIGIT ONE FULL STOP}com",
        "exa\N{SMALL FULL STOP}mple.com",
        "ß\N{ONE DOT LEADER}b",
        "\N{ACCOUNT OF}",
        "a\N{FULLWIDTH COMMERCIAL AT}b",
        "a\N{FULLWIDTH CIRCUMFLEX ACCENT}b",
        "ü b",
        "ü@b",
        "ẞ@b",
        "ẞ/b",
        "\N{REPLACEMENT CHARACTER}",
        "ß\N{OBJECT REPLACEMENT CHARACTER}",
        "\N{SOFT HYPHEN}",
        "xn--ü",
        "ab--ẞ",
        "\N{PILE OF POO}\N{RIGHT-TO-LEFT OVERRIDE}",
        "ẞ" * 64,
    ],
)
def test_what_no_label_holds(name):
    with pytest.raises(ValueError, match="a label has"):
        a_labels(name)


@given(st.text())
def test_a_name_has_as_many_labels_as_before(name):
    try:
        labels = a_labels(name)
    except ValueError:
        return
    if not name.isascii():
        assert labels.count(".") == len(re.findall("[.\u3002\uff0e\uff61]", name))
        assert labels.isascii()
        assert a_labels(labels) == labels
