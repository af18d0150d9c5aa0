"""OAUTHBEARER and XOAUTH2: the vectors, each side against the other, and whatever a stranger may send."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Granted, Identity, Inspect, Inspection, Remark
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.mechanism import Properties
from ninsho.sasl.oauth import OAUTHBEARER, XOAUTH2, Refusal, read_refusal

VECTORS = Path(__file__).parent.parent / "vectors"
MECHANISMS = [OAUTHBEARER, XOAUTH2]
CONFIGURATION = "https://example.com/.well-known/openid-configuration"


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def converse(dialogue, owners, *, refusal=None, client=None, say=None):
    """Play a server's side: *owners* are tokens and whose they are, all others get the *refusal*."""
    responses = iter(say or ())
    answer = None
    while True:
        try:
            want = dialogue.send(answer)
        except StopIteration as end:
            return end.value
        match want:
            case Challenge(data):
                answer = client.answer(data) if client else next(responses)
            case Inspect(token):
                answer = Inspection(owners[token]) if token in owners else (refusal or Inspection(None))
            case Remark():
                answer = None
            case _:
                raise AssertionError(want)


def all_vectors():
    return [(one, vector) for one in MECHANISMS for vector in vectors(one.name.lower())["vectors"]]


@pytest.mark.parametrize(("one", "vector"), all_vectors(), ids=lambda value: getattr(value, "name", None))
def test_both_sides_read_and_write_the_vectors(one, vector):
    message, token = vector["text"].encode(), vector["token"]
    assert converse(one.server(message), {token: vector["username"]}) == Granted(Identity(vector["username"]))
    channel = Channel(host=vector.get("host", ""), port=vector.get("port", 0))
    exchange = Exchange(one.client(Credentials(vector["username"], token=token, channel=channel)))
    assert exchange.begin() == message
    exchange.conclude()


def test_the_failure_of_oauthbearer_is_that_of_the_rfc():
    failure = vectors("oauthbearer")["failure"]
    refusal = Inspection(None, "invalid_token", "example_scope", CONFIGURATION)
    exchange = Exchange(OAUTHBEARER.client(Credentials("user@example.com", token="expired")))
    verdict = converse(OAUTHBEARER.server(exchange.begin()), {}, refusal=refusal)
    assert verdict == Denied(Denial.TOKEN, failure["server_json"].encode())
    assert exchange.answer(verdict.data) == failure["client_dummy_text"].encode()
    assert read_refusal(exchange.challenge) == Refusal("invalid_token", "example_scope", CONFIGURATION)
    with pytest.raises(ExchangeError, match="success after an error"):
        exchange.conclude()


@pytest.mark.parametrize("failure", vectors("xoauth2")["failure"], ids=lambda failure: failure["source"])
def test_the_client_of_xoauth2_answers_a_failure_with_nothing(failure):
    exchange = Exchange(XOAUTH2.client(Credentials("someuser@example.com", token="expired")))
    exchange.begin()
    assert exchange.answer(failure["server_json"].encode()) == failure["client_answer"].encode()
    assert read_refusal(exchange.challenge).status == "401"
    with pytest.raises(ExchangeError, match="success after an error"):
        exchange.conclude()


def test_the_failure_of_xoauth2_is_that_of_dovecot():
    verdict = converse(XOAUTH2.server(b"user=u\x01auth=Bearer t\x01\x01"), {})
    assert verdict == Denied(Denial.TOKEN, vectors("xoauth2")["failure"][1]["server_json"].encode())


@pytest.mark.parametrize(
    ("status", "number"), [("invalid_token", "401"), ("insufficient_scope", "403"), ("invalid_request", "400")]
)
def test_xoauth2_tells_the_status_as_a_number(status, number):
    refusal = Inspection(None, status, "a b", CONFIGURATION)
    verdict = converse(XOAUTH2.server(b"user=u\x01auth=Bearer t\x01\x01"), {}, refusal=refusal)
    told = f'{{"status":"{number}","schemes":"bearer","scope":"a b","openid-configuration":"{CONFIGURATION}"}}'
    assert verdict.data == told.encode()


def all_bad():
    return [(one, bad) for one in MECHANISMS for bad in vectors(one.name.lower())["bad"]]


