"""SCRAM: the exchanges that others have published, byte for byte on both sides."""

from base64 import b64decode

import pytest

from ninsho.errors import ExchangeError
from ninsho.sasl.dialogue import BoundChallenge, Challenge, Decoy, Denial, Denied, Granted, Identity, Lookup
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.scram import Binding
from ninsho.text import prepare_username
from scram_talk import KINDS, VECTORS, Server, client_of, keys_of

EXCHANGES = VECTORS["scram"]["vectors"]


def named(vector):
    return vector["name"]


def kind_of(vector):
    return KINDS[vector["mechanism"].removesuffix("-PLUS")]


def accounts_of(vector):
    """The account of a vector, under the name that the server looks up."""
    password, salt = vector["password"], b64decode(vector["salt_b64"])
    make = kind_of(vector).of
    if vector.get("saslprep", True):
        keys = keys_of(kind_of(vector), password, salt, vector["iterations"])
    else:
        keys = make(password.encode(), salt=salt, iterations=vector["iterations"])
    return {prepare_username(vector["username"].encode()): keys}


def bindings_of(vector):
    binding = vector["channel_binding"]
    return {binding["type"]: b64decode(binding["data_b64"])} if binding else {}


def server_of(vector, **options):
    return Server(accounts_of(vector), kind_of(vector), nonce=vector["server_nonce"].encode(), **options)


def messages_of(vector):
    return [message["text"].encode() for message in vector["messages"]]


@pytest.mark.parametrize("vector", EXCHANGES, ids=named)
def test_the_server_says_what_the_vectors_say(vector):
    bound = vector["mechanism"].endswith("-PLUS")
    binding = Binding.REQUIRED if bound else Binding.IMPOSSIBLE
    server = server_of(vector, binding=binding, bindings=bindings_of(vector))
    client_first, server_first, client_final, server_final = messages_of(vector)
    assert server.hear(client_first) == server_first
    assert server.hear(client_final) == server_final
    username, authzid = prepare_username(vector["username"].encode()), vector["authzid"]
    assert server.verdict == Granted(Identity(username, authzid), server_final)
    assert [type(want) for want in server.wants] == [Decoy, Lookup, BoundChallenge if bound else Challenge]


# The client always prepares; what it does not prepare is the server's business alone.
@pytest.mark.parametrize("vector", [vector for vector in EXCHANGES if vector["saslprep"]], ids=named)
def test_the_client_says_what_the_vectors_say(vector):
    client_first, server_first, client_final, server_final = messages_of(vector)
    bindings = bindings_of(vector) or ({"tls-unique": b"?"} if vector["gs2_header"].startswith("y") else {})
    channel = Channel(bindings=bindings)
    credentials = Credentials(vector["username"], vector["password"], vector["authzid"], channel=channel)
    client = client_of(
        credentials,
        kind_of(vector),
        plus=vector["mechanism"].endswith("-PLUS"),
        nonce=vector["client_nonce"].encode(),
    )
    assert client.begin() == client_first
    assert client.answer(server_first) == client_final
    assert client.answer(server_final) == b""
    client.conclude()


def test_there_are_as_many_vectors_as_there_should_be():
    assert len(EXCHANGES) == 28
    assert {vector["mechanism"] for vector in EXCHANGES} >= {*KINDS, "SCRAM-SHA-256-PLUS"}


@pytest.mark.parametrize("vector", VECTORS["scram_bad"]["vectors"], ids=named)
def test_what_one_side_must_refuse_is_refused(vector):
    sent = messages_of(vector)
    if vector["side_under_test"] == "client":
        client = client_of(
            Credentials("user", vector["password"]), kind_of(vector), nonce=vector["client_nonce"].encode()
        )
        assert client.begin() == sent[0]
        assert client.answer(sent[1]) == sent[2]
        with pytest.raises(ExchangeError, match="has not proved"):
            client.answer(sent[3])
        return
    server = server_of(vector)
    said = [server.hear(message) for message in sent[::2]]
    if len(sent) == 2:
        # Whom nobody knows gets a challenge like anybody else: e=unknown-user would tell.
        assert said[0].startswith(b"r=" + vector["client_nonce"].encode())
        assert isinstance(server.wants[0], Decoy)
    else:
        assert said == [sent[1], b"e=other-error"]
        assert server.verdict == Denied(Denial.MISMATCH, b"e=other-error")
