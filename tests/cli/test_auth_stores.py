"""``ninsho auth test`` without a server: how the stores decide."""

import json
from pathlib import Path
from time import time

import pytest
from command_line import Ended, Run

from ninsho.stores import hashing
from pretend_issuer import ISSUER, KEYS, jwks
from pretend_issuer import token as signed

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
        "broken:{SCRAM-SHA-256}abc",
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
    assert [(one["store"], one["name"], one["user"], one["schemes"]) for one in told["stores"]] == [
        (f"passwd-file {tmp_path}/users", "hooked", "unknown", []),
        (f"hook {tmp_path}/hook.py", "hooked", "known", []),
    ]
    assert told["remark"] == ""
    lines = test("hooked").out.splitlines()
    assert lines[0].startswith(f"passwd-file {tmp_path}/users: does not know hooked (")
    assert lines[1].startswith(f"hook {tmp_path}/hook.py: knows hooked (")
    assert lines[2].startswith("granted: hooked by PLAIN (")


def test_a_store_behind_the_one_that_knows_the_user_is_not_asked(test: Run) -> None:
    ended = test("hashed", "--json", password="q")
    assert ended.status == 1
    assert [(one["user"], one["schemes"]) for one in ended.json["stores"]] == [("known", ["SSHA"])]


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
        (["hashed", "--mechanism", "CRAM-MD5"], 1, "nosecret", "the account stores only SSHA; CRAM-MD5 needs"),
        (["hooked", "--service", "imap"], 1, "badpassword", "wrong password"),
        (["down"], 75, "temp", "a store cannot tell"),
        (["weak"], 75, "error", "scheme SMD5 is weak, and passwords.weak does not permit it"),
        (["anybody", "--mechanism", "SAY"], 0, None, ""),
        (["broken", "--mechanism", "SCRAM-SHA-256"], 75, "error", "a stored form is broken: {SCRAM-SHA-256}: expected"),
        (["plain", "--authzid", "hashed"], 1, "badauthz", "accounts.masters is false"),
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


def test_scram_ends_only_when_both_sides_are_satisfied(test: Run) -> None:
    assert test("plain", "--mechanism", "SCRAM-SHA-256").status == 0
    ended = test("plain", "--mechanism", "SCRAM-SHA-256", "--json", password="q")
    assert (ended.status, ended.json["cause"], ended.json["reason"]) == (1, "badpassword", "wrong password")


NEEDED = "the account stores only SSHA512; SCRAM-SHA-256 needs the password itself or {SCRAM-SHA-256}"


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ("", "log in once by PLAIN or LOGIN with accounts.derive, or set the password anew"),
        ('accounts.derive = ["SCRAM-SHA-256"]', "log in once by PLAIN or LOGIN, or set the password anew"),
        # Then nothing grows.
        ('passwords.scheme = "SCRAM-SHA-256"', "set the password anew"),
        (
            'passwords.scheme = "SCRAM-SHA-256"\naccounts.rehash = true',
            "log in once by PLAIN or LOGIN, or set the password anew",
        ),
    ],
)
def test_what_helps_an_account_without_the_form_is_told(ninsho: Run, site: Path, settings: str, remedy: str) -> None:
    ninsho("user", "add", "alice", "--password-stdin", stdin="p")
    config = site / "ninsho.toml"
    text = config.read_text()
    if settings.startswith("passwords.scheme"):
        text = text.replace('scheme = "SSHA512"', 'scheme = "SCRAM-SHA-256"')
        settings = settings.partition("\n")[2]
    config.write_text(f"{settings}\n{text}")
    ended = ninsho("auth", "test", "alice", "--mechanism", "SCRAM-SHA-256", "--password-stdin", "--json", stdin="p")
    assert (ended.status, ended.json["cause"]) == (1, "nosecret")
    assert ended.json["reason"] == f"{NEEDED}; {remedy}"


def test_a_store_that_does_not_grow_is_not_said_to(test: Run) -> None:
    reason = test("hashed", "--mechanism", "SCRAM-SHA-256", "--json").json["reason"]
    assert reason.endswith("needs the password itself or {SCRAM-SHA-256}; set the password anew")


@pytest.mark.parametrize(
    ("listen", "remark"),
    [
        ("", "no listener offers CRAM-MD5: "),
        ('[[listen]]\nunix = "a"\nmechanisms = ["PLAIN"]\n', "no listener offers CRAM-MD5: "),
        ('[[listen]]\nunix = "a"\nmechanisms = ["PLAIN"]\n[[listen]]\nunix = "b"\nmechanisms = ["cram-md5"]\n', ""),
    ],
)
def test_a_mechanism_that_no_listener_offers_is_told_as_such(
    ninsho: Run, tmp_path: Path, listen: str, remark: str
) -> None:
    (tmp_path / "users").write_text("plain:{PLAIN}p\nhashed:{SSHA512}x\n")
    config = tmp_path / "ninsho.toml"
    config.write_text(f'[[store]]\ntype = "passwd-file"\npath = "users"\n{listen}')
    command = ("auth", "test", "plain", "--config", config, "--mechanism", "CRAM-MD5", "--password-stdin")
    ended = ninsho(*command, "--json", stdin="p")
    assert ended.status == 0
    assert ended.json["remark"].startswith(remark)
    assert (remark == "") == (ended.json["remark"] == "")
    assert ("no listener offers" in ninsho(*command, stdin="p").out) == (remark != "")


