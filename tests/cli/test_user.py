"""``ninsho user``: accounts of the database."""

import sqlite3
from pathlib import Path

import pytest
from command_line import Ended, Run

from ninsho.cli import passwords
from ninsho.cli.user import commands
from ninsho.stores import hashing

KEYS = ["name", "state", "disabled", "master", "schemes", "expires", "networks", "note", "created", "changed"]


def add(ninsho: Run, name: str, *options: str, password: str = "p") -> Ended:
    ended = ninsho("user", "add", name, "--password-stdin", *options, stdin=f"{password}\n")
    assert ended.status == 0, ended.err
    return ended


def stored(site: Path, name: str) -> list[str]:
    with sqlite3.connect(site / "accounts.db") as database:
        found = database.execute(
            "SELECT stored FROM secrets JOIN accounts ON account_id = id WHERE name = ? ORDER BY position", (name,)
        ).fetchall()
    database.close()
    return [form for (form,) in found]


def test_an_account_is_added_with_the_scheme_of_the_configuration(ninsho: Run, site: Path) -> None:
    assert add(ninsho, "alice@example.org").out == "alice@example.org: added\n"
    (form,) = stored(site, "alice@example.org")
    assert hashing.scheme_of(form) == "SSHA512"
    assert hashing.verify(form, "p")


def test_an_account_can_store_several_forms_the_first_of_which_is_checked(ninsho: Run, site: Path) -> None:
    add(ninsho, "bob", "--scheme", "SSHA256", "--scheme", "CRAM-MD5")
    assert [hashing.scheme_of(form) for form in stored(site, "bob")] == ["SSHA256", "CRAM-MD5"]
    assert ninsho("auth", "test", "bob", "--mechanism", "CRAM-MD5", "--password-stdin", stdin="p").status == 0


def test_a_password_that_is_made_stands_alone_on_standard_output(ninsho: Run, site: Path) -> None:
    ended = ninsho("user", "add", "printer", "--generate")
    assert (ended.status, ended.err) == (0, "printer: added; the password, which is shown this once:\n")
    assert hashing.verify(stored(site, "printer")[0], ended.out.removesuffix("\n"))


