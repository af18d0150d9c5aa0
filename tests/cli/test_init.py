"""``ninsho init``."""

import os
import tomllib
from pathlib import Path
from stat import S_IMODE
from typing import NoReturn

import pytest
from command_line import Run

from ninsho.cli.endings import Unavailable
from ninsho.cli.init import mail_servers
from ninsho.cli.init.commands import url_of
from ninsho.cli.init.first_configuration import Socket, text


@pytest.fixture
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without mail servers, and a user who is not root."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)


@pytest.mark.usefixtures("_alone")
def test_everything_is_there_for_the_first_login(ninsho: Run, tmp_path: Path) -> None:
    config, database = tmp_path / "etc/ninsho.toml", tmp_path / "lib/deep/accounts.db"
    ended = ninsho("init", "--config", config, "--database", database)
    assert ended.status == 0, ended.err
    assert S_IMODE(config.stat().st_mode) in {0o640, 0o600}
    assert S_IMODE(database.stat().st_mode) & 0o007 == 0
    assert ninsho("config", "check", "--config", config).status == 0
    # The commands that it shows are commands.
    shown = ended.out.partition("Next:\n")[2].splitlines()
    assert [line.split()[1:3] for line in shown] == [["user", "add"], ["auth", "test"], ["serve", "--config"]]
    for line in shown[:2]:
        assert ninsho(*line.split()[1:], "--password-stdin", stdin="p").status == 0


@pytest.mark.usefixtures("_alone")
def test_nothing_that_exists_is_overwritten(ninsho: Run, tmp_path: Path) -> None:
    config = tmp_path / "ninsho.toml"
    ninsho("init", "--config", config, "--database", tmp_path / "accounts.db")
    ninsho("user", "add", "alice", "--generate", "--config", config)
    config.write_text(config.read_text() + "# mine\n")
    ended = ninsho("init", "--config", config)
    assert ended.status == 0
    assert f"{config}: is there already, and stays as it is" in ended.out
    assert config.read_text().endswith("# mine\n")
    assert len(ninsho("user", "list", "--json", "--config", config).json) == 1
    refused = ninsho("init", "--config", config, "--database", tmp_path / "other.db")
    assert (refused.status, "stays as it is" in refused.err) == (2, True)
    assert not (tmp_path / "other.db").exists()


@pytest.mark.usefixtures("_alone")
def test_a_database_that_was_lost_is_made_again(ninsho: Run, tmp_path: Path) -> None:
    config, database = tmp_path / "ninsho.toml", tmp_path / "accounts.db"
    ninsho("init", "--config", config, "--database", database)
    database.unlink()
    assert ninsho("init", "--config", config).status == 0
    assert database.exists()


def test_a_place_that_cannot_be_written_is_told_and_no_half_is_left(ninsho: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ended = ninsho("init", "--config", tmp_path / "ninsho.toml", "--database", tmp_path / "file/accounts.db")
    assert ended.status == 1
    assert ended.err == f"ninsho: {tmp_path}/file: cannot be made: File exists\n"
    assert not (tmp_path / "ninsho.toml").exists()


def test_the_configuration_has_at_most_fifteen_settings_and_speaks() -> None:
    sockets = [
        Socket(Path("/var/spool/postfix/private/ninsho"), "Where Postfix asks", "postfix", "postfix"),
        Socket(Path("/run/ninsho/exim.sock"), "Where Exim asks", None, "Debian-exim"),
    ]
    lines = text(sockets, 'sqlite:////a "quoted".db').splitlines()
    settings = [line for line in lines if line and not line.startswith("#")]
    assert len(settings) <= 15
    assert sum(line.startswith("#") for line in lines) >= 5
    read = tomllib.loads("\n".join(lines))
    assert read["store"] == [{"type": "database", "url": 'sqlite:////a "quoted".db'}]
    assert read["listen"] == [
        {"unix": "/var/spool/postfix/private/ninsho", "mode": "0660", "owner": "postfix", "group": "postfix"},
        {"unix": "/run/ninsho/exim.sock", "mode": "0660", "group": "Debian-exim"},
    ]


class FakePostconf:
    def value(self, name: str) -> str:
        return {"queue_directory": "/somewhere/queue", "mail_owner": "root"}[name]


def not_installed() -> NoReturn:
    raise Unavailable("Postfix is not installed")


def test_mail_servers_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(mail_servers, "Postconf", FakePostconf)
    monkeypatch.setattr(mail_servers.grp, "getgrnam", lambda name: name)
    postfix, exim = mail_servers.sockets_for(Path("/etc"))
    assert (str(postfix.path), postfix.owner, postfix.group) == ("/somewhere/queue/private/ninsho", "root", "root")
    assert (str(exim.path), exim.owner, exim.group) == ("/run/ninsho/exim.sock", None, "Debian-exim")


def test_without_mail_servers_there_is_one_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> NoReturn:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(mail_servers, "Postconf", not_installed)
    monkeypatch.setattr(mail_servers.grp, "getgrnam", nobody)
    (socket,) = mail_servers.sockets_for(Path("/etc"))
    assert str(socket.path) == "/run/ninsho/auth.sock"


def test_a_database_may_be_a_file_or_a_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert url_of("accounts.db") == f"sqlite:///{tmp_path}/accounts.db"
    assert url_of("/lib/a.db") == "sqlite:////lib/a.db"
    assert url_of("postgresql://db.example.org/ninsho") == "postgresql://db.example.org/ninsho"
