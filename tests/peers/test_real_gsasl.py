"""Each mechanism with GNU SASL: its client with our server's side, and our client's side with its server."""

import subprocess
from collections.abc import Callable

import pytest
from gsasl import GsaslClient, GsaslServer
from known_users import MECHANISMS, REALM, KnownUsers, log_in
from spoken import Refused

from ninsho.sasl import digest_md5
from ninsho.sasl.dialogue import Denial, Denied, Granted, Identity
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys, ScramSha1Keys, ScramSha256Keys

Require = Callable[..., str]

WITH_PASSWORDS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
WITH_AUTHZID = ["PLAIN", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
PREPARED = ["PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256"]

USERS = {
    "u": "p",
    "tim@example.org": "tanstaaf tanstaaf",
    "a=b,c": '=2C, "quoted" and \\',
    "田中": "パスワード",
    "jurgen": "grüße",
    "nine": "IX",
}
BINDINGS = {"tls-exporter": bytes(range(32)), "tls-unique": bytes(range(12))}

users = pytest.mark.parametrize(("user", "password"), USERS.items(), ids=USERS)


@pytest.fixture
def gsasl(require: Require) -> str:
    return require("gsasl")


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@users
def test_its_client_logs_in(gsasl: str, mechanism: str, user: str, password: str) -> None:
    with GsaslClient(gsasl, mechanism, authentication_id=user, password=password) as client:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], client)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity(user)


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@users
def test_we_log_in_to_its_server(gsasl: str, mechanism: str, user: str, password: str) -> None:
    with GsaslServer(gsasl, mechanism, password=password) as server:
        assert log_in(MECHANISMS[mechanism], Credentials(user, password), server)


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@pytest.mark.parametrize(("user", "password"), [("u", "q"), ("nobody", "p"), ("田中", "パスワート")])
def test_its_client_is_refused(gsasl: str, mechanism: str, user: str, password: str) -> None:
    with GsaslClient(gsasl, mechanism, authentication_id=user, password=password) as client:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], client)
    assert isinstance(verdict, Denied)
    assert verdict.cause is Denial.MISMATCH


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@pytest.mark.parametrize(("right", "wrong"), [("p", "q"), ("パスワード", "パスワート")])
def test_its_server_refuses_us(gsasl: str, mechanism: str, right: str, wrong: str) -> None:
    with GsaslServer(gsasl, mechanism, password=right) as server:
        assert not log_in(MECHANISMS[mechanism], Credentials("u", wrong), server)
    assert "Error authenticating user" in server.transcript


@pytest.mark.parametrize("mechanism", WITH_AUTHZID)
def test_its_client_acts_as_somebody_else(gsasl: str, mechanism: str) -> None:
    names = {"authentication_id": "u", "authorization_id": "a=b,c"}
    with GsaslClient(gsasl, mechanism, password="p", **names) as client:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], client)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity("u", "a=b,c")


@pytest.mark.parametrize("mechanism", WITH_AUTHZID)
def test_we_act_as_somebody_else_at_its_server(gsasl: str, mechanism: str) -> None:
    with GsaslServer(gsasl, mechanism, password="p") as server:
        assert log_in(MECHANISMS[mechanism], Credentials("u", "p", authzid="a=b,c"), server)


@pytest.mark.parametrize("mechanism", PREPARED)
def test_its_client_prepares_a_password_as_we_do(gsasl: str, mechanism: str) -> None:
    with GsaslClient(gsasl, mechanism, authentication_id="nine", password="\u2168") as client:
        assert isinstance(KnownUsers(USERS).serve(MECHANISMS[mechanism], client), Granted)


@pytest.mark.parametrize("mechanism", SCRAM)
def test_its_server_prepares_a_password_as_we_do(gsasl: str, mechanism: str) -> None:
    with GsaslServer(gsasl, mechanism, password="IX") as server:
        assert log_in(MECHANISMS[mechanism], Credentials("nine", "\u2168"), server)


@pytest.mark.parametrize(("mechanism", "kept_as"), [("CRAM-MD5", CramKey), ("DIGEST-MD5", DigestKey)])
@pytest.mark.parametrize(("user", "password"), [(name, USERS[name]) for name in ("u", "a=b,c", "田中", "jurgen")])
def test_a_key_is_as_good_as_its_password(gsasl: str, mechanism: str, kept_as: type, user: str, password: str) -> None:
    with GsaslClient(gsasl, mechanism, authentication_id=user, password=password) as client:
        assert isinstance(KnownUsers(USERS, kept_as=kept_as).serve(MECHANISMS[mechanism], client), Granted)


