"""SCRAM's server: each rule by which it refuses a client."""

from base64 import b64decode, b64encode
from dataclasses import replace
from hmac import digest

import pytest

from ninsho.errors import MalformedMessage
from ninsho.sasl import scram as module
from ninsho.sasl.dialogue import BoundChallenge, Challenge, Decoy, Denial, Denied, Derive, Granted, Identity, Lookup
from ninsho.sasl.exchange import Channel
from ninsho.sasl.scram import SCRAM_SHA_256, Binding, new_nonce, scram
from ninsho.sasl.secrets import Password
from scram_talk import KEY, KINDS, NONCE, SHA256, TIM, VECTORS, Server, client_of, keys_of, talk

MALFORMED = VECTORS["scram_malformed"]


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
    assert (
        [type(want) for want in stranger.wants] == [type(want) for want in friend.wants] == [Decoy, Lookup, Challenge]
    )


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
    assert isinstance(next(bare.server(downgraded)), Decoy)
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


@pytest.mark.parametrize("kind", KINDS.values())
def test_a_password_that_is_itself_stored_gets_its_keys_when_there_is_a_proof_to_check(kind):
    made = []

    def server(password):
        dialogue = scram(b"n,,n=tim,r=" + NONCE, kind=kind, nonce=lambda: b"server")
        decoy = keys_of(kind, "nobody's", b"the decoy's salt")
        assert isinstance(next(dialogue), Decoy)
        assert isinstance(dialogue.send(decoy), Lookup)
        challenge = dialogue.send(Password(b"sesame")).data
        assert challenge == b"r=" + NONCE + b"server,s=" + b64encode(b"the decoy's salt") + b",i=1"
        client = client_of(replace(TIM, password=password), kind, nonce=NONCE)
        client.begin()
        want = dialogue.send(client.answer(challenge))
        assert isinstance(want, Derive)
        made.append(want.form.of(want.password.text, salt=want.form.salt, iterations=want.form.iterations))
        with pytest.raises(StopIteration) as end:
            dialogue.send(made[-1])
        return end.value.value

    assert isinstance(server("sesame"), Granted)
    assert server("wrong") == Denied(Denial.MISMATCH, b"e=other-error")


@pytest.mark.parametrize("size", [7, 1025, 9000])
def test_a_nonce_that_is_too_short_or_too_long_is_refused(size):
    with pytest.raises(MalformedMessage, match=f"expected a nonce of 8 to 1024 characters, got {size}"):
        next(scram(b"n,,n=tim,r=" + b"x" * size, kind=SHA256))
