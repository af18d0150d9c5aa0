"""The programs that people send mail with log in to a real Postfix, which asks ninsho: each mechanism of each."""

import json
import smtplib
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import time
from typing import NamedTuple

import pytest

from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.registry import clients
from pretend_issuer import ISSUER, KEYS, jwks
from pretend_issuer import token as signed
from running import Server

Require = Callable[..., str]

OFFERED = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "OAUTHBEARER",
    "XOAUTH2",
    "EXTERNAL",
]
WITH_TOKENS = ("OAUTHBEARER", "XOAUTH2")

CONFIG = f"""
[failure]
delay = "0s"
[accounts]
key_file = "site.key"
[[listen]]
unix = "{{socket}}"
owner = "postfix"
mechanisms = {{offered}}
[[store]]
type = "passwd-file"
path = "users"
[[oauth]]
issuer = "{ISSUER}"
audience = ["smtp"]
jwks_file = "keys.json"
"""

USER = f"tim@{DOMAIN}"
# No program may stumble over these.
PASSWORD = 'tan"staaf=, \\%$'
MESSAGE = f"From: {USER}\r\nTo: {USER}\r\nSubject: greetings\r\n\r\nhello\r\n"

REFUSED = "5.7.8 Error: authentication failed"


class Site(NamedTuple):
    """Where a program is to log in, and what it is to send."""

    postfix: ThrowawayPostfix
    message: Path

    @property
    def port(self) -> str:
        return str(self.postfix.port)


@contextmanager
def serving(folder: Path, offered: list[str]) -> Iterator[Site]:
    """Postfix, with ninsho behind it that offers some mechanisms."""
    (folder / "users").write_text(f"{USER}:{{PLAIN}}{PASSWORD}\n")
    (folder / "keys.json").write_text(json.dumps(jwks(KEYS["ES256"])))
    message = folder / "message"
    message.write_text(MESSAGE)
    # Unless told otherwise, Postfix leaves EXTERNAL out.
    with ThrowawayPostfix(extra_main={"smtpd_sasl_mechanism_filter": "static:all"}) as postfix:
        socket = postfix.queue_directory / "private" / "auth"
        with Server(folder, CONFIG.format(socket=socket, offered=json.dumps(offered))):
            yield Site(postfix, message)


