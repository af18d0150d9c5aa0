"""A real Exim logs its users in through ninsho."""

import smtplib
import subprocess
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from exim import PROGRAM, ThrowawayExim

from ninsho.cli.throwaway import DOMAIN
from running import Server

Require = Callable[..., str]

MESSAGE = f"From: u@{DOMAIN}\r\nTo: u@{DOMAIN}\r\nSubject: greetings\r\n\r\nhello\r\n"
MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")

CONFIG = """
[failure]
delay = "0s"
[[listen]]
unix = "{socket}"
group = "Debian-exim"
mechanisms = ["PLAIN", "LOGIN", "CRAM-MD5"]
[[store]]
type = "passwd-file"
path = "users"
"""

GOOD = (235, b"Authentication succeeded")
WRONG = (535, b"Incorrect authentication data")
LATER = (435, b"Unable to authenticate at present")


@pytest.fixture(autouse=True)
def _exim(require: Require) -> None:
    require(PROGRAM, root=True)


@contextmanager
def site(folder: Path) -> Iterator[tuple[ThrowawayExim, Server]]:
    """Exim with ninsho behind it."""
    (folder / "users").write_text("u:{PLAIN}p\n")
    with (
        ThrowawayExim(mechanisms=MECHANISMS) as exim,
        Server(folder, CONFIG.format(socket=exim.directory / "auth")) as server,
    ):
        yield exim, server


@contextmanager
def session(exim: ThrowawayExim) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", exim.port, timeout=20) as client:
        client.ehlo("client.example")
        yield client


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_each_mechanism_logs_in_and_delivers(tmp_path: Path, mechanism: str) -> None:
    with site(tmp_path) as (exim, server), session(exim) as client:
        client.user, client.password = "u", "p"
        assert client.auth(mechanism, getattr(client, f"auth_{mechanism.lower().replace('-', '_')}")) == GOOD
        client.sendmail(f"u@{DOMAIN}", [f"u@{DOMAIN}"], MESSAGE)
        assert exim.wait_for_mail("u")
        exim.wait_for_log(f"A=dovecot_{mechanism.lower().replace('-', '_')}:u")
        server.wait_for(f"mech={mechanism} cause=ok")


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_swaks_logs_in(tmp_path: Path, require: Require, mechanism: str) -> None:
    swaks = require("swaks")
    with site(tmp_path) as (exim, _):
        command = [swaks, "--server", f"127.0.0.1:{exim.port}", "--to", f"u@{DOMAIN}", "--from", f"u@{DOMAIN}"]
        command += ["--auth", mechanism, "--auth-user", "u", "--auth-password", "p", "--helo", "client.example"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert "235 Authentication succeeded" in done.stdout
        assert exim.wait_for_mail("u")


def test_login_without_an_initial_response(tmp_path: Path) -> None:
    # Exim always sends resp=, here an empty one: it means that there is none.
    with site(tmp_path) as (exim, _), session(exim) as client:
        assert client.docmd("AUTH", "LOGIN") == (334, encoded("Username:").encode())
        assert client.docmd(encoded("u")) == (334, encoded("Password:").encode())
        assert client.docmd(encoded("p")) == GOOD
    with site(tmp_path) as (exim, _), session(exim) as client:
        assert client.docmd("AUTH", "PLAIN") == (334, b"")
        assert client.docmd(encoded("\0u\0p")) == GOOD


def test_a_wrong_password_and_bad_base64_are_535(tmp_path: Path) -> None:
    with site(tmp_path) as (exim, server), session(exim) as client:
        assert client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'u' + chr(0) + 'x')}") == WRONG
        assert client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'nobody' + chr(0) + 'x')}") == WRONG
        assert client.docmd("AUTH", "PLAIN !!!") == WRONG
        assert client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'u' + chr(0) + 'p')}") == GOOD
        # What detectors such as CrowdSec look for: our FAIL names the user.
        exim.wait_for_log(r"dovecot_plain authenticator failed for .* 535 Incorrect authentication data \(set_id=u\)")
        assert "cause=badprotocol" in server.journal()


def test_a_store_that_fails_is_435_and_never_535(tmp_path: Path) -> None:
    with site(tmp_path) as (exim, server), session(exim) as client:
        users = tmp_path / "users"
        users.rename(tmp_path / "gone")
        # The file is looked at ten times a second.
        time.sleep(0.3)
        outcome = client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'u' + chr(0) + 'x')}")
        assert outcome == LATER
        assert "result=temp" in server.journal()
        (tmp_path / "gone").rename(users)


def test_ninsho_is_down_and_comes_back(tmp_path: Path) -> None:
    with site(tmp_path) as (exim, server), session(exim) as client:
        server.stop()
        assert client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'u' + chr(0) + 'p')}") == LATER
        server.start()
        assert client.docmd("AUTH", f"PLAIN {encoded(chr(0) + 'u' + chr(0) + 'p')}") == GOOD
