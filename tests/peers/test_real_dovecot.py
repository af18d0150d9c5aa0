"""Our client's side against a real Dovecot, and Dovecot's own client against our server."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dovecot import ThrowawayDovecot

from running import NINSHO, Server

Require = Callable[..., str]

USERS = "u:{PLAIN}tanstaaftanstaaf\nAli Baba:{PLAIN}Open, Sesame\n"
MECHANISMS = ["PLAIN", "LOGIN", "CRAM-MD5"]


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
