"""``ninsho auth test`` without a server: how the stores decide."""

from pathlib import Path

import pytest
from command_line import Ended, Run

from ninsho.stores import hashing

HOOK = """
from ninsho import store

@store
def accounts(username, password, request):
    if username == "down":
        raise OSError("the database is down")
    return None if username != "hooked" else password == "p" and request.service == "smtp"
"""
MECHANISM = """
from ninsho import Challenge, Granted, Identity, mechanism

def say(credentials):
    yield credentials.username.encode()

@mechanism("SAY", client=say)
def server(response):
    return Granted(Identity((response or (yield Challenge(b""))).decode()))

@mechanism("MUTE")
def mute(response):
    return Granted(Identity((response or (yield Challenge(b""))).decode()))
"""


@pytest.fixture
def test(ninsho: Run, tmp_path: Path) -> Run:
    """Log in at a passwd-file, behind which stands a hook."""
    users = [
        "plain:{PLAIN}p",
        f"hashed:{hashing.make('p', 'SSHA')}",
        "disabled:{PLAIN}p::::::nologin",
        "local:{PLAIN}p::::::allow_nets=192.0.2.0/24",
        "weak:{SMD5}abc",
    ]
    (tmp_path / "users").write_text("\n".join(users))
    (tmp_path / "hook.py").write_text(HOOK)
    (tmp_path / "say.py").write_text(MECHANISM)
    (tmp_path / "ninsho.toml").write_text(
        '[[store]]\ntype = "passwd-file"\npath = "users"\n'
        '[[store]]\ntype = "hook"\npath = "hook.py"\n'
        '[[mechanism]]\nfile = "say.py"\n'
    )

    def command(user: str, *options: str, password: str = "p") -> Ended:
        config = ("--config", tmp_path / "ninsho.toml")
        return ninsho("auth", "test", user, "--password-stdin", *config, *options, stdin=password)

    return command


def test_the_whole_path_is_told(test: Run, tmp_path: Path) -> None:
    ended = test("hooked", "--json")
    assert ended.status == 0
    told = ended.json
    assert (told["verdict"], told["user"], told["cause"]) == ("granted", "hooked", None)
    assert [(one["store"], one["user"], one["scheme"]) for one in told["stores"]] == [
        (f"passwd-file {tmp_path}/users", "unknown", None),
        (f"hook {tmp_path}/hook.py", "known", None),
    ]
    lines = test("hooked").out.splitlines()
    assert lines[0].startswith(f"passwd-file {tmp_path}/users: does not know the user (")
    assert lines[1].startswith(f"hook {tmp_path}/hook.py: knows the user (")
    assert lines[2].startswith("granted: hooked by PLAIN (")


def test_a_store_behind_the_one_that_knows_the_user_is_not_asked(test: Run) -> None:
    ended = test("hashed", "--json", password="q")
    assert ended.status == 1
    assert [(one["user"], one["scheme"]) for one in ended.json["stores"]] == [("known", "SSHA")]


@pytest.mark.parametrize(
    ("login", "status", "cause", "reason"),
    [
        (["plain"], 0, None, ""),
        (["nobody"], 1, "baduser", "no store knows the user"),
        (["disabled"], 1, "logindisabled", "the account is disabled"),
        (["local"], 1, "badnetwork", "from 192.0.2.0/24, not from an unknown address (see --remote-ip)"),
        (["local", "--remote-ip", "198.51.100.1"], 1, "badnetwork", "not from 198.51.100.1"),
        (["local", "--remote-ip", "192.0.2.9"], 0, None, ""),
        (["plain", "--mechanism", "LOGIN"], 0, None, ""),
        (["plain", "--mechanism", "CRAM-MD5"], 0, None, ""),
        (["hashed", "--mechanism", "CRAM-MD5"], 1, "nosecret", "no stored form that this mechanism can use"),
        (["hooked", "--service", "imap"], 1, "badpassword", "wrong password"),
        (["down"], 75, "temp", "a store cannot tell"),
        (["weak"], 75, "error", "scheme SMD5 is weak, and not permitted"),
        (["anybody", "--mechanism", "SAY"], 0, None, ""),
    ],
)
def test_the_reason_is_the_real_one(test: Run, login: list[str], status: int, cause: str | None, reason: str) -> None:
    ended = test(*login, "--json")
    assert ended.status == status
    assert ended.json["cause"] == cause
    assert reason in ended.json["reason"]


def test_a_store_that_cannot_tell_is_named(test: Run, tmp_path: Path) -> None:
    told = test("down", "--json").json
    assert [one["user"] for one in told["stores"]] == ["unknown", "cannot tell"]


def test_an_account_that_expired_says_when(ninsho: Run, site: Path) -> None:
    ninsho("user", "add", "alice", "--password-stdin", "--expires", "2001-02-03T04:05Z", stdin="p")
    ended = ninsho("auth", "test", "alice", "--password-stdin", stdin="p")
    assert (ended.status, "the account expired on 2001-02-03 04:05 UTC" in ended.out) == (1, True)


@pytest.mark.parametrize(("mechanism", "status"), [("MUTE", 2), ("NOPE", 69)])
def test_a_mechanism_that_cannot_be_tried_is_told(test: Run, mechanism: str, status: int) -> None:
    ended = test("plain", "--mechanism", mechanism)
    assert (ended.status, mechanism in ended.err) == (status, True)


def test_the_password_is_shown_nowhere(test: Run) -> None:
    for options in ([], ["--json"], ["--verbose"]):
        ended = test("plain", *options, password="correct horse")
        assert "correct horse" not in ended.out + ended.err
