"""Our client's side against a real Dovecot, and Dovecot's own client against our server."""

import json
import subprocess
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import closing
from hmac import digest
from itertools import count
from pathlib import Path

import pytest
from dovecot import ThrowawayDovecot
from known_users import MECHANISMS as KNOWN

from ninsho.cli.auth.client import Client, connect
from ninsho.cli.auth.login import authenticate, shake_hands
from ninsho.sasl.exchange import Credentials
from ninsho.sasl.secrets import CramKey, DigestKey, ScramSha1Keys, ScramSha256Keys
from ninsho.wire.dovecot.replies import Fail, Ok
from running import NINSHO, Server

Require = Callable[..., str]

USERS = "u:{PLAIN}tanstaaftanstaaf\nAli Baba:{PLAIN}Open, Sesame\n"
MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5"]


WITH_PASSWORDS = ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
WITH_TOKENS = ["OAUTHBEARER", "XOAUTH2"]
PASSWORD = "tanstaaf=, パスワード"
TOKEN_KEY = bytes(range(32))
OTHER_KEY = bytes(32)

# What Dovecot has of each password: its own form, or one that we have made.
STORED = {
    "u": f"{{PLAIN}}{PASSWORD}",
    "cram": f"{{CRAM-MD5}}{CramKey.of(PASSWORD.encode()).hex()}",
    "digest": f"{{DIGEST-MD5}}{DigestKey.of('digest', '', PASSWORD).hash.hex()}",
    "scram1": f"{{SCRAM-SHA-1}}{ScramSha1Keys.of(PASSWORD.encode(), iterations=4096).encode()}",
    "scram256": f"{{SCRAM-SHA-256}}{ScramSha256Keys.of(PASSWORD.encode(), iterations=4096).encode()}",
    "certified": "{PLAIN}::::::nopassword=y",
}

# A client tells a number of its own, and Dovecot has each once.
CLIENTS = count(1_000)

# Whether last words come in CONT, or with OK.
endings = pytest.mark.parametrize("last", [{}, {"final-resp-ok": ""}], ids=["cont", "ok"])


@pytest.fixture(scope="module")
def every(require: Require) -> Iterator[ThrowawayDovecot]:
    """Dovecot with all of its mechanisms that are ours too."""
    require("dovecot", root=True)
    with ThrowawayDovecot(
        "".join(f"{user}:{stored}\n" for user, stored in STORED.items()),
        mechanisms=[*WITH_PASSWORDS, *WITH_TOKENS, "ANONYMOUS", "EXTERNAL"],
        token_key=TOKEN_KEY,
        auth_anonymous_username="guest",
        auth_ssl_username_from_cert="yes",
    ) as program:
        yield program


def log_in(
    dovecot: ThrowawayDovecot, mechanism: str, credentials: Credentials, parameters: dict[str, str]
) -> Ok | Fail:
    with closing(connect(str(dovecot.socket))) as connection:
        client = Client(connection)
        offered = client.run(shake_hands(next(CLIENTS)))
        assert mechanism in offered
        return client.run(authenticate(KNOWN[mechanism], credentials, {"service": "smtp", **parameters}))


@endings
@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
def test_each_mechanism_logs_in(every: ThrowawayDovecot, mechanism: str, last: dict[str, str]) -> None:
    outcome = log_in(every, mechanism, Credentials("u", PASSWORD), last)
    assert isinstance(outcome, Ok)
    assert outcome.parameters["user"] == "u"


@pytest.mark.parametrize("mechanism", WITH_PASSWORDS)
def test_each_mechanism_is_refused(every: ThrowawayDovecot, mechanism: str) -> None:
    assert isinstance(log_in(every, mechanism, Credentials("u", f"{PASSWORD}!"), {}), Fail)


@pytest.mark.parametrize(
    ("mechanism", "user"),
    [
        ("CRAM-MD5", "cram"),
        ("DIGEST-MD5", "digest"),
        ("SCRAM-SHA-1", "scram1"),
        ("SCRAM-SHA-256", "scram256"),
        ("PLAIN", "cram"),
        ("PLAIN", "scram1"),
        ("PLAIN", "scram256"),
    ],
)
def test_dovecot_reads_the_forms_that_we_make(every: ThrowawayDovecot, mechanism: str, user: str) -> None:
    assert isinstance(log_in(every, mechanism, Credentials(user, PASSWORD), {}), Ok)
    assert isinstance(log_in(every, mechanism, Credentials(user, f"{PASSWORD}!"), {}), Fail)