@pytest.mark.parametrize(("one", "bad"), all_bad(), ids=lambda value: getattr(value, "name", None))
def test_what_is_not_their_message_is_refused_with_an_error_message(one, bad):
    refusal = Inspection(None, "invalid_token", "mail", CONFIGURATION)
    verdict = converse(one.server(bad["text"].encode()), dict.fromkeys(["t", "a", "b", "token"], "u"), refusal=refusal)
    members = json.loads(verdict.data)
    assert members["openid-configuration"] == CONFIGURATION
    if "discovery" in bad["source"]:
        assert (verdict.cause, members["status"]) == (Denial.TOKEN, "invalid_token")
    else:
        assert verdict.cause is Denial.MALFORMED
        assert members["status"] == ("invalid_request" if one is OAUTHBEARER else "400")


@pytest.mark.parametrize(
    "message",
    [
        b"\x01",
        b"n,,",
        b"n,,\x01",
        b"n,,auth=Bearer t\x01\x01",
        b"n,,\x01auth=Bearer t",
        b"n,,\x01auth=Bearer t\x01\x01\x01",
        b"n,,\x01auth=Bearer \x01\x01",
        b"n,,\x01auth=Bearer t t\x01\x01",
        b"n,,\x01auth=Bearer\tt\x01\x01",
        b"n,,\x01auth=Basic dTpw\x01\x01",
        b"n,,\x01auth=Bearer t\xc3\xa9\x01\x01",
        b"n,,\x01=x\x01auth=Bearer t\x01\x01",
        b"n,,\x01auth\x01\x01",
        b"n,a=\x7f,\x01auth=Bearer t\x01\x01",
        b"n,a=\xff,\x01auth=Bearer t\x01\x01",
    ],
)
def test_oauthbearer_refuses_what_is_nearly_its_message(message):
    verdict = converse(OAUTHBEARER.server(message), {"t": "u"})
    assert verdict == Denied(Denial.MALFORMED, b'{"status":"invalid_request","scope":"mail"}')


@pytest.mark.parametrize("spelling", [b"Bearer", b"bearer", b"BEARER"])
def test_the_case_of_bearer_and_unknown_keys_mean_nothing(spelling):
    ignored = vectors("oauthbearer")["must_ignore_unknown_keys"].encode().replace(b"Bearer", spelling)
    assert converse(OAUTHBEARER.server(ignored), {"t": "u"}) == Granted(Identity("u"))
    assert converse(XOAUTH2.server(b"user=u\x01x=\x01auth=%b t\x01\x01" % spelling), {"t": "u"}) == Granted(
        Identity("u")
    )


def test_without_a_name_the_token_alone_says_who_it_is():
    assert converse(OAUTHBEARER.server(b"n,,\x01auth=Bearer t\x01\x01"), {"t": "u"}) == Granted(Identity("u"))


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
def test_another_name_than_the_tokens_is_somebody_to_act_as(one):
    for asked in ("bob", "Alice"):
        exchange = Exchange(one.client(Credentials(asked, token="t")))
        assert converse(one.server(exchange.begin()), {"t": "alice"}) == Granted(Identity("alice", asked))


def test_names_are_compared_as_prepared():
    # U+00AA becomes "a" (RFC 4013 §2.2).
    assert converse(XOAUTH2.server("user=ª\x01auth=Bearer t\x01\x01".encode()), {"t": "a"}) == Granted(Identity("a"))


def test_long_tokens_are_tokens():
    token = "x" * 60_000
    for one in MECHANISMS:
        exchange = Exchange(one.client(Credentials("u", token=token)))
        assert converse(one.server(exchange.begin()), {token: "u"}) == Granted(Identity("u"))


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
def test_a_client_without_an_initial_response_is_asked_for_its_message(one):
    exchange = Exchange(one.client(Credentials("u", token="t")))
    assert exchange.begin(initial_response=False) is None
    assert converse(one.server(None), {"t": "u"}, client=exchange) == Granted(Identity("u"))
    exchange.conclude()


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
def test_an_empty_message_is_answered_with_where_to_go(one):
    refusal = Inspection(None, "invalid_token", "smtp", CONFIGURATION)
    for dialogue in (one.server(b""), one.server(None)):
        verdict = converse(dialogue, {}, refusal=refusal, say=[b""])
        assert read_refusal(verdict.data).configuration == CONFIGURATION
        assert read_refusal(verdict.data).scope == "smtp"


