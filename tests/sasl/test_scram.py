"""SCRAM: the vectors on both sides, and each rule by which one side refuses the other."""

import json
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace
from hmac import digest
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ninsho.errors import ExchangeError, MalformedMessage
from ninsho.sasl import scram as module
from ninsho.sasl.dialogue import BoundChallenge, Challenge, Decoy, Denial, Denied, Granted, Identity, Lookup
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.gs2 import decode_name, encode_name, header, parse_header, parse_name
from ninsho.sasl.scram import SCRAM_SHA_256, Binding, new_nonce
from ninsho.sasl.secrets import ScramSha1Keys, ScramSha256Keys, ScramSha512Keys
from ninsho.text import prepare_username
from scram_talk import KINDS, QUICK, Server, client_of, keys_of, talk

VECTORS = json.loads((Path(__file__).parent.parent / "vectors" / "scram.json").read_text())
EXCHANGES = VECTORS["scram"]["vectors"]
MALFORMED = VECTORS["scram_malformed"]
TIM = Credentials("tim", "sesame", iterations=QUICK)
SHA256 = ScramSha256Keys
NONCE = b"fyko+d2lbbFgONRv9qkxdawL"


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
    assert [type(want) for want in server.wants] == [Lookup, BoundChallenge if bound else Challenge]


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
        assert isinstance(server.wants[1], Decoy)
    else:
        assert said == [sent[1], b"e=other-error"]
        assert server.verdict == Denied(Denial.MISMATCH, b"e=other-error")


@pytest.mark.parametrize("row", VECTORS["gs2_header"]["valid"], ids=lambda row: row["in"])
def test_a_gs2_header_is_read(row):
    message = row["in"].encode()
    if row["nonstd"]:
        # RFC 5801 §4: a prefix for GSS-API mechanisms that SCRAM and OAUTHBEARER are not.
        with pytest.raises(MalformedMessage):
            parse_header(message)
        return
    found = parse_header(message)
    assert found.flag == row["flag"]
    assert found.binding == (row["cb_type"] or "")
    assert found.authzid == (row["authzid"] or "").encode()
    assert found.raw == message[: row["header_length"]]


@pytest.mark.parametrize("row", VECTORS["gs2_header"]["invalid"], ids=repr)
def test_a_broken_gs2_header_is_refused(row):
    with pytest.raises(MalformedMessage):
        parse_header(row["in"].encode())


@given(st.sampled_from(["n", "y", "p=tls-exporter"]), st.text(st.characters(exclude_characters="\0", codec="utf-8")))
def test_a_gs2_header_is_written_as_it_is_read(flag, authzid):
    found = parse_header(header(flag, authzid) + b"n=x,r=y")
    assert found.raw == header(flag, authzid)
    assert found.authzid == authzid.encode()


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1) | st.text("=,23CD", min_size=1))
def test_a_name_is_written_as_it_is_read(name):
    assert parse_name(encode_name(name).encode()) == decode_name(encode_name(name).encode()) == name.encode()


def first_messages():
    """Each malformed first message; those that would fail for a short nonce alone, with a longer one as well."""
    for message in (*MALFORMED["client_first"], *MALFORMED["also_reject_from_rfc5802"]["client_first"]):
        yield message
        if "r=abc" in message:
            yield message.replace("r=abc", "r=abcdefghijkl")
    yield "n,,n=user,r=abcdefghijkl,m=late"
    yield "n,,n=user,r=abcdefghijkl,ext"
    yield "n,,n=user,r=abcdefghijkl,1=digit"
    yield "n,,n=user,r=abcdefghijkl,x="


@pytest.mark.parametrize("message", list(first_messages()))
def test_a_malformed_first_message_is_refused(message):
    server = Server({"user": keys_of(SHA256, "pencil")}, SHA256)
    if message.startswith(("p=tls-unique,,", "p=AAAAAA,,")):
        assert server.hear(message.encode()) == b"e=channel-binding-not-supported"
    elif ",,m=" in message:
        assert server.hear(message.encode()) == b"e=extensions-not-supported"
    else:
        with pytest.raises(MalformedMessage, match="expected"):
            server.hear(message.encode())
        return
    assert isinstance(server.verdict, Denied)


@pytest.mark.parametrize("message", MALFORMED["client_final"])
def test_a_malformed_final_message_is_refused(message):
    server, right = after_the_challenge()
    attributes = dict(zip("crp", right.decode().split(","), strict=True))
    with pytest.raises(MalformedMessage) if "bla" not in message else until_denied(server):
        server.hear(message.format(**attributes).encode())