@pytest.fixture
def masters(ninsho: Run, site: Path) -> Run:
    """Log in as an account of the database, where masters may act as others."""
    config = site / "ninsho.toml"
    config.write_text(f"{config.read_text()}[accounts]\nmasters = true\n")
    for name, *options in (("boss", "--master"), ("alice",), ("gone", "--expires", "2001-01-01")):
        assert ninsho("user", "add", name, "--password-stdin", *options, stdin="p").status == 0

    def command(user: str, *options: str) -> Ended:
        return ninsho("auth", "test", user, "--password-stdin", "--json", *options, stdin="p")

    return command


@pytest.mark.parametrize(
    ("user", "authzid", "status", "reason"),
    [
        ("boss", "alice", 0, ""),
        ("boss", "boss", 0, ""),
        (
            "alice",
            "boss",
            1,
            "the user may not act as somebody else: the account is no master, see `ninsho user master`",
        ),
        ("boss", "nobody", 1, "the user may not act as somebody else: no store knows whom to act as"),
        ("boss", "gone", 1, "the user may not act as somebody else: whom to act as could not log in"),
    ],
)
def test_masters_act_as_others(masters: Run, user: str, authzid: str, status: int, reason: str) -> None:
    ended = masters(user, "--authzid", authzid)
    assert (ended.status, ended.json["reason"]) == (status, reason)
    assert ended.json["user"] == (authzid if status == 0 else user)


def test_a_mechanism_that_cannot_say_whom_to_act_as_is_told(masters: Run) -> None:
    ended = masters("boss", "--authzid", "alice", "--mechanism", "LOGIN")
    assert (ended.status, "--authzid: expected a mechanism that can say it" in ended.err) == (2, True)


def test_a_certificate_that_a_mail_server_has_checked_is_enough(ninsho: Run, site: Path) -> None:
    ninsho("user", "add", "alice", "--password-stdin", stdin="p")
    assert ninsho("auth", "test", "alice", "--mechanism", "EXTERNAL").status == 0
    ended = ninsho("auth", "test", "bob", "--mechanism", "EXTERNAL", "--json")
    assert (ended.status, ended.json["reason"]) == (1, "no store knows the user")


@pytest.fixture
def tokens(ninsho: Run, site: Path) -> Run:
    """Log in by a token, where the database has alice."""
    (site / "keys.json").write_text(json.dumps(jwks(KEYS["ES256"])))
    config = site / "ninsho.toml"
    config.write_text(
        f'{config.read_text()}[[oauth]]\nissuer = "{ISSUER}"\naudience = ["smtp"]\njwks_file = "keys.json"\n'
    )
    assert ninsho("user", "add", "alice@example.org", "--password-stdin", stdin="p").status == 0

    def command(shown: str, *options: str, user: str = "alice@example.org") -> Ended:
        return ninsho("auth", "test", user, "--token-stdin", "--json", *options, stdin=f"{shown}\n")

    return command


def good(**changes: object) -> str:
    return signed(**{"iat": None, "exp": int(time()) + 600} | changes)


def test_a_good_token_logs_in(tokens: Run) -> None:
    ended = tokens(good())
    assert (ended.status, ended.json["mechanism"]) == (0, "OAUTHBEARER")
    assert tokens(good(), "--mechanism", "XOAUTH2").status == 0
    stranger = tokens(good(email="bob@example.org"), user="bob@example.org")
    assert (stranger.status, stranger.json["reason"]) == (1, "no store knows the user")


def test_a_bad_token_is_told_with_what_is_wrong_with_it_and_never_itself(tokens: Run) -> None:
    shown = good(exp=int(time()) - 600)
    ended = tokens(shown)
    assert (ended.status, ended.json["cause"]) == (1, "badtoken")
    assert ended.json["reason"].startswith("the token is not good here: ")
    assert shown not in ended.out + ended.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--token-stdin", "--password-stdin", "--mechanism", "OAUTHBEARER"], "got both"),
        (["--password-stdin", "--mechanism", "OAUTHBEARER"], "expected --token-stdin with OAUTHBEARER"),
        (["--token-stdin", "--mechanism", "PLAIN"], "expected a mechanism for a token"),
        (["--token-stdin", "--mechanism", "XOAUTH2"], "expected a token, got none"),
    ],
)
def test_tokens_and_passwords_are_not_mixed_up(ninsho: Run, site: Path, options: list[str], sentence: str) -> None:
    ended = ninsho("auth", "test", "alice", *options)
    assert (ended.status, sentence in ended.err) == (2, True)


def test_the_password_is_shown_nowhere(test: Run) -> None:
    for options in ([], ["--json"], ["--verbose"]):
        ended = test("plain", *options, password="correct horse")
        assert "correct horse" not in ended.out + ended.err
