"""DIGEST-MD5 with programs that put its realms, names and charsets together in ways of their own."""

import socket
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Self

import pytest
from cyrus import SampleClient
from dovecot import ThrowawayDovecot
from known_users import REALM, KnownUsers, log_in
from spoken import PATIENCE, Refused

from ninsho.sasl.dialogue import Denial, Denied, Granted, Identity
from ninsho.sasl.digest_md5 import DIGEST_MD5, with_realms
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.secrets import DigestKey, Password
from running import Client

Require = Callable[..., str]
Submitter = Callable[..., "SmtpClient"]

PASSWORD = 'tanst"a\\a,f=日本'
KEY = DigestKey.of("keyed", "example.com", PASSWORD).hash.hex()
USERS = f"""\
tim:{{PLAIN}}{PASSWORD}
tim@example.com:{{PLAIN}}{PASSWORD}
keyed@example.com:{{DIGEST-MD5}}{KEY}
łukasz@example.com:{{PLAIN}}{PASSWORD}
"""


class Accounts(KnownUsers):
    """Each account's key is of its name in the realm that is its domain, as Dovecot stores it."""

    def kept(self, username: str, kind: type) -> object:
        name, _, domain = username.partition("@")
        password = self.passwords[username]
        return DigestKey.of(name, domain, password) if kind is DigestKey else super().kept(username, kind)


# Dovecot's server


class DovecotServer:
    """Dovecot's server, which we log in to."""

    def __init__(self, dovecot: ThrowawayDovecot) -> None:
        self._client = Client(dovecot.socket, minor=1)
        self.user = ""

    def begin(self, mechanism: str, response: bytes | None) -> bytes | None:
        assert response is None
        return self._read(self._client.ask(f"AUTH\t1\t{mechanism}\tservice=smtp"))

    def answer(self, response: bytes) -> bytes | None:
        return self._read(self._client.ask(f"CONT\t1\t{b64encode(response).decode()}"))

    def _read(self, line: bytes) -> bytes | None:
        match line.decode().split("\t"):
            case ["CONT", "1", challenge]:
                return b64decode(challenge)
            case ["OK", "1", user, *_]:
                self.user = user.removeprefix("user=")
                return None
        raise Refused(line.decode())

    def last_words(self) -> bytes | None:
        return None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.socket.close()


@pytest.fixture
def dovecot(require: Require, request: pytest.FixtureRequest) -> Iterator[ThrowawayDovecot]:
    require("dovecot", root=True)
    settings = {"auth_username_chars": "", "auth_realms": request.param}
    with ThrowawayDovecot(USERS, mechanisms=["DIGEST-MD5"], **settings) as program:
        yield program


WITHOUT_REALM = ["tim", "tim@example.com", "łukasz@example.com"]
IN_REALMS = ["tim@example.com", "keyed@example.com", "łukasz@example.com"]


@pytest.mark.parametrize(
    ("dovecot", "users"),
    [("", WITHOUT_REALM), ("example.com", IN_REALMS), ("example.org example.com", IN_REALMS)],
    indirect=["dovecot"],
    ids=["no realm", "one realm", "two realms"],
)
def test_we_log_in_to_dovecot(dovecot: ThrowawayDovecot, users: list[str]) -> None:
    channel = Channel(host="mail.example.com")
    for user in users:
        with DovecotServer(dovecot) as server:
            assert log_in(DIGEST_MD5, Credentials(user, PASSWORD, channel=channel), server), user
            assert server.user == user


@pytest.mark.parametrize("dovecot", [""], indirect=True)
def test_dovecot_refuses_us(dovecot: ThrowawayDovecot) -> None:
    with DovecotServer(dovecot) as server:
        assert not log_in(DIGEST_MD5, Credentials("tim", "sesame"), server)


# Cyrus's client, which takes the host for a realm where it is offered none or more than one


@pytest.mark.parametrize(
    ("realms", "username", "known"),
    [
        ([""], "tim", Accounts({"tim": PASSWORD})),
        ([""], "tim@example.com", Accounts({"tim@example.com": PASSWORD})),
        ([REALM], "tim", Accounts({f"tim@{REALM}": PASSWORD})),
        ([REALM], "tim", Accounts({f"tim@{REALM}": PASSWORD}, kept_as=DigestKey)),
        ([REALM], f"tim@{REALM}", Accounts({f"tim@{REALM}": PASSWORD})),
        (["example.com", REALM], "tim", Accounts({f"tim@{REALM}": PASSWORD}, kept_as=DigestKey)),
    ],
)
def test_cyrus_logs_in(require: Require, tmp_path: Path, realms: list[str], username: str, known: Accounts) -> None:
    program = require("sasl-sample-client")
    with SampleClient(program, "DIGEST-MD5", username=username, password=PASSWORD, folder=tmp_path) as client:
        verdict = known.serve(with_realms(realms), client)
    assert isinstance(verdict, Granted)
    # It names itself as the authzid as well.
    assert [verdict.identity.authcid] == [*known.passwords]