class until_denied:  # noqa: N801 - reads like pytest.raises
    def __init__(self, server):
        self.server = server

    def __enter__(self):
        return self

    def __exit__(self, *_):
        assert self.server.verdict == Denied(Denial.MALFORMED, b"e=other-error")


def after_the_challenge(kind=SHA256, **options):
    """A server that waits for the final message, and the right one."""
    server = Server({"tim": keys_of(kind, "sesame")}, kind, **options)
    client = client_of(TIM, kind)
    return server, client.answer(server.hear(client.begin()))


@pytest.mark.parametrize("kind", KINDS.values())
@pytest.mark.parametrize("octets", [0, 1, -1, +1, 65_536])
def test_a_proof_of_another_length_is_refused(kind, octets):
    # As in Odyssey and xdg-go, which copied or mixed in what was longer than it should be.
    server, right = after_the_challenge(kind)
    size = kind.size + octets if abs(octets) == 1 else octets
    for length in {size, octets} - {-1}:
        server, right = after_the_challenge(kind)
        wrong = right[: right.rindex(b",p=") + 3] + b64encode(bytes(length))
        with pytest.raises(MalformedMessage, match=f"a proof of {kind.size} octets" if length else "expected c="):
            server.hear(wrong)


@pytest.mark.parametrize("sloppy", [b"%b=", b" %b", b"%b\n", b"%b===", b"-%b"])
def test_base64_has_one_spelling(sloppy):
    server, right = after_the_challenge()
    with pytest.raises(MalformedMessage):
        server.hear(right[: right.rindex(b",p=") + 3] + sloppy % right[right.rindex(b",p=") + 3 :])


def test_stray_bits_in_a_proof_are_refused():
    server, right = after_the_challenge()
    # 32 octets leave two bits of the last digit over.
    digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    stray = digits[digits.index(right[-2:-1]) | 1 : (digits.index(right[-2:-1]) | 1) + 1]
    assert b64decode(right[-44:]) == b64decode(right[-44:-2] + stray + b"=")
    with pytest.raises(MalformedMessage, match="stray bits"):
        server.hear(right[:-2] + stray + b"=")


def proved(server, unproved, password="sesame", kind=SHA256):
    """A final message whose proof is right for all that is said in it."""
    keys = keys_of(kind, password)
    salted = module.pbkdf2_hmac(kind.algorithm, password.encode(), keys.salt, keys.iterations)
    client_key = digest(salted, b"Client Key", kind.algorithm)
    challenge = server.wants[-1].data
    first = b"n=tim,r=" + NONCE
    signature = digest(keys.stored_key, b"%b,%b,%b" % (first, challenge, unproved), kind.algorithm)
    proof = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
    return unproved + b",p=" + b64encode(proof)


def challenged(**options):
    """A server that has answered the first message of somebody who knows the password; the whole nonce."""
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256, nonce=b"server", **options)
    assert server.hear(b"n,,n=tim,r=" + NONCE).startswith(b"r=" + NONCE + b"server,")
    return server, NONCE + b"server"


def test_the_helper_above_proves_what_is_right():
    server, nonce = challenged()
    server.hear(proved(server, b"c=biws,r=" + nonce))
    assert isinstance(server.verdict, Granted)


@pytest.mark.parametrize("changed", [NONCE, NONCE + b"serve", NONCE + b"serverX", b"server", NONCE + b"Server"])
def test_another_nonce_is_refused_though_its_proof_is_right(changed):
    # Kafka did not look (CVE-2024-56128): what was said once could be said again.
    server, _ = challenged()
    assert server.hear(proved(server, b"c=biws,r=" + changed)) == b"e=other-error"
    assert server.verdict.cause is Denial.MALFORMED


@pytest.mark.parametrize("bound", [b"y,,", b"n,a=root,", b"p=tls-unique,,", b"n,,x", b"n"])
def test_another_header_is_refused_though_its_proof_is_right(bound):
    server, nonce = challenged()
    assert server.hear(proved(server, b"c=%b,r=%b" % (b64encode(bound), nonce))) == b"e=channel-bindings-dont-match"
    assert server.verdict.cause is Denial.BINDING