@pytest.fixture(scope="module")
def site(require: Require, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    require("postconf", root=True)
    with serving(tmp_path_factory.mktemp("site"), OFFERED) as running:
        yield running


def secret(mechanism: str, *, good: bool) -> str:
    """A password, or a token where the mechanism wants one."""
    if mechanism in WITH_TOKENS:
        return signed(email=USER, iat=None, exp=int(time()) + (600 if good else -600))
    return PASSWORD if good else f"{PASSWORD}!"


def curl(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    known = ["--user", USER, "--oauth2-bearer", secret] if mechanism in WITH_TOKENS else ["--user", f"{USER}:{secret}"]
    options = ["--login-options", f"AUTH={mechanism}"] if mechanism else []
    envelope = ["--mail-from", USER, "--mail-rcpt", recipient, "--upload-file", str(site.message)]
    return ["curl", "-sSv", f"smtp://127.0.0.1:{site.port}/client.example", *known, *options, *envelope]


def curl_at_once(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    return [*curl(site, mechanism, secret, recipient), "--sasl-ir"]


def msmtp(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    given = site.message.parent / "secret"
    given.write_text(f"{secret}\n")
    server = ["--host=127.0.0.1", f"--port={site.port}", "--tls=off", "--domain=client.example"]
    known = [f"--auth={mechanism.lower() or 'on'}", f"--user={USER}", f"--passwordeval=cat {given}"]
    return ["msmtp", "--debug", *server, *known, f"--from={USER}", recipient]


def swaks(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    server = ["--server", "127.0.0.1", "--port", site.port, "--helo", "client.example"]
    known = ["--auth", *filter(None, [mechanism]), "--auth-user", USER, "--auth-password", secret]
    return ["swaks", *server, *known, "--from", USER, "--to", recipient]


def gsasl(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    server = ["--smtp", f"--connect=127.0.0.1:{site.port}", "--no-starttls", "--no-cb"]
    known = [f"--authentication-id={USER}", f"--password={secret}", "--realm=", "--quality-of-protection=qop-auth"]
    chosen = [f"--mechanism={mechanism}"] if mechanism else []
    return ["gsasl", *server, *known, *chosen, "--application-data", "--verbose"]


def python(site: Site, mechanism: str, secret: str, recipient: str) -> list[str]:
    return [sys.executable, "-c", SMTPLIB, site.port, mechanism, USER, secret, recipient, str(site.message)]


SMTPLIB = """
import smtplib, sys
port, mechanism, user, password, recipient, message = sys.argv[1:]
with smtplib.SMTP("127.0.0.1", int(port), timeout=20) as client:
    client.set_debuglevel(1)
    if mechanism:
        client.ehlo("client.example")
        client.user, client.password = user, password
        client.auth(mechanism, getattr(client, "auth_" + mechanism.lower().replace("-", "_")))
    else:
        client.login(user, password)
    client.sendmail(user, [recipient], open(message).read())
"""

PROGRAMS = {
    curl: ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "OAUTHBEARER"],
    curl_at_once: ["PLAIN", "LOGIN", "OAUTHBEARER"],
    msmtp: ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"],
    swaks: ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"],
    gsasl: ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"],
    python: ["PLAIN", "LOGIN", "CRAM-MD5"],
}

each = pytest.mark.parametrize(
    ("program", "mechanism"),
    [(program, mechanism) for program, known in PROGRAMS.items() for mechanism in known],
    ids=lambda value: getattr(value, "__name__", value),
)


def run(command: list[str], site: Site, require: Require) -> subprocess.CompletedProcess[str]:
    program, *arguments = command
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(site.message.parent)}
    with site.message.open() as message:
        return subprocess.run(
            [require(program), *arguments],
            stdin=message,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=environment,
            check=False,
            timeout=60,
        )


@each
def test_the_right_password_sends_mail(
    site: Site, require: Require, program: Callable[..., list[str]], mechanism: str
) -> None:
    recipient = f"{program.__name__}-{mechanism}@{DOMAIN}".lower()
    done = run(program(site, mechanism, secret(mechanism, good=True), recipient), site, require)
    assert done.returncode == 0, done.stdout
    if program is not gsasl:
        assert site.postfix.wait_for_mail(recipient.partition("@")[0])
        site.postfix.wait_for_log(f"sasl_method={mechanism}, sasl_username={USER}")


@pytest.mark.parametrize("program", [curl, curl_at_once])
def test_curl_sends_mail_by_xoauth2(require: Require, tmp_path: Path, program: Callable[..., list[str]]) -> None:
    require("postconf", root=True)
    # Where it sees OAUTHBEARER too it takes that, whatever it was told.
    with serving(tmp_path, ["XOAUTH2", "PLAIN"]) as site:
        refused = run(program(site, "XOAUTH2", secret("XOAUTH2", good=False), f"u@{DOMAIN}"), site, require)
        assert refused.returncode != 0
        # It goes away as soon as it hears what is wrong with the token.
        assert "Login denied" in refused.stdout
        done = run(program(site, "XOAUTH2", secret("XOAUTH2", good=True), f"u@{DOMAIN}"), site, require)
        assert done.returncode == 0, done.stdout
        site.postfix.wait_for_log(f"sasl_method=XOAUTH2, sasl_username={USER}")


@each
def test_the_wrong_password_is_refused(
    site: Site, require: Require, program: Callable[..., list[str]], mechanism: str
) -> None:
    recipient = f"refused-{program.__name__}-{mechanism}@{DOMAIN}".lower()
    done = run(program(site, mechanism, secret(mechanism, good=False), recipient), site, require)
    assert done.returncode != 0
    assert REFUSED in done.stdout or "535" in done.stdout, done.stdout


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_left_to_itself_it_logs_in(site: Site, require: Require, program: Callable[..., list[str]]) -> None:
    recipient = f"{program.__name__}-itself@{DOMAIN}"
    done = run(program(site, "", PASSWORD, recipient), site, require)
    assert done.returncode == 0, done.stdout


def test_a_client_without_a_certificate_is_refused(site: Site, require: Require) -> None:
    done = run(curl(site, "EXTERNAL", "", f"u@{DOMAIN}"), site, require)
    assert done.returncode != 0
    assert REFUSED in done.stdout


@contextmanager
def session(site: Site) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", site.postfix.port, timeout=20) as client:
        client.ehlo("client.example")
        yield client


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


GOOD = (235, b"2.7.0 Authentication successful")
NAME, WORD = (334, b"VXNlcm5hbWU6"), (334, b"UGFzc3dvcmQ6")

LOGINS = {
    "both prompts": [("AUTH LOGIN", NAME), (encoded(USER), WORD), (encoded(PASSWORD), GOOD)],
    "small letters": [("auth login", NAME), (encoded(USER), WORD), (encoded(PASSWORD), GOOD)],
    "mixed letters": [("Auth Login", NAME), (encoded(USER), WORD), (encoded(PASSWORD), GOOD)],
    "name at once": [(f"AUTH LOGIN {encoded(USER)}", WORD), (encoded(PASSWORD), GOOD)],
    "empty response at once": [("AUTH LOGIN =", NAME), (encoded(USER), WORD), (encoded(PASSWORD), GOOD)],
    "name in capitals": [("AUTH LOGIN", NAME), (encoded(USER.upper()), WORD), (encoded(PASSWORD), GOOD)],
}


@pytest.mark.parametrize("talk", LOGINS.values(), ids=LOGINS)
def test_login_as_clients_speak_it(site: Site, talk: list[tuple[str, tuple[int, bytes]]]) -> None:
    with session(site) as client:
        for line, reply in talk:
            assert client.docmd(line) == reply


def attempt(site: Site, mechanism: str, user: str, password: str) -> list[tuple[int, str]]:
    """Log in with our client's side; return the replies, with what is different each time taken out."""
    exchange = Exchange(clients()[mechanism].client(Credentials(user, password)))
    with session(site) as client:
        first = exchange.begin()
        code, text = client.docmd("AUTH", f"{mechanism} {b64encode(first).decode()}")
        replies = []
        while code == 334:
            challenge = b64decode(text)
            replies.append((code, shape(challenge)))
            code, text = client.docmd(b64encode(exchange.answer(challenge)).decode())
        return [*replies, (code, text.decode())]


def shape(challenge: bytes) -> str:
    """A challenge of SCRAM without the nonce, and with no more of the salt than its length."""
    parts = dict(part.split("=", 1) for part in challenge.decode().split(","))
    return " ".join(f"{name}={value if name in 'ie' else len(value)}" for name, value in parts.items())


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_scram_tells_a_stranger_nothing(site: Site, mechanism: str) -> None:
    assert attempt(site, mechanism, USER, PASSWORD)[-1][0] == 235
    wrong = attempt(site, mechanism, USER, "wrong")
    assert wrong[-1][0] == 535
    assert attempt(site, mechanism, f"nobody@{DOMAIN}", "wrong") == wrong


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256"])
def test_strangers_have_salts_of_their_own(site: Site, mechanism: str) -> None:
    def salt(user: str) -> bytes:
        exchange = Exchange(clients()[mechanism].client(Credentials(user, "wrong")))
        with session(site) as client:
            _, text = client.docmd("AUTH", f"{mechanism} {b64encode(exchange.begin()).decode()}")
            assert client.docmd("*")[0] == 501
            return b64decode(text).split(b",")[1]

    assert salt("nobody") == salt("nobody")
    assert salt("nobody") != salt("anybody")
