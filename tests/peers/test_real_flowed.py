"""Flowed text, joined by a reader that is not ours."""

import pytest
from readers import Mailparser

from ninsho import compose
from ninsho.mail.composing.render import render

PANGRAM = "The quick brown fox jumps over the lazy dog. "


@pytest.fixture
def mailparser(require):
    for program in Mailparser.needed:
        require(program)
    if lacking := Mailparser.lacks():
        require(lacking)
    with Mailparser() as reader:
        yield reader


@pytest.mark.parametrize(
    "text",
    [
        "本日は晴天なり。" * 20 + "\n二行目です",
        PANGRAM * 5 + "End.\n\n From here\n  indented\nFrom here\nend",
        "英語 and 日本語 mixed " * 12 + "end",
        "e\u0301👨‍👩‍👧🇯🇵" * 40,
        "Hello\n-- \nTim\nhttps://example.jp/",
        "「" * 100 + "」" * 100,
    ],
    ids=lambda text: ascii(text[:10]),
)
def test_81_flowed_text_is_joined_again(mailparser, text):
    octets = render(compose(from_="tim@example.jp", to="taro@example.jp", subject="x", text=text, flowed=True))
    assert b"format=flowed" in octets
    # The end of the last line is this reader's own matter.
    assert (mailparser.read(octets).text or "").rstrip("\n") == text