# Clients that log in by SMTP


class SmtpClient:
    """A program that submits mail, or would; its *command* is given the port to connect to in place of ``{port}``."""

    def __init__(self, command: Sequence[str], said: str = "") -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(PATIENCE)
            port = str(listener.getsockname()[1])
            command = [word.replace("{port}", port) for word in command]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            self._process.stdin.write(said.encode())
            self._process.stdin.close()
            self._socket = listener.accept()[0]
        self._socket.settimeout(PATIENCE)
        self._lines = self._socket.makefile("rb")

    def begin(self) -> bytes | None:
        assert self._say("220 mail.example.com ESMTP").startswith("EHLO ")
        line = self._say("250-mail.example.com\r\n250 AUTH DIGEST-MD5")
        assert line == "AUTH DIGEST-MD5"

    def answer(self, challenge: bytes) -> bytes:
        line = self._say(f"334 {b64encode(challenge).decode()}")
        if line == "*":
            raise Refused("it gives up")
        return b64decode(line, validate=True)

    def conclude(self, data: bytes | None) -> None:
        assert data is not None
        assert self.answer(data) == b""
        assert self._say("235 2.7.0 welcome") in {"NOOP", "QUIT"}

    def _say(self, text: str) -> str:
        self._socket.sendall(text.encode() + b"\r\n")
        return self._lines.readline().decode().rstrip("\r\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._socket.close()
        self._process.wait(PATIENCE)


def curl(require: Require, user: str, password: str) -> SmtpClient:
    """It says nothing of charsets, and takes the first realm, for the host as well."""
    quoted = f"{user}:{password}".replace("\\", "\\\\").replace('"', '\\"')
    options = ["--silent", "--login-options", "AUTH=DIGEST-MD5", "--config", "-", "--request", "NOOP"]
    return SmtpClient([require("curl"), *options, "smtp://127.0.0.1:{port}"], f'user = "{quoted}"\n')


def swaks(require: Require, user: str, password: str) -> SmtpClient:
    """It speaks through Perl's Authen::SASL, which has to have its digests."""
    if subprocess.run([require("perl"), "-MDigest::HMAC_MD5", "-e", "1"], check=False, capture_output=True).returncode:
        require("libdigest-hmac-perl")
    options = ["--auth-user", user, "--auth-password", password, "--quit-after", "AUTH", "--protocol", "ESMTP"]
    return SmtpClient([require("swaks"), "--server", "127.0.0.1:{port}", "--auth", "DIGEST-MD5", *options])


submitters = pytest.mark.parametrize("submitter", [curl, swaks])


@submitters
@pytest.mark.parametrize("user", ["tim", "tim@example.com", "andré", "łukasz"])
@pytest.mark.parametrize("password", ["tanstaaf", PASSWORD, "garçon"])
def test_a_submitter_logs_in(require: Require, submitter: Submitter, user: str, password: str) -> None:
    with submitter(require, user, password) as client:
        verdict = KnownUsers({user: password}).serve(DIGEST_MD5, client)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity(user)


@submitters
@pytest.mark.parametrize("kept_as", [Password, DigestKey])
def test_a_submitter_logs_in_to_the_first_realm(require: Require, submitter: Submitter, kept_as: type) -> None:
    known = Accounts({f"tim@{REALM}": PASSWORD}, kept_as=kept_as)
    with submitter(require, "tim", PASSWORD) as client:
        verdict = known.serve(with_realms([REALM, "example.org"]), client)
    assert isinstance(verdict, Granted)
    assert verdict.identity == Identity(f"tim@{REALM}")


@submitters
@pytest.mark.parametrize("user", ["tim", "nobody"])
def test_a_submitter_is_refused(require: Require, submitter: Submitter, user: str) -> None:
    with submitter(require, user, "sesame") as client:
        assert KnownUsers({"tim": PASSWORD}).serve(DIGEST_MD5, client) == Denied(Denial.MISMATCH)