def test_a_function_is_asked_for_the_token_when_the_exchange_begins():
    asked = []
    steps = OAUTHBEARER.client(Credentials("u", token=lambda: asked.append(1) or "fresh"))
    assert not asked
    assert b"auth=Bearer fresh\x01" in Exchange(steps).begin()
    assert asked == [1]


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
@pytest.mark.parametrize("token", [None, "", "sesame street", "sesame\x01auth=Bearer x", "sesame\n", "sésame"])
def test_a_client_sends_nothing_that_is_no_token(one, token):
    with pytest.raises(ExchangeError, match="expected a bearer token") as raised:
        Exchange(one.client(Credentials("u", token=token))).begin()
    assert "sesame" not in str(raised.value)


def test_a_client_sends_no_name_or_host_that_would_become_more():
    for one in MECHANISMS:
        with pytest.raises(ExchangeError, match="user name: expected printable"):
            Exchange(one.client(Credentials("u\x01auth=Bearer x", token="t"))).begin()
    with pytest.raises(ExchangeError, match="host: expected printable"):
        Exchange(OAUTHBEARER.client(Credentials("u", token="t", channel=Channel(host="h\x01port=1")))).begin()


@pytest.mark.parametrize(
    "challenge", [None, b"", b"\xff", b"{", b"[]", b"1", b'"x"', b"null", b"[" * 50_000, b'{"status":[1],"scope":null}']
)
def test_an_unreadable_refusal_is_an_empty_one(challenge):
    assert read_refusal(challenge) == Refusal()


def test_a_status_may_be_a_number():
    assert read_refusal(b'{"status":401,"scope":"s"}\n') == Refusal("401", "s")


def test_an_error_message_is_json_whatever_the_configuration_says():
    refusal = Inspection(None, "invalid_token", 'a"\\ß', "https://ä")
    verdict = converse(OAUTHBEARER.server(b""), {}, refusal=refusal)
    assert verdict.data.isascii()
    assert read_refusal(verdict.data) == Refusal("invalid_request", 'a"\\ß', "https://ä")


def test_they_are_data_as_other_mechanisms():
    for one in MECHANISMS:
        assert (one.properties, one.needs, one.vouched, one.binary) == (Properties.PLAINTEXT, Inspect, True, False)


names = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40)
tokens = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=80)


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
@given(username=names, token=tokens, wrong=tokens, initial_response=st.booleans())
def test_each_side_understands_the_other(one, username, token, wrong, initial_response):
    for shown in (token, wrong):
        channel = Channel(host="mail.example.org", port=587)
        exchange = Exchange(one.client(Credentials(username, token=shown, channel=channel)))
        response = exchange.begin(initial_response=initial_response)
        verdict = converse(one.server(response), {token: username}, client=exchange)
        if shown == token:
            exchange.conclude()
            assert verdict == Granted(Identity(username))
        else:
            assert verdict.cause is Denial.TOKEN


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
@given(place=st.integers(0, 200), octets=st.binary(max_size=3), cut=st.integers(0, 3))
def test_no_mutation_raises_anything_or_becomes_somebody_else(one, place, octets, cut):
    exchange = Exchange(one.client(Credentials("user@example.org", token="secret-token")))
    message = exchange.begin()
    mutated = message[:place] + octets + message[place + cut :]
    verdict = converse(one.server(mutated), {"secret-token": "user@example.org"})
    if isinstance(verdict, Granted):
        assert verdict.identity.authcid == "user@example.org"
    else:
        assert verdict.cause in {Denial.MALFORMED, Denial.TOKEN}
        assert b"secret" not in verdict.data


@pytest.mark.parametrize("one", MECHANISMS, ids=lambda one: one.name)
@given(messages=st.none() | st.binary(max_size=60))
def test_any_octets_are_refused(one, messages):
    verdict = converse(one.server(messages), {}, say=[messages or b"x"])
    assert isinstance(verdict, Denied)


def test_a_token_of_nobody_who_could_log_in_is_no_crash():
    with pytest.raises(MalformedMessage):
        converse(OAUTHBEARER.server(b"n,,\x01auth=Bearer t\x01\x01"), {"t": "\x07"})


def test_credentials_and_wants_do_not_show_the_token():
    assert "sesame" not in repr(Credentials("u", token="sesame"))
    assert "sesame" not in repr(Inspect("sesame"))