@pytest.mark.parametrize("kept_as", [Password, DigestKey])
def test_digest_md5_in_a_realm(gsasl: str, kept_as: type) -> None:
    mechanism = digest_md5.with_realms([REALM])
    account = f"u@{REALM}"
    with GsaslClient(gsasl, "DIGEST-MD5", authentication_id="u", password="p", realm=REALM) as client:
        verdict = KnownUsers({account: "p"}, kept_as=kept_as).serve(mechanism, client)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity(account)
    with GsaslServer(gsasl, "DIGEST-MD5", password="p", realm=REALM) as server:
        assert log_in(mechanism, Credentials(account, "p"), server)


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_stranger_sees_what_a_wrong_password_sees(gsasl: str, mechanism: str) -> None:
    spoken = []
    for user in ("u", "nobody"):
        with GsaslClient(gsasl, mechanism, authentication_id=user, password="q") as client:
            KnownUsers(USERS).serve(MECHANISMS[mechanism], client)
        spoken.append([line[0] for line in client.transcript.splitlines()])
    assert spoken[0] == spoken[1]


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_its_client_binds_the_channel(gsasl: str, mechanism: str, binding: str) -> None:
    def verdict(data: bytes) -> Granted | Denied:
        options = {"authentication_id": "u", "password": "p", "binding": (binding, data)}
        with GsaslClient(gsasl, f"{mechanism}-PLUS", **options) as client:
            return KnownUsers(USERS, bindings=BINDINGS).serve(MECHANISMS[f"{mechanism}-PLUS"], client)

    assert isinstance(verdict(BINDINGS[binding]), Granted)
    # Somebody in between has a channel with each of us.
    elsewhere = verdict(bytes(12))
    assert isinstance(elsewhere, Denied)
    assert elsewhere.cause is Denial.BINDING


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("mechanism", SCRAM)
def test_we_bind_the_channel_to_its_server(gsasl: str, mechanism: str, binding: str) -> None:
    data = BINDINGS[binding]
    for seen, expected in ((data, True), (bytes(12), False)):
        credentials = Credentials("u", "p", channel=Channel(bindings={binding: seen}, plus_offered=True))
        with GsaslServer(gsasl, f"{mechanism}-PLUS", password="p", binding=(binding, data)) as server:
            assert log_in(MECHANISMS[f"{mechanism}-PLUS"], credentials, server) is expected


def test_a_server_that_does_not_know_the_password_is_not_believed(gsasl: str) -> None:
    users = KnownUsers({"u": "another"})
    with GsaslClient(gsasl, "SCRAM-SHA-256", authentication_id="u", password="p") as client:
        dialogue = MECHANISMS["SCRAM-SHA-256"].server(client.begin())
        lookup = dialogue.send(users.answer(next(dialogue)))
        challenge = dialogue.send(users.answer(lookup)).data
        client.answer(challenge)
        with pytest.raises(Refused):
            client.conclude(b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")


def test_its_client_in_latin_letters(gsasl: str) -> None:
    """It digests the password in ISO 8859-1, and the user name in UTF-8."""
    with GsaslClient(gsasl, "DIGEST-MD5", authentication_id="jürgen", password="grüße") as client:
        verdict = KnownUsers({"jürgen": "grüße"}).serve(MECHANISMS["DIGEST-MD5"], client)
    assert isinstance(verdict, Granted)


@pytest.mark.parametrize("token", ["tim@example.org", "田中"])
def test_its_client_is_a_guest(gsasl: str, token: str) -> None:
    users = KnownUsers({})
    with GsaslClient(gsasl, "ANONYMOUS", anonymous_token=token) as client:
        assert users.serve(MECHANISMS["ANONYMOUS"], client) == Granted(Identity("anonymous"))
    assert token in users.remarks


@pytest.mark.parametrize("authzid", ["", "a=b,c"])
def test_its_client_is_known_by_its_connection(gsasl: str, authzid: str) -> None:
    users = KnownUsers({}, peer_name="u")
    with GsaslClient(gsasl, "EXTERNAL", authorization_id=authzid) as client:
        assert users.serve(MECHANISMS["EXTERNAL"], client) == Granted(Identity("u", authzid))


@pytest.mark.parametrize(("mechanism", "kind"), [("SCRAM-SHA-1", ScramSha1Keys), ("SCRAM-SHA-256", ScramSha256Keys)])
def test_the_keys_that_it_makes_are_ours(gsasl: str, mechanism: str, kind: type[ScramKeys]) -> None:
    command = [gsasl, "--mkpasswd", f"--mechanism={mechanism}", "--password=IX", "--iteration-count=4096"]
    made = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    keys = kind.parse(made.removeprefix(f"{{{mechanism}}}"))
    assert keys == kind.of(b"IX", salt=keys.salt, iterations=keys.iterations)