def test_extensions_that_nobody_must_know_are_let_pass():
    server, nonce = challenged()
    server.hear(proved(server, b"c=biws,r=%b,x=unknown,Y=too" % nonce))
    assert isinstance(server.verdict, Granted)


@pytest.mark.parametrize("unproved", [b"c=biws,r=%b,m=must", b"c=biws,r=%b,x=1,m=must", b"m=must,c=biws,r=%b"])
def test_extensions_that_one_must_know_are_refused(unproved):
    server, nonce = challenged()
    with pytest.raises(MalformedMessage):
        server.hear(proved(server, unproved % nonce))


@pytest.mark.parametrize("nonce", [b"", b"1234567"])
def test_a_client_without_a_nonce_of_its_own_is_refused(nonce):
    # mellium took an empty one (CVE-2022-48195): what was said once could be said again.
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    with pytest.raises(MalformedMessage):
        server.hear(b"n,,n=tim,r=" + nonce)


FLAGS = {
    "n": b"n,,",
    "y": b"y,,",
    "known": b"p=tls-exporter,,",
    "unknown": b"p=tls-unique-for-telnet,,",
}


@pytest.mark.parametrize(
    ("binding", "flag", "expected"),
    [
        (Binding.IMPOSSIBLE, "n", None),
        # It could, and thinks that we cannot: so it is.
        (Binding.IMPOSSIBLE, "y", None),
        (Binding.IMPOSSIBLE, "known", b"e=channel-binding-not-supported"),
        (Binding.IMPOSSIBLE, "unknown", b"e=channel-binding-not-supported"),
        (Binding.OFFERED, "n", None),
        # It could, and has not seen our offer: somebody has taken it away.
        (Binding.OFFERED, "y", b"e=server-does-support-channel-binding"),
        # Clients of Cyrus SASL name the bare mechanism and bind the channel nevertheless.
        (Binding.OFFERED, "known", None),
        (Binding.OFFERED, "unknown", b"e=unsupported-channel-binding-type"),
        (Binding.REQUIRED, "n", "malformed"),
        (Binding.REQUIRED, "y", b"e=server-does-support-channel-binding"),
        (Binding.REQUIRED, "known", None),
        (Binding.REQUIRED, "unknown", b"e=unsupported-channel-binding-type"),
    ],
)
def test_what_the_client_says_of_binding_is_held_against_what_was_offered(binding, flag, expected):
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256, binding=binding)
    message = FLAGS[flag] + b"n=tim,r=" + NONCE
    if expected == "malformed":
        with pytest.raises(MalformedMessage):
            server.hear(message)
    elif expected:
        assert server.hear(message) == expected
        assert server.verdict == Denied(Denial.BINDING, expected)
        # Before anybody is asked who that is.
        assert server.wants == []
    else:
        assert server.hear(message).startswith(b"r=" + NONCE)
        assert isinstance(server.wants[-1], BoundChallenge) is (flag == "known")


KEY = {"tls-exporter": b"the channel's own"}


@pytest.mark.parametrize(
    ("theirs", "granted"),
    [(KEY, True), ({"tls-exporter": b"another's"}, False), ({}, False), ({"tls-unique": KEY["tls-exporter"]}, False)],
)
@pytest.mark.parametrize("binding", [Binding.OFFERED, Binding.REQUIRED])
def test_a_bound_login_is_good_on_its_own_channel_only(binding, theirs, granted):
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256, binding=binding, bindings=theirs)
    client = client_of(replace(TIM, channel=Channel(bindings=KEY)), SHA256, plus=True)
    assert talk(server, client) == (granted, granted)
    if not granted:
        assert server.verdict == Denied(Denial.BINDING, b"e=channel-bindings-dont-match")


def test_a_channel_without_data_binds_nothing():
    nothing = {"tls-exporter": b""}
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256, binding=Binding.REQUIRED, bindings=nothing)
    client = client_of(replace(TIM, channel=Channel(bindings=nothing)), SHA256, plus=True)
    assert talk(server, client) == (False, False)
    assert server.verdict.cause is Denial.BINDING


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


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_stranger_goes_all_the_way(kind):
    # Like PostgreSQL: who is asked for cannot be told from what is answered.
    friend, stranger = Server({"tim": keys_of(kind, "sesame")}, kind), Server({}, kind)
    said = []
    for server in (friend, stranger):
        client = client_of(replace(TIM, password="wrong"), kind)
        said.append([server.hear(client.begin())])
        said[-1].append(server.hear(client.answer(said[-1][0])))
    assert [len(messages) for messages in said] == [2, 2]
    assert len(said[0][0]) == len(said[1][0])
    assert said[0][1] == said[1][1] == b"e=other-error"
    assert friend.verdict == stranger.verdict == Denied(Denial.MISMATCH, b"e=other-error")
    assert [type(want) for want in stranger.wants] == [Lookup, Decoy, Challenge]


