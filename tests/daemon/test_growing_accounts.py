"""Accounts that grow while a real server serves: a login by PLAIN brings what SCRAM needs."""

import sqlite3
import subprocess
import time
from contextlib import closing

import pytest

from ninsho.stores import hashing
from running import NINSHO, PATIENCE, Client, Server

CONFIG = """
[[listen]]
unix = "auth.sock"
mechanisms = ["PLAIN", "SCRAM-SHA-256"]
[[store]]
type = "database"
url = "sqlite:///{folder}/accounts.db"
[passwords]
scheme = "CRYPT"
[failure]
delay = "0s"
{accounts}
"""
GROWING = '[accounts]\nderive = ["SCRAM-SHA-256"]\nrehash = true\n'


def ninsho(folder, *arguments, stdin=""):
    return subprocess.run(
        [*NINSHO, *arguments], cwd=folder, input=stdin, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture
def config(tmp_path):
    """The configuration; alice has an old hash alone, and bob already what SCRAM needs."""
    (tmp_path / "ninsho.toml").write_text(CONFIG.format(folder=tmp_path, accounts=""))
    for name, *schemes in (("alice", "SSHA"), ("bob", "SCRAM-SHA-256")):
        options = [option for scheme in schemes for option in ("--scheme", scheme)]
        done = ninsho(
            tmp_path, "user", "add", name, "--password-stdin", "--config", "ninsho.toml", *options, stdin="p\n"
        )
        assert done.returncode == 0, done.stderr
    return CONFIG.format(folder=tmp_path, accounts=GROWING)


def schemes(folder):
    with closing(sqlite3.connect(folder / "accounts.db")) as database:
        rows = database.execute(
            "SELECT stored FROM secrets JOIN accounts ON id = account_id WHERE name = 'alice' ORDER BY position"
        )
        return [hashing.scheme_of(stored) for (stored,) in rows]


def log_in(folder, mechanism, password="p"):
    socket = ("--socket", "auth.sock", "--mechanism", mechanism, "--password-stdin")
    return ninsho(folder, "auth", "test", "alice", *socket, stdin=password).returncode


def test_after_a_login_by_plain_there_is_one_by_scram(config, tmp_path):
    with Server(tmp_path, config) as server:
        assert log_in(tmp_path, "SCRAM-SHA-256") == 1
        # A wrong password brings nothing.
        assert log_in(tmp_path, "PLAIN", "q") == 1
        assert log_in(tmp_path, "PLAIN") == 0
        deadline = time.monotonic() + PATIENCE
        while schemes(tmp_path) == ["SSHA"]:
            assert time.monotonic() < deadline, server.journal()
            time.sleep(0.02)
        assert schemes(tmp_path) == ["CRYPT", "SCRAM-SHA-256"]
        assert log_in(tmp_path, "SCRAM-SHA-256") == 0
        assert log_in(tmp_path, "PLAIN") == 0
        assert server.stop() == 0


def test_a_server_that_grows_accounts_stops_at_once(config, tmp_path):
    with Server(tmp_path, config) as server, Client(tmp_path / "auth.sock") as client:
        assert client.ask("AUTH\t1\tPLAIN\tservice=smtp\tresp=AGFsaWNlAHA=").startswith(b"OK\t1\tuser=alice")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5
    # Whether it was finished or dropped: never half of it.
    assert schemes(tmp_path) in (["SSHA"], ["CRYPT", "SCRAM-SHA-256"])
