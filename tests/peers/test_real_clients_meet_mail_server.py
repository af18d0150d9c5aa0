"""The programs that people send mail with, at the server for tests: each mechanism of each, and no violation."""

import json
import subprocess
import sys
from collections.abc import Callable

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


@pytest.fixture(scope="module")
def certificate():
    return Certificate.made()


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
    tls = ["--starttls", f"--x509-ca-file={server.ca_file}"] if server.certificate else ["--no-starttls", "--no-cb"]
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


@pytest.mark.parametrize("tls", ["none", "starttls"])
@each
def test_a_program_sends_mail(require: Require, tmp_path, certificate, program, mechanism, tls):
    message = tmp_path / "message"
    message.write_text(MESSAGE, newline="")
    offered = [mechanism] if mechanism else []
    options = {"certificate": certificate} if tls != "none" else {}
    users = {USER: PASSWORD}
    with MailServer(users=users, tokens={TOKEN: USER}, mechanisms=offered, tls=tls, **options) as server:
        done = run(program(server, mechanism, message), message, require)
        assert done.returncode == 0, done.stdout
        assert server.violations == []
        if program is gsasl:
            return
        (received,) = server.messages
        assert (received.sender, received.recipients) == (USER, (FIRST, SECOND))
        assert received.message.get_content() == "hello\n.dot\n\n..\nend\n"
        assert (received.mechanism, received.username) == ((mechanism, USER) if mechanism else (None, None))
        assert bool(received.tls) == (tls != "none")


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS"])
def test_gsasl_binds_the_channel(require: Require, tmp_path, certificate, mechanism):
    message = tmp_path / "message"
    message.write_text("")
    with MailServer(users={USER: PASSWORD}, mechanisms=[mechanism], tls="starttls", certificate=certificate) as server:
        done = run(gsasl(server, mechanism, message), message, require)
        # It binds to keys alone, of which Python's ssl cannot tell; so it is refused, and by us.
        assert done.returncode != 0
        assert b"535 " in server.talks[0].said, done.stdout


def test_aiosmtplib_sends_mail(certificate):
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
    with MailServer(users={USER: PASSWORD}, tls="starttls", certificate=certificate) as server:
        options = {"hostname": "localhost", "port": server.port, "username": USER, "password": PASSWORD}
        arguments = json.dumps({**options, "ca": str(server.ca_file)})
        subprocess.run([sys.executable, "-c", code, arguments], check=True, timeout=60)
        assert server.messages[0].mechanism == "CRAM-MD5"
        assert server.violations == []