def test_a_password_can_be_typed(ninsho: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ask", lambda *, twice: "typed" if twice else pytest.fail("asked once"))
    assert ninsho("user", "add", "alice").status == 0
    assert hashing.verify(stored(site, "alice")[0], "typed")


def test_list_and_show_tell_everything_but_secrets(ninsho: Run, site: Path) -> None:
    add(
        ninsho,
        "bob",
        "--note",
        "the printer",
        "--expires",
        "2099-12-31",
        "--network",
        "192.0.2.0/24",
        "--network",
        "::1",
    )
    add(ninsho, "Alice")
    listed = ninsho("user", "list", "--json").json
    assert [list(one) for one in listed] == [KEYS, KEYS]
    alice, bob = listed
    assert (alice["name"], alice["state"], alice["expires"], alice["networks"]) == ("Alice", "active", None, [])
    assert {name: bob[name] for name in KEYS[:8]} == {
        "name": "bob",
        "state": "active",
        "disabled": False,
        "master": False,
        "schemes": ["SSHA512"],
        "expires": "2099-12-31T00:00:00Z",
        "networks": ["192.0.2.0/24", "::1/128"],
        "note": "the printer",
    }
    assert ninsho("user", "show", "BOB", "--json").json == bob
    table, page = ninsho("user", "list").out, ninsho("user", "show", "bob").out
    assert "the printer" in table
    assert "networks: 192.0.2.0/24, ::1/128" in page
    assert stored(site, "bob")[0] not in table + page + str(listed)


def test_a_list_can_be_narrowed(ninsho: Run, site: Path) -> None:
    for name in ("alice@example.org", "bob@example.org", "bob@example.net"):
        add(ninsho, name)
    assert [one["name"] for one in ninsho("user", "list", "BOB@", "--json").json] == [
        "bob@example.net",
        "bob@example.org",
    ]
    assert ninsho("user", "list", "nobody", "--json").json == []
    assert ninsho("user", "list", "nobody").out.split()[0] == "NAME"


def test_a_disabled_account_is_shown_as_such_until_it_is_enabled(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice")
    assert ninsho("user", "disable", "alice").out == "alice: disabled\n"
    assert ninsho("user", "show", "alice", "--json").json["state"] == "disabled"
    assert ninsho("auth", "test", "alice", "--password-stdin", stdin="p").status == 1
    ninsho("user", "enable", "alice")
    assert ninsho("user", "show", "alice", "--json").json["state"] == "active"
    assert ninsho("auth", "test", "alice", "--password-stdin", stdin="p").status == 0


def test_a_master_is_shown_as_such_until_that_is_revoked(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice", "--master")
    add(ninsho, "bob")
    assert [one["master"] for one in ninsho("user", "list", "--json").json] == [True, False]
    assert ninsho("user", "list").out.count("active, master") == 1
    assert "state:    active, master" in ninsho("user", "show", "alice").out
    assert ninsho("user", "master", "BOB").out == "BOB: is a master\n"
    assert ninsho("user", "show", "bob", "--json").json["master"] is True
    assert ninsho("user", "master", "alice", "--revoke").out == "alice: is no master any more\n"
    assert ninsho("user", "show", "alice", "--json").json["master"] is False


def deriving(site: Path, *schemes: str) -> None:
    config = site / "ninsho.toml"
    config.write_text(config.read_text() + f"[accounts]\nderive = {list(schemes)}\n")


def test_a_new_password_has_the_derived_forms_from_the_start(ninsho: Run, site: Path) -> None:
    deriving(site, "SCRAM-SHA-256", "DIGEST-MD5")
    add(ninsho, "Alice@Example.org")
    forms = stored(site, "Alice@Example.org")
    assert [hashing.scheme_of(form) for form in forms] == ["SSHA512", "SCRAM-SHA-256", "DIGEST-MD5"]
    assert all(hashing.verify(form, "p", "Alice@Example.org") for form in forms)
    assert ninsho("user", "passwd", "alice@example.org", "--password-stdin", stdin="new\n").status == 0
    forms = stored(site, "Alice@Example.org")
    assert [hashing.scheme_of(form) for form in forms] == ["SSHA512", "SCRAM-SHA-256", "DIGEST-MD5"]
    assert all(hashing.verify(form, "new", "Alice@Example.org") for form in forms)


def test_a_scheme_that_is_named_stands_for_all(ninsho: Run, site: Path) -> None:
    deriving(site, "SCRAM-SHA-256")
    add(ninsho, "alice", "--scheme", "SSHA256")
    assert [hashing.scheme_of(form) for form in stored(site, "alice")] == ["SSHA256"]


def test_accounts_are_listed_by_the_scheme_that_they_hold(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice@example.org", "--scheme", "SSHA256", "--scheme", "CRAM-MD5")
    add(ninsho, "bob@example.org", "--scheme", "CRAM-MD5")
    add(ninsho, "carol@example.org")

    def names(*options: str) -> list[str]:
        return [one["name"].partition("@")[0] for one in ninsho("user", "list", *options, "--json").json]

    assert names("--scheme", "cram-md5") == names("--scheme", "HMAC-MD5") == ["alice", "bob"]
    assert names("--scheme", "SSHA256") == ["alice"]
    assert names("bob", "--scheme", "SSHA256") == []
    # Weak ones are those that somebody looks for.
    assert names("--scheme", "MD5-CRYPT") == []
    ended = ninsho("user", "list", "--scheme", "NONSENSE")
    assert (ended.status, "--scheme: scheme NONSENSE is not known" in ended.err) == (2, True)


def test_mechanisms_are_listed_by_what_is_stored(ninsho: Run, site: Path) -> None:
    add(ninsho, "hashed")
    add(ninsho, "grown", "--scheme", "SSHA512", "--scheme", "SCRAM-SHA-256")
    add(ninsho, "plain", "--scheme", "PLAIN")
    add(ninsho, "locked")
    with sqlite3.connect(site / "accounts.db") as database:
        database.execute("DELETE FROM secrets WHERE account_id = (SELECT id FROM accounts WHERE name = 'locked')")
    database.close()
    listed = {one["name"]: one["mechanisms"] for one in ninsho("user", "list", "--mechanisms", "--json").json}
    assert listed["hashed"] == ["PLAIN", "LOGIN"]
    assert listed["grown"] == ["PLAIN", "LOGIN", "SCRAM-SHA-256"]
    assert {"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-1", "CRAM-MD5", "DIGEST-MD5"} <= set(listed["plain"])
    assert "OAUTHBEARER" not in listed["plain"]
    assert "PLAIN" not in listed["locked"]
    page = ninsho("user", "list", "--mechanisms").out
    assert "2 accounts can use SCRAM-SHA-256, 2 cannot yet\n" in page
    assert "1 account can use CRAM-MD5, 3 cannot yet\n" in page


def test_a_broken_form_serves_no_mechanism(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice", "--scheme", "SCRAM-SHA-256")
    with sqlite3.connect(site / "accounts.db") as database:
        database.execute("UPDATE secrets SET stored = '{SCRAM-SHA-256}x'")
    database.close()
    (alice,) = ninsho("user", "list", "--mechanisms", "--json").json
    assert not {"PLAIN", "LOGIN", "SCRAM-SHA-256"} & set(alice["mechanisms"])


def test_an_account_expires(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice", "--expires", "2001-01-01")
    assert ninsho("user", "show", "alice", "--json").json["state"] == "expired"


def test_passwd_replaces_every_form(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice", "--scheme", "SSHA", "--scheme", "PLAIN")
    ended = ninsho("user", "passwd", "Alice", "--password-stdin", stdin="new\n")
    assert (ended.status, ended.out) == (0, "Alice: has a new password\n")
    (form,) = stored(site, "alice")
    assert hashing.verify(form, "new")


def test_passwd_asks_for_no_password_of_nobody(ninsho: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "ask", lambda **_: pytest.fail("asked"))
    assert ninsho("user", "passwd", "nobody").status == 1


def test_remove_asks(ninsho: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(ninsho, "alice")
    asked = []
    monkeypatch.setattr(commands, "confirmed", lambda question: asked.append(question) or len(asked) == 2)
    assert ninsho("user", "remove", "ALICE").status == 1
    assert len(ninsho("user", "list", "--json").json) == 1
    assert ninsho("user", "remove", "ALICE").status == 0
    assert asked == ["Remove alice for good?"] * 2
    assert ninsho("user", "list", "--json").json == []


def test_remove_asks_nobody_where_nobody_is(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice")
    ended = ninsho("user", "remove", "alice")
    assert (ended.status, "expected --yes" in ended.err) == (2, True)


def test_remove_with_yes_removes(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice")
    assert ninsho("user", "remove", "ALICE", "--yes").out == "alice: removed\n"
    assert ninsho("user", "list", "--json").json == []


@pytest.mark.parametrize("verb", ["show", "disable", "enable", "master", "remove", "passwd"])
def test_nobody_is_no_account(ninsho: Run, site: Path, verb: str) -> None:
    ended = ninsho("user", verb, "nobody")
    assert (ended.status, ended.out, ended.err) == (1, "", "ninsho: there is no account 'nobody'\n")


def test_an_account_exists_whatever_its_case(ninsho: Run, site: Path) -> None:
    add(ninsho, "alice")
    ended = ninsho("user", "add", "Alice", "--generate")
    assert (ended.status, ended.out, ended.err) == (1, "", "ninsho: account 'Alice' exists already\n")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--expires", "tomorrow"], "--expires: expected a date"),
        (["--network", "192.0.2"], "--network: expected"),
        (["--scheme", "NONSENSE"], "--scheme: scheme NONSENSE is not known"),
        (["--generate"], "expected --generate or --password-stdin, got both"),
    ],
)
def test_options_that_mean_nothing_are_told_and_nothing_is_added(
    ninsho: Run, site: Path, options: list[str], sentence: str
) -> None:
    ended = ninsho("user", "add", "alice", "--password-stdin", *options, stdin="p\n")
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err
    assert ninsho("user", "list", "--json").json == []


def test_without_an_accounts_database_the_configuration_is_named(ninsho: Run, tmp_path: Path) -> None:
    (tmp_path / "users").touch()
    config = tmp_path / "ninsho.toml"
    config.write_text('[[store]]\ntype = "passwd-file"\npath = "users"\n')
    ended = ninsho("user", "list", "--config", config)
    assert ended.status == 1
    assert ended.err == f'ninsho: {config}: expected a [[store]] with type = "database", found none\n'


def test_a_broken_configuration_ends_with_78_and_all_its_problems(ninsho: Run, tmp_path: Path) -> None:
    config = tmp_path / "ninsho.toml"
    config.write_text("[log]\nformat = 1\n[failure]\ndelay = 1\n")
    ended = ninsho("user", "list", "--config", config)
    assert ended.status == 78
    assert ended.err.count("ninsho: ") == 2
