"""Our mechanisms against other people's: scramp for SCRAM, pysasl for PLAIN, LOGIN and CRAM-MD5; each both ways."""

from functools import partial
from unicodedata import ucd_3_2_0

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pysasl.creds.client import ClientCredentials
from pysasl.identity import ClearIdentity
from pysasl.mechanism import ChallengeResponse, ServerChallenge
from pysasl.mechanism.crammd5 import CramMD5Mechanism
from pysasl.mechanism.login import LoginMechanism
from pysasl.mechanism.plain import PlainMechanism
from pysasl.prep import noprep
from scramp import ScramClient, ScramException, ScramMechanism

from ninsho.errors import ExchangeError
from ninsho.sasl.cram_md5 import CRAM_MD5
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Granted, Identity, Lookup, Verify
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.login import LOGIN
from ninsho.sasl.plain import PLAIN
from ninsho.sasl.scram import Binding
from ninsho.sasl.secrets import Password
from ninsho.text import prepare_username, saslprep
from scram_talk import KINDS, Server, client_of

# What Unicode 3.2 has and RFC 3454 lets stand. Not U+200B, which is in two of its tables: scramp and pysasl take it
# away; we, libidn and PostgreSQL make it a space.
UNFIT = {"Cn", "Cc", "Co", "Cs", "Zl", "Zp"}
characters = [chr(code) for code in range(0x10000) if ucd_3_2_0.category(chr(code)) not in UNFIT and code != 0x200B]
texts = st.text(characters, min_size=1, max_size=20) | st.text("=,2C3D a\u00c5\u2168", min_size=1, max_size=8)
nonces = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=","), min_size=8, max_size=40)
salts = st.binary(min_size=12, max_size=40)
bindings = st.none() | st.tuples(st.sampled_from(["tls-unique", "tls-server-end-point"]), st.binary(min_size=1))


@st.composite
def prepared(draw, strategy=texts):
    """A text that may be stored, and what it is stored as."""
    text = draw(strategy)
    try:
        stored = saslprep(text, stored=True)
    except ValueError:
        assume(False)
    assume(stored and "\0" not in text)
    return text, stored


@pytest.fixture(scope="module", params=KINDS.values(), ids=KINDS)
def kind(request):
    return request.param


def theirs(kind, plus):
    return ScramMechanism(f"{kind.name}-PLUS" if plus else kind.name)


def flags(binding, plus):
    """What of channel binding our client is told: the data, and whether -PLUS was offered."""
    return Channel(bindings=dict([binding]) if binding else {}, plus_offered=plus)


def scramps_keys(kind, password, salt):
    """What scramp stores of *password*; its mechanisms have a lowest number of iterations each."""
    return theirs(kind, plus=False).make_auth_info(password, salt=salt)


@settings(max_examples=30)  # each computes two passwords, as long as scramp asks for
@given(username=prepared(), password=prepared(), wrong=prepared(), nonce=nonces, salt=salts, binding=bindings)
def test_our_client_logs_in_to_scramp(kind, username, password, wrong, nonce, salt, binding):  # noqa: PLR0913, PLR0917 - all that may differ
    plus = binding is not None
    stored = scramps_keys(kind, password[0], salt)
    asked = []
    for typed in (password, wrong):
        server = theirs(kind, plus).make_server(
            lambda name: asked.append(name) or stored, channel_binding=binding, s_nonce=nonce
        )
        credentials = Credentials(username[0], typed[0], channel=flags(binding, plus))
        client = client_of(credentials, kind, plus=plus, nonce=nonce.encode())
        server.set_client_first(client.begin().decode())
        assert asked[-1] == username[1]
        final = client.answer(server.get_server_first().encode()).decode()
        if typed[1] == password[1]:
            server.set_client_final(final)
            assert client.answer(server.get_server_final().encode()) == b""
            client.conclude()
        else:
            with pytest.raises(ScramException, match="client keys don't match"):
                server.set_client_final(final)
            client.answer(server.get_server_final().encode())
            with pytest.raises(ExchangeError, match="after an error"):
                client.conclude()


@settings(max_examples=30)  # each computes two passwords, as long as scramp asks for
@given(username=prepared(), password=prepared(), wrong=prepared(), nonce=nonces, salt=salts, binding=bindings)
def test_scramps_client_logs_in_to_us(kind, username, password, wrong, nonce, salt, binding):  # noqa: PLR0913, PLR0917 - all that may differ
    plus = binding is not None
    salt, stored_key, server_key, iterations = scramps_keys(kind, password[0], salt)
    keys = kind.of(password[1].encode(), salt=salt, iterations=iterations)
    assert keys == kind(iterations, salt, stored_key, server_key)
    for typed in (password, wrong):
        server = Server(
            {prepare_username(username[0].encode()): keys},
            kind,
            binding=Binding.REQUIRED if plus else Binding.IMPOSSIBLE,
            bindings=dict([binding]) if plus else {},
            nonce=nonce.encode(),
        )
        client = ScramClient([theirs(kind, plus).name], username[0], typed[0], binding, c_nonce=nonce)
        client.set_server_first(server.hear(client.get_client_first().encode()).decode())
        final = server.hear(client.get_client_final().encode()).decode()
        if typed[1] == password[1]:
            client.set_server_final(final)
            assert server.verdict.identity == Identity(username[1])
        else:
            with pytest.raises(ScramException, match="other-error"):
                client.set_server_final(final)
            assert server.verdict.cause is Denial.MISMATCH


