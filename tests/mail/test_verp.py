"""Envelope senders that name the recipient: they go back exactly, and hold what a local part may hold."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.bounce import recipient_of, token_of, token_sender, verp
from ninsho.mail.unsendable import Unsendable

SENDER = "bounces@news.example.jp"
# RFC 5321 §4.1.2: Dot-string, without what anybody may read as more than a character.
PLAIN = re.compile(r"[A-Za-z0-9=+_-]+(?:\.[A-Za-z0-9=+_-]+)*")


@pytest.mark.parametrize(
    ("recipient", "expected"),
    [
        ("alice@example.org", "bounces+alice=example.org@news.example.jp"),
        ("a.b-c_d@x-y.example", "bounces+a.b-c_d=x-y.example@news.example.jp"),
        ("alice+news@example.org", "bounces+alice+2Bnews=example.org@news.example.jp"),
        ("a=b@example.org", "bounces+a+3Db=example.org@news.example.jp"),
        # docomo gave such addresses out.
        ("a..b@docomo.example", "bounces+a+2E+2Eb=docomo.example@news.example.jp"),
        ("a.@docomo.example", "bounces+a+2E=docomo.example@news.example.jp"),
        ('"a b"@x.example', "bounces++22a+20b+22=x.example@news.example.jp"),
        ("山@例え.jp", "bounces++E5+B1+B1=+E4+BE+8B+E3+81+88.jp@news.example.jp"),
        ("root@[192.0.2.1]", "bounces+root=+5B192.0.2.1+5D@news.example.jp"),
    ],
)
def test_what_it_looks_like(recipient, expected):
    assert verp(SENDER, recipient) == expected
    assert recipient_of(expected, SENDER) == recipient
    assert recipient_of(expected) == recipient


@given(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=30),
    st.text(st.characters(codec="utf-8", exclude_characters="@"), min_size=1, max_size=20),
    st.sampled_from("+-=_"),
)
def test_it_goes_back_exactly(local, domain, separator):
    recipient = f"{local}@{domain}"
    try:
        address = verp("b@x.example", recipient, separator=separator)
    except Unsendable as error:
        assert "at most 64 octets" in str(error)  # noqa: PT017
        return
    made = address.removesuffix("@x.example")
    assert PLAIN.fullmatch(made)
    assert len(made) <= 64
    assert recipient_of(address, "b@x.example", separator=separator) == recipient
    assert recipient_of(address.replace("b", "B", 1), "b@X.example", separator=separator) == recipient


@given(st.text(max_size=80), st.text(max_size=20))
def test_whatever_it_is_given_nothing_raises(address, sender):
    recipient_of(address)
    recipient_of(address, sender)
    token_of(address, sender)


@pytest.mark.parametrize(
    "address",
    [
        "bounces@news.example.jp",
        "bounces+@news.example.jp",
        "bounces+alice@news.example.jp",
        "bounces+alice=@news.example.jp",
        "bounces+=example.org@news.example.jp",
        "bounces+alice=example.org@elsewhere.example",
        "other+alice=example.org@news.example.jp",
        "bounces-alice=example.org@news.example.jp",
        "bounces+a+zz=example.org@news.example.jp",
        "bounces+a+FF=example.org@news.example.jp",
        "bounces+a=b=example.org@news.example.jp",
        "",
    ],
)
def test_what_is_none_of_ours(address):
    assert recipient_of(address, SENDER) is None


def test_one_that_is_too_long_is_refused_and_a_token_is_not():
    with pytest.raises(Unsendable, match=r"verp: expected at most 64 octets before the @, got 72: .*; use a token"):
        verp(SENDER, f"{'a' * 52}@example.org")
    assert verp(SENDER, f"{'a' * 44}@example.org")
    assert token_sender(SENDER, "17-x8Zq_1") == "bounces+17-x8Zq_1@news.example.jp"
    assert token_of("Bounces+17-x8Zq_1@News.example.jp", SENDER) == "17-x8Zq_1"
    assert token_of("bounces+alice=example.org@news.example.jp", SENDER) is None
    assert token_of("bounces@news.example.jp", SENDER) is None


@pytest.mark.parametrize("token", ["", "a b", "a@b", "a+b", ".a", "a..b", "ü", "a\r\nb", "x" * 57])
def test_tokens_that_no_address_can_hold(token):
    with pytest.raises(Unsendable):
        token_sender(SENDER, token)


def test_what_cannot_be_made_into_one():
    with pytest.raises(Unsendable, match="recipient: expected an address, got 'alice'"):
        verp(SENDER, "alice")
    with pytest.raises(Unsendable, match="sender: expected an address, got ''"):
        verp("", "a@b.example")
    with pytest.raises(Unsendable, match="separator: expected one of"):
        verp(SENDER, "a@b.example", separator="@")
    with pytest.raises(Unsendable, match="expected an address"):
        verp(SENDER, "\ud800@b.example")
