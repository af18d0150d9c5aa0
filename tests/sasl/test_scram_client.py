"""SCRAM's client: what it says, and each rule by which it refuses a server."""

import time
from base64 import b64encode
from dataclasses import replace

import pytest

from ninsho.errors import ExchangeError
from ninsho.sasl import scram as module
from ninsho.sasl.dialogue import Granted
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.secrets import ScramSha1Keys, ScramSha512Keys
from scram_talk import KEY, NONCE, SHA256, TIM, VECTORS, Server, client_of, finish, keys_of, talk

MALFORMED = VECTORS["scram_malformed"]["also_reject_from_rfc5802"]


def test_a_client_takes_the_best_binding_that_there_is():
    channel = Channel(bindings={"tls-exporter": b"1", "tls-unique": b"2"})
    assert client_of(replace(TIM, channel=channel), SHA256, plus=True).begin().startswith(b"p=tls-exporter,,n=tim,")
    with pytest.raises(ExchangeError, match="expected channel binding data"):
        client_of(TIM, SHA256, plus=True).begin()


@pytest.mark.parametrize(
    ("channel", "flag"),
    [
        (Channel(), b"n,,"),
        (Channel(plus_offered=True), b"n,,"),
        (Channel(bindings=KEY), b"y,,"),
        (Channel(bindings=KEY, plus_offered=True), b"n,,"),
    ],
)
def test_a_client_says_whether_it_could_have_bound_the_channel(channel, flag):
    assert client_of(replace(TIM, channel=channel), SHA256).begin().startswith(flag + b"n=tim,r=")


@pytest.mark.parametrize("message", MALFORMED["server_first"])
def test_a_client_refuses_what_no_honest_server_says(message):
    client = client_of(Credentials("user", "pencil"), ScramSha1Keys, nonce=NONCE)
    client.begin()
    with pytest.raises(ExchangeError):
        client.answer(message.encode())


@pytest.mark.parametrize(
    "message",
    [
        b"r=%bX,s=c2FsdA==,i=4096,m=must",
        b"r=%bX,s=c2FsdA,i=4096",
        b"r=%bX,s=c2FsdB==,i=4096",
        b"r=%bX,s=c2FsdA==",
        b"r=%bX\xc3\xa9,s=c2FsdA==,i=4096",
        b"r=%bX,s=c2FsdA==,i=4096,",
        b"r=%bX,s=c2FsdA==,i=+4096",
        b"r=%bX,s=c2FsdA==,i= 4096",
        b"r=,s=c2FsdA==,i=4096",
        b"r=X%b,s=c2FsdA==,i=4096",
    ],
)
def test_a_client_refuses_a_broken_challenge(message):
    client = client_of(Credentials("user", "pencil"), ScramSha1Keys, nonce=NONCE)
    client.begin()
    with pytest.raises(ExchangeError):
        client.answer(message.replace(b"%b", NONCE))


def test_a_client_without_a_nonce_of_its_own_still_wants_the_servers():
    client = client_of(Credentials("user", "pencil"), ScramSha1Keys, nonce=NONCE)
    client.begin()
    with pytest.raises(ExchangeError, match="with the server's behind it"):
        client.answer(b"r=%b,s=c2FsdA==,i=4096" % NONCE)


@pytest.mark.parametrize(("count", "taken"), [(4095, False), (4096, True), (600_000, True), (600_001, False)])
def test_a_client_takes_a_bounded_number_of_iterations(count, taken, monkeypatch):
    monkeypatch.setattr(module, "pbkdf2_hmac", lambda *_: b"not today")
    client = client_of(Credentials("user", f"count {count}"), SHA256, nonce=NONCE)
    client.begin()
    challenge = b"r=%bX,s=c2FsdA==,i=%d" % (NONCE, count)
    if taken:
        assert client.answer(challenge).startswith(b"c=biws,r=" + NONCE)
    else:
        with pytest.raises(ExchangeError, match=f"expected 4096 to 600000 iterations, got {count}"):
            client.answer(challenge)


def test_a_client_does_not_begin_to_count_to_two_thousand_million():
    # pgjdbc and net-imap did (CVE-2026-42198, CVE-2026-42256).
    client = client_of(Credentials("user", "pencil"), SHA256, nonce=NONCE)
    client.begin()
    start = time.thread_time()
    with pytest.raises(ExchangeError, match="got 2147483647"):
        client.answer(b"r=%bX,s=c2FsdA==,i=2147483647" % NONCE)
    assert time.thread_time() - start < 0.01


