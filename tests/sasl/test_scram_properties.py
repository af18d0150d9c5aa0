"""SCRAM for any name and password, and for any message that somebody has changed."""

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl.dialogue import Granted, Identity
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.scram import Binding
from ninsho.text import prepare_username
from scram_talk import KEY, KINDS, QUICK, SHA256, TIM, Server, client_of, finish, keys_of, talk

salts = st.binary(min_size=1, max_size=40)
letters = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=30)


def preparable(name):
    try:
        return prepare_username(name.encode())
    except MalformedMessage:
        return None


class Anybody(dict):
    """Accounts of everybody, with the same keys; ``names`` are those asked for."""

    def __init__(self, keys):
        super().__init__()
        self.keys_of_all, self.names = keys, []

    def get(self, name):
        self.names.append(name)
        return self.keys_of_all


@pytest.mark.parametrize("kind", KINDS.values())
@given(username=letters, passwords=st.tuples(letters, letters), bound=st.booleans(), salt=salts)
def test_the_two_sides_agree_for_any_name_and_password(kind, username, passwords, bound, salt):
    password, wrong = passwords
    prepared = preparable(username)
    assume(prepared)
    channel = Channel(bindings=KEY if bound else {}, plus_offered=bound)
    credentials = Credentials(username, password, channel=channel, iterations=QUICK)
    accounts = Anybody(keys_of(kind, password, salt, 3))
    for typed in (password, wrong):
        binding = Binding.REQUIRED if bound else Binding.IMPOSSIBLE
        server = Server(accounts, kind, binding=binding, bindings=KEY)
        client = client_of(replace(credentials, password=typed), kind, plus=bound)
        right = keys_of(kind, typed, salt, 3) == keys_of(kind, password, salt, 3)
        assert talk(server, client) == (right, right)
        assert accounts.names[-1] == prepared
        if right:
            assert server.verdict.identity == Identity(prepared)


def deleted(message, place, octet):
    return message[:place] + message[place + 1 :]


def replaced(message, place, octet):
    return message[:place] + bytes([octet]) + message[place + 1 :]


def inserted(message, place, octet):
    return message[:place] + bytes([octet]) + message[place:]


def appended(message, place, octet):
    return message + bytes([octet]) * (1 + place % 3)


def flipped(message, place, octet):
    return message[:place] + bytes([message[place] ^ octet]) + message[place + 1 :]


def truncated(message, place, octet):
    return message[:place]


def doubled(message, place, octet):
    return message + b"," + message


MUTATIONS = [deleted, replaced, inserted, appended, flipped, truncated, doubled]


@pytest.mark.parametrize("mutation", MUTATIONS)
@pytest.mark.parametrize("which", range(4), ids=["client-first", "server-first", "client-final", "server-final"])
@given(place=st.integers(0, 400), octet=st.integers(0, 255) | st.sampled_from(b"=,nyprcsivem09A"), bound=st.booleans())
def test_one_changed_octet_ends_it(mutation, which, place, octet, bound):
    changed = []

    def alter(number, message):
        if number != which:
            return message
        other = mutation(message, place % len(message), octet)
        changed.append(other != message)
        return other

    channel = Channel(bindings=KEY if bound else {}, plus_offered=bound)
    binding = Binding.REQUIRED if bound else Binding.OFFERED
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256, binding=binding, bindings=KEY)
    client = client_of(replace(TIM, channel=channel), SHA256, plus=bound)
    outcome = talk(server, client, alter)
    assume(changed == [True])
    # The server has been satisfied before it says its last words.
    assert outcome == (which == 3, False)


@given(messages=st.lists(st.binary(max_size=60), min_size=2, max_size=2))
def test_no_message_makes_the_server_raise_anything_but_our_own_error(messages):
    server = Server({}, SHA256)
    with suppress(MalformedMessage):
        for message in messages:
            server.hear(message)
            if server.verdict:
                break
    assert not isinstance(server.verdict, Granted)


@given(messages=st.lists(st.binary(max_size=60), min_size=2, max_size=2))
def test_no_message_makes_the_client_raise_anything_but_our_own_error(messages):
    client = client_of(TIM, SHA256)
    client.begin()
    with pytest.raises(ExchangeError):
        finish(client, *messages)
