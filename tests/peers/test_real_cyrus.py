"""Each mechanism with Cyrus SASL: its sample client with our server's side, and our client's side with its sample server."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cyrus import SampleClient, SampleServer, enrol
from known_users import MECHANISMS, REALM, KnownUsers, log_in

from ninsho.sasl import digest_md5
from ninsho.sasl.dialogue import Denial, Denied, Granted, Identity
from ninsho.sasl.exchange import Credentials
from ninsho.sasl.secrets import CramKey, DigestKey, Password

Require = Callable[..., str]

WITH_PASSWORDS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]
WITH_AUTHZID = ["PLAIN", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]
SCRAM = ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"]

USERS = {"u": "p", "a=b,c": '=2C, "quoted" and \\', "田中": "パスワード", "jürgen": "grüße", "nine": "IX"}

users = pytest.mark.parametrize(("user", "password"), USERS.items(), ids=USERS)
# Whether its last words come with the success, or as one more challenge.
endings = pytest.mark.parametrize("ending", [(), ("-l",)], ids=["challenge", "success"])


@pytest.fixture
def client(require: Require, tmp_path: Path) -> Callable[..., SampleClient]:
    program = require("sasl-sample-client")
    return lambda mechanism, *options, **names: SampleClient(program, mechanism, *options, folder=tmp_path, **names)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cyrus")


@pytest.fixture
def server(require: Require, folder: Path) -> Callable[..., SampleServer]:
    program = require("sasl-sample-server")
    if not (folder / "sample.conf").exists():
        enrol(require("saslpasswd2"), folder, USERS)
    return lambda mechanism, *options: SampleServer(program, mechanism, "-u", REALM, *options, folder=folder)


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@users
def test_its_client_logs_in(client: Callable[..., SampleClient], mechanism: str, user: str, password: str) -> None:
    with client(mechanism, username=user, password=password) as program:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], program)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity(user)


@endings
@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@users
def test_we_log_in_to_its_server(
    server: Callable[..., SampleServer], mechanism: str, user: str, password: str, ending: tuple[str, ...]
) -> None:
    with server(mechanism, *ending) as program:
        assert log_in(MECHANISMS[mechanism], Credentials(user, password), program)
        assert program.username == f"{user}@{REALM}"


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@pytest.mark.parametrize(("user", "password"), [("u", "q"), ("nobody", "p"), ("田中", "パスワート")])
def test_its_client_is_refused(client: Callable[..., SampleClient], mechanism: str, user: str, password: str) -> None:
    with client(mechanism, username=user, password=password) as program:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], program)
    assert isinstance(verdict, Denied)
    assert verdict.cause is Denial.MISMATCH


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
@pytest.mark.parametrize(("user", "password"), [("u", "q"), ("nobody", "p"), ("田中", "パスワート")])
def test_its_server_refuses_us(server: Callable[..., SampleServer], mechanism: str, user: str, password: str) -> None:
    with server(mechanism) as program:
        assert not log_in(MECHANISMS[mechanism], Credentials(user, password), program)
    assert "authentication failure" in program.transcript or "user not found" in program.transcript


@pytest.mark.parametrize("mechanism", WITH_AUTHZID)
def test_its_client_acts_as_somebody_else(client: Callable[..., SampleClient], mechanism: str) -> None:
    with client(mechanism, "-u", "a=b,c", username="u", password="p") as program:
        verdict = KnownUsers(USERS).serve(MECHANISMS[mechanism], program)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity("u", "a=b,c")


@pytest.mark.parametrize("mechanism", WITH_AUTHZID)
def test_its_server_reads_whom_we_want_to_act_as(server: Callable[..., SampleServer], mechanism: str) -> None:
    with server(mechanism) as program:
        assert log_in(MECHANISMS[mechanism], Credentials("u", "p", authzid="u"), program)
    with server(mechanism) as program:
        # The password was good, and nobody acts as anybody else there.
        assert not log_in(MECHANISMS[mechanism], Credentials("u", "p", authzid="a=b,c"), program)
        assert "Requested identity not authenticated identity" in program.transcript


@pytest.mark.parametrize("mechanism", SCRAM)
def test_we_prepare_a_password_for_its_server(server: Callable[..., SampleServer], mechanism: str) -> None:
    with server(mechanism) as program:
        assert log_in(MECHANISMS[mechanism], Credentials("nine", "\u2168"), program)


@pytest.mark.parametrize(("mechanism", "kept_as"), [("CRAM-MD5", CramKey), ("DIGEST-MD5", DigestKey)])
@users
def test_a_key_is_as_good_as_its_password(
    client: Callable[..., SampleClient], mechanism: str, kept_as: type, user: str, password: str
) -> None:
    with client(mechanism, username=user, password=password) as program:
        verdict = KnownUsers(USERS, kept_as=kept_as).serve(MECHANISMS[mechanism], program)
    assert isinstance(verdict, Granted)


@pytest.mark.parametrize("kept_as", [Password, DigestKey])
def test_digest_md5_in_a_realm(client: Callable[..., SampleClient], kept_as: type) -> None:
    account = f"u@{REALM}"
    with client("DIGEST-MD5", "-r", REALM, username="u", password="p") as program:
        verdict = KnownUsers({account: "p"}, kept_as=kept_as).serve(digest_md5.with_realms([REALM]), program)
    assert isinstance(verdict, Granted)
    assert verdict.identity.authcid == account


@pytest.mark.parametrize("mechanism", SCRAM)
def test_a_stranger_sees_what_a_wrong_password_sees(client: Callable[..., SampleClient], mechanism: str) -> None:
    spoken = []
    for user in ("u", "nobody"):
        with client(mechanism, username=user, password="q") as program:
            KnownUsers(USERS).serve(MECHANISMS[mechanism], program)
        spoken.append([line[:2] for line in program.transcript.splitlines()])
    assert spoken[0] == spoken[1]


def test_anonymous(client: Callable[..., SampleClient], server: Callable[..., SampleServer]) -> None:
    users = KnownUsers({})
    with client("ANONYMOUS", username="tim@example.org", password="") as program:
        verdict = users.serve(MECHANISMS["ANONYMOUS"], program)
    assert verdict == Granted(Identity("anonymous"))
    assert any("tim@example.org" in remark for remark in users.remarks)
    with server("ANONYMOUS") as program:
        assert log_in(MECHANISMS["ANONYMOUS"], Credentials("tim@example.org"), program)
        assert program.username == f"anonymous@{REALM}"


@pytest.mark.parametrize("authzid", ["", "a=b,c"])
def test_external(client: Callable[..., SampleClient], server: Callable[..., SampleServer], authzid: str) -> None:
    outside = ("-e", "ssf=128,id=u", "-u", authzid)
    with client("EXTERNAL", *outside, username="u", password="") as program:
        assert KnownUsers({}, peer_name="u").serve(MECHANISMS["EXTERNAL"], program) == Granted(Identity("u", authzid))
    with client("EXTERNAL", *outside, username="u", password="") as program:
        verdict = KnownUsers({}).serve(MECHANISMS["EXTERNAL"], program)
    assert isinstance(verdict, Denied)


def test_external_at_its_server(server: Callable[..., SampleServer]) -> None:
    with server("EXTERNAL", "-e", "ssf=128,id=u") as program:
        assert log_in(MECHANISMS["EXTERNAL"], Credentials(), program)
    with server("EXTERNAL", "-e", "ssf=128,id=u") as program:
        assert not log_in(MECHANISMS["EXTERNAL"], Credentials(authzid="somebody else"), program)
