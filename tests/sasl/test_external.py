"""EXTERNAL: who the connection proves, whom the client names, and everybody who proves nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Granted, Identity, PeerName, Remark, check_text
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.external import EXTERNAL, external

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "external.json").read_text())["vectors"]


def converse(response, peer_name, remarks=None, responses=()):
    """Play the server's side on a connection that proves *peer_name*."""
    if response is not None:
        check_text(response)
    dialogue, answer, said = external(response), None, iter(responses)
    while True:
        try:
            want = dialogue.send(answer)
        except StopIteration as end:
            return end.value
        match want:
            case Challenge(data):
                assert data == b""
                answer = next(said)
            case PeerName():
                answer = peer_name
            case Remark(text):
                answer = (remarks if remarks is not None else []).append(text)


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["expect"])
def test_the_vectors(vector):
    message, expected = vector["text"].encode(), vector["expect"]
    if "NUL" in expected:
        with pytest.raises(MalformedMessage):
            converse(message, "fred")
    elif "no certificate" in expected:
        assert converse(message, None) == Denied(Denial.MISMATCH)
    else:
        # Who may act as whom is decided around the mechanism, which only says who wants it.
        assert converse(message, "fred") == Granted(Identity("fred", vector["text"]))


def test_the_server_asks_where_there_is_no_initial_response():
    assert converse(None, "fred", responses=[b""]) == Granted(Identity("fred"))


def test_naming_oneself_is_naming_nobody():
    assert converse(b"fred", "fred") == Granted(Identity("fred"))


@pytest.mark.parametrize("named", [b"", b"root", b"fred"])
def test_without_a_proven_name_the_one_that_the_client_gives_counts_for_nothing(named):
    remarks = []
    assert converse(named, None, remarks) == Denied(Denial.MISMATCH)
    assert remarks == ["the connection proves no user name"]


@pytest.mark.parametrize("peer_name", ["", "fred\0root", "fred\nroot", "x" * 2000])
def test_a_certificate_may_hold_what_is_no_user_name(peer_name):
    with pytest.raises(MalformedMessage):
        converse(b"", peer_name)


@given(authzid=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40), initial=st.booleans())
def test_each_side_understands_the_other(authzid, initial):
    exchange = Exchange(EXTERNAL.client(Credentials(authzid=authzid)))
    response = exchange.begin(initial_response=initial)
    verdict = converse(response, "fred", responses=[] if initial else [exchange.answer(b"")])
    exchange.conclude()
    assert verdict == Granted(Identity("fred", "" if authzid == "fred" else authzid))


@given(message=st.binary(max_size=60))
def test_no_message_makes_anybody_else_of_who_is_proven(message):
    try:
        verdict = converse(message, "fred")
    except MalformedMessage:
        return
    assert verdict.identity.authcid == "fred"


def test_it_is_offered_only_where_it_is_named():
    assert not EXTERNAL.default
    assert EXTERNAL.needs is PeerName
    assert EXTERNAL.vouched