def test_a_stranger_is_refused_even_with_the_right_proof_for_what_was_made_up():
    server = Server({}, SHA256)
    client = client_of(replace(TIM, password="nobody knows the password of tim"), SHA256)
    assert talk(server, client) == (False, False)
    assert server.verdict == Denied(Denial.MISMATCH, b"e=other-error")


@pytest.mark.parametrize("altered", [b"c=biws,r=other", b"c=eSws,r=%b"])
def test_a_stranger_with_a_broken_message_is_told_what_anybody_is(altered):
    verdicts = []
    for accounts in ({"tim": keys_of(SHA256, "sesame")}, {}):
        server = Server(accounts, SHA256, nonce=b"server")
        server.hear(b"n,,n=tim,r=" + NONCE)
        unproved = altered.replace(b"%b", NONCE + b"server")
        server.hear(unproved + b",p=" + b64encode(bytes(32)))
        verdicts.append(server.verdict)
    assert verdicts[0] == verdicts[1]


def test_a_client_that_sends_no_first_message_is_asked_for_it():
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    assert server.hear(None) == b""
    client = client_of(TIM, SHA256)
    assert client.begin(initial_response=False) is None
    final = client.answer(server.hear(client.answer(b"")))
    assert client.answer(server.hear(final)) == b""
    client.conclude()


@pytest.mark.parametrize("message", MALFORMED["also_reject_from_rfc5802"]["server_first"])
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
    start = time.perf_counter()
    with pytest.raises(ExchangeError, match="got 2147483647"):
        client.answer(b"r=%bX,s=c2FsdA==,i=2147483647" % NONCE)
    assert time.perf_counter() - start < 0.01


def finish(client, *messages):
    for message in messages:
        client.answer(message)
    client.conclude()


def before_the_last_word():
    """A client that waits for the server's proof, and the right one."""
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    client = client_of(TIM, SHA256)
    return client, server.hear(client.answer(server.hear(client.begin())))


@pytest.mark.parametrize("message", [*MALFORMED["also_reject_from_rfc5802"]["server_final"], "v=%", "right,m=must"])
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
    module._keys.cache_clear()
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


def test_nonces_never_come_again_and_can_be_sent():
    nonces = {new_nonce() for _ in range(1000)}
    assert len(nonces) == 1000
    assert all(len(nonce) >= 24 and nonce.isascii() and b"," not in nonce for nonce in nonces)


def test_acting_as_somebody_else_is_asked_for_and_not_granted_here():
    server = Server({"tim": keys_of(SHA256, "sesame")}, SHA256)
    assert talk(server, client_of(replace(TIM, authzid="a,b=c"), SHA256)) == (True, True)
    assert server.verdict.identity == Identity("tim", "a,b=c")


def test_the_forms_that_bind_are_reached_through_the_bare_name():
    assert [one.name for one in SCRAM_SHA_256.bound] == ["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
    bare, plus, strict = SCRAM_SHA_256, *SCRAM_SHA_256.bound
    downgraded = b"y,,n=tim,r=" + NONCE
    assert isinstance(next(bare.server(downgraded)), Lookup)
    for one in (plus, strict):
        with pytest.raises(StopIteration) as end:
            next(one.server(downgraded))
        assert end.value.value.cause is Denial.BINDING
    assert (bare.properties.words, plus.properties.words) == (("mutual-auth",), ("mutual-auth", "channel-binding"))


def test_no_error_holds_what_was_sent():
    server, right = after_the_challenge()
    proof = right[right.rindex(b",p=") + 3 :]
    with pytest.raises(MalformedMessage) as raised:
        server.hear(right + b"=")
    assert proof.decode() not in str(raised.value)
    client, right = before_the_last_word()
    with pytest.raises(ExchangeError) as raised:
        client.answer(b"v=" + b64encode(bytes(32)))
    assert right[2:].decode() not in str(raised.value)


salts = st.binary(min_size=1, max_size=40)
letters = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)


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