def test_scramps_client_that_could_bind_meets_one_of_ours_that_could_not(kind):
    keys = kind.of(b"sesame", iterations=4096)
    for binding, granted in ((Binding.IMPOSSIBLE, True), (Binding.OFFERED, False)):
        server = Server({"tim": keys}, kind, binding=binding)
        # Told of the channel, and using the bare name, it says "y".
        client = ScramClient([kind.name], "tim", "sesame", ("tls-unique", b"finished"))
        first = server.hear(client.get_client_first().encode()).decode()
        if not granted:
            assert first == "e=server-does-support-channel-binding"
            continue
        client.set_server_first(first)
        client.set_server_final(server.hear(client.get_client_final().encode()).decode())
        assert isinstance(server.verdict, Granted)


def test_scramp_meets_a_client_of_ours_that_could_bind(kind):
    stored = scramps_keys(kind, "sesame", None)
    credentials = Credentials("tim", "sesame", channel=Channel(bindings={"tls-unique": b"finished"}))
    first = client_of(credentials, kind).begin().decode()
    theirs(kind, plus=False).make_server(lambda _: stored).set_client_first(first)
    bound = theirs(kind, plus=True).make_server(lambda _: stored, channel_binding=("tls-unique", b"finished"))
    with pytest.raises(ScramException, match="in fact it does"):
        bound.set_client_first(first)


@given(one=st.binary(min_size=1), other=st.binary(min_size=1))
def test_another_channel_is_refused_both_ways(kind, one, other):
    assume(one != other)
    keys = kind.of(b"sesame", iterations=1)
    server = Server({"tim": keys}, kind, binding=Binding.REQUIRED, bindings={"tls-unique": other})
    credentials = Credentials("tim", "sesame", channel=Channel(bindings={"tls-unique": one}), iterations=(1, 1))
    client = client_of(credentials, kind, plus=True)
    assert server.hear(client.answer(server.hear(client.begin()))) == b"e=channel-bindings-dont-match"

    stored = keys.salt, keys.stored_key, keys.server_key, 4096
    scramps = theirs(kind, plus=True).make_server(lambda _: stored, channel_binding=("tls-unique", other))
    client = client_of(Credentials("tim", "sesame", channel=credentials.channel), kind, plus=True)
    scramps.set_client_first(client.begin().decode())
    with pytest.raises(ScramException, match="bindings don't match"):
        scramps.set_client_final(client.answer(scramps.get_server_first().encode()).decode())


PAIRS = [(PLAIN, PlainMechanism()), (LOGIN, LoginMechanism()), (CRAM_MD5, CramMD5Mechanism())]
pairs = pytest.mark.parametrize(("ours", "pysasls"), PAIRS, ids=[ours.name for ours, _ in PAIRS])


def words(text):
    return not set(text) & {"\0", "\n", "\r"}


@pairs
@given(username=prepared(), password=prepared(texts.filter(words)), wrong=prepared(texts.filter(words)))
def test_our_client_logs_in_to_pysasl(ours, pysasls, username, password, wrong):
    # CRAM-MD5's servers of pysasl compare with what was stored, unprepared.
    account = ClearIdentity(username[0], password[0], prepare=noprep)
    for typed in (password, wrong):
        client = Exchange(ours.client(Credentials(username[0], typed[0])))
        response, said = client.begin(), []
        if response is not None:
            said.append(ChallengeResponse(b"", response))
        found = attempted(partial(pysasls.server_attempt, said), said, client)
        assert found.authcid == username[0]
        assert found.verify(account) == (typed[0] == password[0])
        client.conclude()


def attempted(attempt, said, client):
    """Let pysasl's server ask until it knows the credentials."""
    for _ in range(3):
        try:
            found, last_words = attempt()
        except ServerChallenge as challenge:
            said.append(ChallengeResponse(challenge.data, client.answer(challenge.data)))
        else:
            assert last_words is None
            return found
    pytest.fail("pysasl does not stop asking")


@pairs
@given(username=prepared(), password=prepared(texts.filter(words)), wrong=prepared(texts.filter(words)))
def test_pysasls_client_logs_in_to_us(ours, pysasls, username, password, wrong):
    # CRAM-MD5's clients of pysasl prepare, with today's Unicode: what is the same either way is enough here.
    if ours is CRAM_MD5:
        assume(all(text == stored for text, stored in (username, password, wrong)))
    for typed in (password, wrong):
        verdict = logged_in(ours, pysasls, ClientCredentials(username[0], typed[0]), password[0])
        right = typed[0] == password[0]
        assert verdict == (Granted(Identity(username[1])) if right else Denied(Denial.MISMATCH))


def logged_in(ours, pysasls, credentials, password):
    """The verdict of our server about pysasl's client."""
    # Where the client goes first, that is its initial response.
    first = pysasls.client_attempt(credentials, []).response if ours is PLAIN else None
    dialogue, challenges, answer = ours.server(first), [], None
    while True:
        try:
            want = dialogue.send(answer)
        except StopIteration as end:
            return end.value
        match want:
            case Challenge(data):
                challenges.append(ServerChallenge(data))
                answer = pysasls.client_attempt(credentials, challenges).response
            case Verify(_, said):
                answer = said == password
            case Lookup():
                answer = Password(password.encode())
