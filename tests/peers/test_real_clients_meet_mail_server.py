"""The programs that people send mail with, at the server for tests: each mechanism of each, and no violation."""

import json
import ssl
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable
from contextlib import contextmanager

import pytest

from ninsho.testing import Certificate, MailServer

Require = Callable[..., str]

USER = "tim@example.test"
# No program may stumble over these.
PASSWORD = 'tan"staaf=, \\%$'
TOKEN = "ya29.good"
FIRST, SECOND = "b@example.test", "c@example.test"
MESSAGE = f"From: {USER}\r\nTo: {FIRST}\r\nSubject: greetings\r\n\r\nhello\r\n.dot\r\n\r\n..\r\nend\r\n"
TOKENS = ("OAUTHBEARER", "XOAUTH2")


def curl(server, mechanism, message):
    known = ["--user", USER, "--oauth2-bearer", TOKEN] if mechanism in TOKENS else ["--user", f"{USER}:{PASSWORD}"]
    login = [*known, "--login-options", f"AUTH={mechanism}"] if mechanism else []
    tls = ["--ssl-reqd", "--cacert", str(server.ca_file)] if server.certificate else []
    envelope = ["--mail-from", USER, "--mail-rcpt", FIRST, "--mail-rcpt", SECOND, "--upload-file", str(message)]
    return ["curl", "-sSv", f"smtp://localhost:{server.port}/client.example", *login, *tls, *envelope]


def msmtp(server, mechanism, message):
    given = message.parent / "secret"
    given.write_text(f"{TOKEN if mechanism in TOKENS else PASSWORD}\n")
    known = [f"--auth={mechanism.lower()}", f"--user={USER}", f"--passwordeval=cat {given}"] if mechanism else []
    tls = ["--tls=on", f"--tls-trust-file={server.ca_file}"] if server.certificate else ["--tls=off"]
    where = ["--host=localhost", f"--port={server.port}", "--domain=client.example", f"--from={USER}"]
    return ["msmtp", "--debug", *where, *tls, *known, FIRST, SECOND]


def swaks(server, mechanism, message):
    known = ["--auth", mechanism, "--auth-user", USER, "--auth-password", PASSWORD] if mechanism else []
    tls = ["--tls"] if server.certificate else []
    where = ["--server", "localhost", "--port", str(server.port), "--helo", "client.example"]
    return ["swaks", *where, *tls, *known, "--from", USER, "--to", f"{FIRST},{SECOND}", "--data", str(message)]


def swaks_pipelined(server, mechanism, message):
    return [*swaks(server, mechanism, message), "--pipeline"]


def gsasl(server, mechanism, message):
    tls = ["--starttls", f"--x509-ca-file={server.ca_file}"] if server.certificate else ["--no-starttls"]
    # Where it could bind, it does not use the mechanisms that do not.
    tls += [] if mechanism.endswith("-PLUS") else ["--no-cb"]
    known = [f"--authentication-id={USER}", f"--password={PASSWORD}", "--realm=", "--quality-of-protection=qop-auth"]
    where = ["--smtp", f"--connect=localhost:{server.port}", f"--mechanism={mechanism}"]
    return ["gsasl", *where, *tls, *known, "--verbose"]


PROGRAMS = {
    curl: ["", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "OAUTHBEARER", "XOAUTH2"],
    msmtp: ["", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2"],
    swaks: ["", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"],
    swaks_pipelined: ["", "PLAIN"],
    gsasl: ["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"],
}
EACH = [(program, mechanism) for program, known in PROGRAMS.items() for mechanism in known]
each = pytest.mark.parametrize(("program", "mechanism"), EACH, ids=lambda value: getattr(value, "__name__", value))


def run(command, message, require: Require):
    program, *arguments = command
    with message.open() as stream:
        return subprocess.run(
            [require(program), *arguments],
            stdin=stream,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(message.parent)},
            check=False,
            timeout=60,
        )


@contextmanager
def serving(mechanism, certificate):
    """A server that offers only one mechanism, or none; with a certificate by STARTTLS."""
    tls = "starttls" if certificate else "none"
    mechanisms = [mechanism] if mechanism else []
    users, tokens = {USER: PASSWORD}, {TOKEN: USER}
    with MailServer(users=users, tokens=tokens, mechanisms=mechanisms, tls=tls, certificate=certificate) as server:
        yield server


@pytest.fixture
def message(tmp_path):
    path = tmp_path / "message"
    path.write_text(MESSAGE, newline="")
    return path


@each
def test_a_program_sends_mail(require: Require, message, program, mechanism):
    with serving(mechanism, None) as server:
        check(server, program, mechanism, run(program(server, mechanism, message), message, require))


@each
def test_a_program_sends_mail_by_starttls(require: Require, message, program, mechanism):
    with serving(mechanism, Certificate.made()) as server:
        check(server, program, mechanism, run(program(server, mechanism, message), message, require))
        assert program is gsasl or server.messages[0].tls


def check(server, program, mechanism, done):
    assert done.returncode == 0, done.stdout
    assert server.violations == []
    if program is gsasl:
        return
    (received,) = server.messages
    assert (received.sender, received.recipients) == (USER, (FIRST, SECOND))
    # swaks ends every message with one more line.
    assert received.message.get_content().rstrip("\n") == "hello\n.dot\n\n..\nend"
    assert (received.mechanism, received.username) == ((mechanism, USER) if mechanism else (None, None))


PLUS = ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"]


@pytest.mark.parametrize("mechanism", PLUS)
def test_gsasl_binds_the_channel(require: Require, message, mechanism):
    certificate = Certificate.made()
    # Of TLS 1.3 it takes the keys, of which Python's ssl cannot tell; of TLS 1.2 the handshake.
    certificate.context.maximum_version = ssl.TLSVersion.TLSv1_2
    with serving(mechanism, certificate) as server:
        done = run(gsasl(server, mechanism, message), message, require)
        assert done.returncode == 0, done.stdout
        assert b"235 " in server.talks[0].said


@pytest.mark.parametrize("mechanism", PLUS)
def test_another_channel_is_refused(require: Require, message, mechanism):
    with serving(mechanism, Certificate.made()) as server:
        done = run(gsasl(server, mechanism, message), message, require)
        assert done.returncode != 0
        assert b64encode(b"e=channel-bindings-dont-match") in server.talks[0].said


def test_aiosmtplib_sends_mail():
    code = """
import asyncio, json, ssl, sys
from email.message import EmailMessage
import aiosmtplib
options = json.loads(sys.argv[1])
message = EmailMessage()
message["From"], message["To"], message["Subject"] = "a@example.test", "b@example.test", "greetings"
message.set_content("hello")
context = ssl.create_default_context(cafile=options.pop("ca"))
asyncio.run(aiosmtplib.send(message, tls_context=context, start_tls=True, **options))
"""
    with serving("CRAM-MD5", Certificate.made()) as server:
        options = {"hostname": "localhost", "port": server.port, "username": USER, "password": PASSWORD}
        arguments = json.dumps({**options, "ca": str(server.ca_file)})
        subprocess.run([sys.executable, "-c", code, arguments], check=True, timeout=60)
        assert server.messages[0].mechanism == "CRAM-MD5"
        assert server.violations == []