def test_a_guest_logs_in(every: ThrowawayDovecot) -> None:
    outcome = log_in(every, "ANONYMOUS", Credentials("tim@example.org"), {})
    assert isinstance(outcome, Ok)
    assert outcome.parameters["user"] == "guest"


@pytest.mark.parametrize("authzid", ["", "certified"])
def test_a_certificate_logs_in(every: ThrowawayDovecot, authzid: str) -> None:
    certificate = {"secured": "", "valid-client-cert": "", "cert_username": "certified"}
    outcome = log_in(every, "EXTERNAL", Credentials(authzid=authzid), certificate)
    assert isinstance(outcome, Ok)
    assert outcome.parameters["user"] == "certified"


def test_no_certificate_is_refused(every: ThrowawayDovecot) -> None:
    assert isinstance(log_in(every, "EXTERNAL", Credentials(), {"secured": ""}), Fail)


def token(key: bytes, **claims: object) -> str:
    """A JSON web token that *key* has signed (RFC 7515)."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "u", "iat": now - 60, "exp": now + 600, **claims})
    signed = ".".join(base64url(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{base64url(digest(key, signed.encode(), 'sha256'))}"


def base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@endings
@pytest.mark.parametrize("mechanism", WITH_TOKENS)
def test_a_token_logs_in(every: ThrowawayDovecot, mechanism: str, last: dict[str, str]) -> None:
    outcome = log_in(every, mechanism, Credentials("u", token=token(TOKEN_KEY)), last)
    assert isinstance(outcome, Ok)
    assert outcome.parameters["user"] == "u"


@endings
@pytest.mark.parametrize("mechanism", WITH_TOKENS)
@pytest.mark.parametrize("bad", [token(OTHER_KEY), token(TOKEN_KEY, exp=1), "nonsense"], ids=["forged", "old", "none"])
def test_a_bad_token_is_refused(every: ThrowawayDovecot, mechanism: str, last: dict[str, str], bad: str) -> None:
    assert isinstance(log_in(every, mechanism, Credentials("u", token=bad), last), Fail)


@pytest.fixture
def dovecot(require: Require) -> Iterator[ThrowawayDovecot]:
    require("dovecot", root=True)
    with ThrowawayDovecot(USERS, mechanisms=MECHANISMS, auth_username_chars="", auth_username_format="%u") as program:
        yield program


def auth_test(*arguments: str, password: str) -> subprocess.CompletedProcess[str]:
    command = [*NINSHO, "auth", "test", *arguments, "--password-stdin"]
    return subprocess.run(command, input=password, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize(("user", "password"), [("u", "tanstaaftanstaaf"), ("Ali Baba", "Open, Sesame")])
def test_our_client_logs_in_to_dovecot(dovecot: ThrowawayDovecot, mechanism: str, user: str, password: str) -> None:
    done = auth_test(user, "--socket", str(dovecot.socket), "--mechanism", mechanism, "--verbose", password=password)
    assert done.returncode == 0, done.stdout + done.stderr
    assert password not in done.stdout + done.stderr


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_our_client_tells_dovecots_refusal(dovecot: ThrowawayDovecot, mechanism: str) -> None:
    done = auth_test("u", "--socket", str(dovecot.socket), "--mechanism", mechanism, password="sesame")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "sesame" not in done.stdout + done.stderr


def test_our_client_says_that_nobody_listens(tmp_path: Path) -> None:
    done = auth_test("u", "--socket", str(tmp_path / "nothing"), password="p")
    assert done.returncode == 69
    assert "nothing" in done.stderr


def test_dovecots_client_logs_in_to_our_server(require: Require, tmp_path: Path) -> None:
    doveadm = require("doveadm", root=True)
    (tmp_path / "users").write_text(USERS)
    (tmp_path / "dovecot.conf").write_text(f"base_dir = {tmp_path}\nlog_path = {tmp_path}/log\nprotocols =\nssl = no\n")
    config = (
        '[failure]\ndelay = "0s"\n[[listen]]\nunix = "auth.sock"\n[[store]]\ntype = "passwd-file"\npath = "users"\n'
    )
    with Server(tmp_path, config):
        for password, status in (("tanstaaftanstaaf", 0), ("wrong", 77)):
            command = [doveadm, "-c", str(tmp_path / "dovecot.conf"), "auth", "test", "-a", str(tmp_path / "auth.sock")]
            done = subprocess.run([*command, "u", password], capture_output=True, text=True, check=False, timeout=30)
            assert done.returncode == status, done.stdout + done.stderr
            assert ("auth succeeded" if status == 0 else "auth failed") in done.stdout
