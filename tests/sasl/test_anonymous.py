"""ANONYMOUS: everybody is let in as the same user; what they say of themselves is for the log alone."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.anonymous import ANONYMOUS, anonymous, parse_trace, with_user
from ninsho.sasl.dialogue import Challenge, Granted, Identity, Remark
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.mechanism import Properties

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "anonymous.json").read_text())["vectors"]


def converse(dialogue, remarks, responses=()):
    answer, said = None, iter(responses)
    while True:
        try:
            want = dialogue.send(answer)
        except StopIteration as end:
            return end.value
        match want:
            case Challenge(data):
                assert data == b""
                answer = next(said)
            case Remark(text):
                answer = remarks.append(text)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["source"])
def test_the_vectors(vector):
    trace, remarks = vector["text"], []
    if "\0" in trace:
        # Dovecot takes it; RFC 4505 §3 prohibits it.
        with pytest.raises(MalformedMessage):
            converse(anonymous(trace.encode()), remarks)
        return
    assert converse(anonymous(trace.encode()), remarks) == Granted(Identity("anonymous"))
    assert remarks == [trace]
    exchange = Exchange(ANONYMOUS.client(Credentials(trace)))
    assert exchange.begin() == trace.encode()
    exchange.conclude()


def test_the_server_asks_where_there_is_no_initial_response():
    remarks = []
    assert converse(anonymous(None), remarks, [b"sirhc"]) == Granted(Identity("anonymous"))
    assert remarks == ["sirhc"]


def test_the_guest_has_the_name_that_the_site_gives():
    assert converse(with_user("guest").server(b"root"), []) == Granted(Identity("guest"))


@pytest.mark.parametrize(
    "message",
    [
        b"\xff",
        b"sir\xc3",
        b"\xed\xa0\x80",
        b"two\nlines",
        b"tab\tbed",
        b"\x7f",
        "\x85".encode(),
        "\u202e".encode(),
        "\ue000".encode(),
        "\U000e0041".encode(),
        b"x" * 256,
        "田".encode() * 256,
    ],
    ids=ascii,
)
def test_what_is_no_trace_is_refused(message):
    with pytest.raises(MalformedMessage, match=r"^trace: ") as caught:
        converse(anonymous(message), [])
    assert not any(word in str(caught.value) for word in ("sir", "two", "bed", "xxx"))


@pytest.mark.parametrize("trace", ["x" * 255, "田" * 255, "tim@example.org", "two words", "@", "ß", ""])
def test_a_trace_of_255_characters_is_long_enough(trace):
    assert parse_trace(trace.encode()) == trace


@pytest.mark.parametrize("trace", ["x" * 256, "two\nlines", "tag \U000e0041"])
def test_the_client_sends_nothing_that_is_no_trace(trace):
    with pytest.raises(ExchangeError, match=r"^trace: "):
        Exchange(ANONYMOUS.client(Credentials(trace))).begin()


@given(trace=st.text(st.characters(categories=["L", "N", "P"]), max_size=255))
def test_each_side_understands_the_other(trace):
    remarks = []
    exchange = Exchange(ANONYMOUS.client(Credentials(trace)))
    try:
        response = exchange.begin()
    except ExchangeError:
        return
    assert converse(anonymous(response), remarks) == Granted(Identity("anonymous"))
    exchange.conclude()
    assert remarks == [trace]


@given(message=st.binary(max_size=300))
def test_no_message_raises_anything_but_our_own_error(message):
    remarks = []
    try:
        verdict = converse(anonymous(message), remarks)
    except MalformedMessage:
        return
    assert verdict == Granted(Identity("anonymous"))
    assert remarks == [message.decode()]


def test_it_is_offered_only_where_it_is_named():
    assert not ANONYMOUS.default
    assert ANONYMOUS.properties is Properties.ANONYMOUS