def before_the_last_word():
    """A client that waits for the server's proof, and the right one."""
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    client = client_of(TIM, SHA256)
    return client, server.hear(client.answer(server.hear(client.begin())))


@pytest.mark.parametrize("message", [*MALFORMED["server_final"], "v=%", "right,m=must"])
def test_success_without_the_servers_proof_is_no_success(message):
    for with_the_success in (False, True):
        client, right = before_the_last_word()
        wrong = message.encode().replace(b"right", right)
        with pytest.raises(ExchangeError):
            client.conclude(wrong) if with_the_success else finish(client, wrong)


def test_success_before_the_servers_proof_is_no_success():
    for rounds in range(2):
        server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
        client = client_of(TIM, SHA256)
        message = client.begin()
        for _ in range(rounds):
            message = client.answer(server.hear(message))
        with pytest.raises(ExchangeError):
            client.conclude()


def test_the_servers_proof_may_come_with_the_success():
    client, right = before_the_last_word()
    client.conclude(right)
    client, right = before_the_last_word()
    assert client.answer(right + b",x=unknown") == b""
    client.conclude()


def test_who_was_not_satisfied_once_is_not_satisfied_later():
    client, _ = before_the_last_word()
    with pytest.raises(ExchangeError):
        client.answer(b"v=" + b64encode(bytes(32)))
    with pytest.raises(ExchangeError):
        client.conclude()


@pytest.mark.parametrize("after", ["client-first", "client-final"])
def test_a_servers_error_is_taken_and_success_after_it_is_none(after):
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    client = client_of(TIM, SHA256)
    message = client.begin()
    if after == "client-final":
        client.answer(server.hear(message))
    assert client.answer(b"e=channel-binding-not-supported") == b""
    assert client.challenge == b"e=channel-binding-not-supported"
    with pytest.raises(ExchangeError, match="after an error"):
        client.conclude()


def counted(monkeypatch):
    calls, real = [], module.pbkdf2_hmac
    monkeypatch.setattr(module, "pbkdf2_hmac", lambda *arguments: calls.append(arguments) or real(*arguments))
    return calls


def test_the_second_login_computes_nothing_again(monkeypatch):
    monkeypatch.setattr(module, "SALTED", module.SaltedPasswords(64))
    calls = counted(monkeypatch)
    accounts = {"tim": keys_of(SHA256, "sesame"), "tom": keys_of(SHA256, "sesame", b"other salt")}
    for _ in range(3):
        assert talk(Server(accounts, SHA256), client_of(TIM, SHA256)) == (True, True)
    assert len(calls) == 1
    # Another salt, another password, another hash function: each is another.
    assert talk(Server(accounts, SHA256), client_of(replace(TIM, username="tom"), SHA256)) == (True, True)
    assert talk(Server(accounts, SHA256), client_of(replace(TIM, password="wrong"), SHA256)) == (False, False)
    others = {"tim": keys_of(ScramSha512Keys, "sesame")}
    assert talk(Server(others, ScramSha512Keys), client_of(TIM, ScramSha512Keys)) == (True, True)
    assert len(calls) == 4


def test_the_server_computes_no_password(monkeypatch):
    client, accounts = client_of(TIM, SHA256), {"tim": keys_of(SHA256, "sesame")}
    server = Server(accounts, SHA256)
    final = client.answer(server.hear(client.begin()))
    calls = counted(monkeypatch)
    server.hear(final)
    assert isinstance(server.verdict, Granted)
    assert calls == []


def test_no_error_of_the_client_holds_what_should_have_been_said():
    client, right = before_the_last_word()
    with pytest.raises(ExchangeError) as raised:
        client.answer(b"v=" + b64encode(bytes(32)))
    assert right[2:].decode() not in str(raised.value)


def test_the_salted_passwords_that_were_used_last_are_kept_and_no_password():
    kept = module.SaltedPasswords(2)
    for password in (b"one", b"two", b"one", b"three"):
        kept.keys("sha256", password, b"salt", 1)
    assert len(kept._kept) == 2
    assert not [name for name in kept._kept if name in {b"one", b"two", b"three"}]
    before = [*kept._kept]
    kept.keys("sha256", b"one", b"salt", 1)
    assert [*kept._kept] == before[::-1]
