"""Both sides of each mechanism: the vectors, each side against the other, and whatever a stranger may send."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.cram_md5 import cram_md5, cram_md5_client
from ninsho.sasl.dialogue import Await, Challenge, Denial, Denied, Granted, Identity, Lookup, Verify, check_text
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.login import login_client
from ninsho.sasl.mechanism import Properties, mechanism
from ninsho.sasl.plain import plain, plain_client
from ninsho.sasl.registry import BUILTIN, mechanisms
from ninsho.sasl.secrets import Password

VECTORS = Path(__file__).parent.parent / "vectors"
# The others have conversations of their own, in files of their own.
IN_FEW_WORDS = ["PLAIN", "LOGIN", "CRAM-MD5"]


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def octets(vector):
    return vector["text"].encode() if "text" in vector else bytes.fromhex(vector["hex"])


def converse(dialogue, passwords, client=None, say=None):
    """Play a server's side: *say* are the responses, or *client* is an exchange that gives them."""
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
            case Verify(username):
                answer = passwords.get(username) == want.password
            case Lookup(username):
                answer = Password(passwords[username].encode()) if username in passwords else None


@pytest.mark.parametrize("vector", vectors("plain")["vectors"], ids=lambda vector: vector["name"])
def test_plain_reads_and_writes_the_vectors(vector):
    prepared = "a" if vector["name"] == "saslprep-gsasl" else None
    authcid, password = prepared or vector["authcid"], vector["password"]
    verdict = converse(plain(vector["text"].encode()), {authcid: password})
    same = vector["authzid"] in {"", vector["authcid"]}
    assert verdict == Granted(Identity(authcid, "" if same else vector["authzid"]))
    exchange = Exchange(plain_client(Credentials(vector["authcid"], vector["password"], vector["authzid"])))
    assert exchange.begin() == vector["text"].encode()
    exchange.conclude()


@pytest.mark.parametrize("vector", vectors("plain")["bad"], ids=repr)
def test_plain_refuses_what_is_not_its_message(vector):
    with pytest.raises(MalformedMessage):
        converse(plain(octets(vector)), {})


@pytest.mark.parametrize("vector", vectors("cram_md5")["vectors"], ids=lambda vector: vector["name"])
def test_cram_md5_reads_and_writes_the_vectors(vector):
    challenge, response = vector["challenge"].encode(), vector["response"].encode()
    passwords = {vector["username"]: vector["password"]}
    verdict = converse(cram_md5(None, challenge=lambda: challenge), passwords, say=[response])
    assert verdict == Granted(Identity(vector["username"]))
    exchange = Exchange(cram_md5_client(Credentials(vector["username"], vector["password"])))
    assert exchange.begin() is None
    assert exchange.answer(challenge) == response
    exchange.conclude()


@pytest.mark.parametrize(
    "response",
    [
        b"",
        b"user",
        b"user deadbeef",
        b"user b913a602c7eda7a495b4e6e7334d389",
        b"user b913a602c7eda7a495b4e6e7334d38900",
        b"user b913a602c7eda7a495b4e6e7334d389g",
        b"user  13a602c7eda7a495b4e6e7334d3890",
        b" b913a602c7eda7a495b4e6e7334d3890",
    ],
)
def test_cram_md5_refuses_what_is_not_its_message(response):
    with pytest.raises(MalformedMessage):
        converse(cram_md5(None), {}, say=[response])


def test_cram_md5_challenges_are_message_ids_and_never_come_again():
    challenges = {next(cram_md5(None)).data for _ in range(1000)}
    assert len(challenges) == 1000
    assert all(one.startswith(b"<") and one.endswith(b">") and b"@" in one for one in challenges)


@pytest.mark.parametrize(
    "vector",
    [vector for vector in vectors("first_messages") if vector["mechanism"] in IN_FEW_WORDS],
    ids=lambda vector: f"{vector['mechanism']} {vector['text']!r}",
)
def test_first_messages_are_taken_or_refused_as_in_dovecot(vector):
    one = BUILTIN[vector["mechanism"]]
    message = vector["text"].encode()
    dialogue = one.server(message)
    try:
        one.binary or check_text(message)
        want = next(dialogue)
        if one.name == "CRAM-MD5":
            want = dialogue.send(message)
    except MalformedMessage:
        assert not vector["success"]
        return
    if vector["success"]:
        assert vector["username"] in (getattr(want, "username", None), vector["text"])
    else:
        # LOGIN without a name asks for it.
        assert isinstance(want, Challenge)
        with pytest.raises(MalformedMessage):
            dialogue.send(b"")


words = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), min_size=1, max_size=40)


@pytest.mark.parametrize("name", IN_FEW_WORDS)
@given(username=words, password=words, wrong=words, initial_response=st.booleans())
def test_each_side_understands_the_other(name, username, password, wrong, initial_response):
    one = BUILTIN[name]
    for typed in (password, wrong):
        exchange = Exchange(one.client(Credentials(username, typed)))
        response = exchange.begin(initial_response=initial_response)
        verdict = converse(one.server(response), {username: password}, client=exchange)
        if typed == password:
            exchange.conclude()
            assert verdict == Granted(Identity(username))
        else:
            assert verdict == Denied(Denial.MISMATCH)


@pytest.mark.parametrize("name", IN_FEW_WORDS)
@given(messages=st.lists(st.binary(max_size=50), min_size=2, max_size=2), initial=st.none() | st.binary(max_size=50))
def test_no_message_raises_anything_but_our_own_error(name, messages, initial):
    told = ""
    try:
        assert converse(BUILTIN[name].server(initial), {}, say=[*messages, b"x"]) == Denied(Denial.MISMATCH)
    except MalformedMessage as error:
        told = str(error)
    assert not any(message and repr(message) in told for message in messages)


def test_success_before_the_mechanism_is_finished_is_no_success():
    exchange = Exchange(login_client(Credentials("u", "p")))
    exchange.begin()
    exchange.answer(b"Username:")
    with pytest.raises(ExchangeError, match="before the mechanism was finished"):
        exchange.conclude()


def test_success_without_a_challenge_is_no_success_for_cram_md5():
    exchange = Exchange(cram_md5_client(Credentials("u", "p")))
    exchange.begin()
    with pytest.raises(ExchangeError, match="without a challenge"):
        exchange.conclude()


def test_a_challenge_after_the_end_is_an_error():
    exchange = Exchange(plain_client(Credentials("u", "p")))
    exchange.begin()
    with pytest.raises(ExchangeError, match="where the mechanism was finished"):
        exchange.answer(b"more")


def test_credentials_and_wants_do_not_show_their_secrets():
    assert "sesame" not in repr(Credentials("u", "sesame"))
    assert "sesame" not in repr(Verify("u", "sesame"))
    assert "sesame" not in repr(Password(b"sesame"))


def test_a_nul_is_refused_where_no_mechanism_expects_one():
    check_text(b"text")
    with pytest.raises(MalformedMessage, match="NUL"):
        check_text(b"a\0b")


def test_the_words_of_a_mech_line_keep_dovecots_order():
    flags = Properties.MUTUAL_AUTH | Properties.ACTIVE | Properties.DICTIONARY | Properties.PRIVATE
    assert flags.words == ("private", "dictionary", "active", "mutual-auth")


def test_a_mechanism_of_ones_own_says_what_is_wrong_with_its_name():
    with pytest.raises(ValueError, match=r"1 to 20 characters of A-Z.*got 'oreore'"):
        mechanism("oreore")
    with pytest.raises(TypeError, match="OREORE: unknown property 'plain'"):
        mechanism("OREORE", plain=True)


def test_a_mechanism_of_ones_own_joins_the_built_in_ones():
    @mechanism("OREORE", plaintext=True)
    def oreore(response):
        value = yield from Await(None)
        return Granted(Identity(value))

    assert list(mechanisms([oreore])) == [*BUILTIN, "OREORE"]
    assert oreore.properties.words == ("plaintext",)
    dialogue = oreore.server(None)
    assert isinstance(next(dialogue), Await)


def test_a_mechanism_that_asks_nothing_is_a_plain_function():
    @mechanism("NOBODY")
    def nobody(response):
        return Denied(Denial.MISMATCH)

    assert converse(nobody.server(b""), {}) == Denied(Denial.MISMATCH)


@pytest.mark.parametrize("text", ["a\0b", "\0", "half \ud83d"])
def test_a_client_sends_nothing_that_would_be_read_otherwise(text):
    for told in ({"username": text}, {"password": text}, {"authzid": text}):
        with pytest.raises(ExchangeError, match="expected") as caught:
            Credentials(**({"username": "u", "password": "p"} | told))
        assert text not in str(caught.value)
