"""Users from an environment variable or a file of secrets."""

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up import ARGON2, BCRYPT, run

from ninsho.errors import ConfigurationError
from ninsho.stores.accounts import Account, SecretStore
from ninsho.stores.environment import EnvironmentStore


def opened(recipe: EnvironmentStore) -> SecretStore:
    async def enter() -> SecretStore:
        async with recipe.open() as store:
            return store

    return run(enter())


def secrets_of(text: str, *names: str) -> list[tuple[str, ...]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NINSHO_USERS", text)
        store = opened(EnvironmentStore())
    assert len(store) == len(names)
    return [store.find(name).secrets for name in names]


def problems(text: str) -> tuple[str, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NINSHO_USERS", text)
        with pytest.raises(ConfigurationError) as caught:
            opened(EnvironmentStore())
    return caught.value.problems


@pytest.mark.parametrize("separator", [",", " ", ", ", "\n", "\r\n", ",  ", "\n\n"])
def test_users_stand_between_commas_blanks_or_line_feeds(separator: str) -> None:
    text = separator.join([f"alice:{ARGON2}", f"bob:{BCRYPT}", "carol:{PLAIN}secret"])
    assert secrets_of(text, "alice", "bob", "carol") == [(ARGON2,), (BCRYPT,), ("{PLAIN}secret",)]


def test_the_commas_of_argon2_stay_where_they_are() -> None:
    bare = ARGON2.partition("}")[2]
    assert secrets_of(f"alice:{ARGON2},bob:{bare}", "alice", "bob") == [(ARGON2,), (ARGON2,)]


def test_a_bare_password_is_a_password_and_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, logger="ninsho.stores")
    assert secrets_of("alice:pa$$word,bob:{PLAIN}x", "alice", "bob") == [("{PLAIN}pa$$word",), ("{PLAIN}x",)]
    assert [record.getMessage() for record in caplog.records] == [
        "$NINSHO_USERS: 1 of 2 users have the password itself there, where a hash would do"
    ]


def test_on_lines_of_their_own_passwords_may_hold_anything() -> None:
    text = "\n# users of the scanner\nalice:pa,ss:wo rd\n bob:{PLAIN}x,y:z\n"
    assert secrets_of(text, "alice", "bob") == [("{PLAIN}pa,ss:wo rd",), ("{PLAIN}x,y:z",)]


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,8}", fullmatch=True), st.from_regex(r"[!-~]{1,12}", fullmatch=True), min_size=2
    )
)
def test_any_printable_password_can_be_said_on_a_line(users: dict[str, str]) -> None:
    text = "\n".join(f"{name}:{{PLAIN}}{password}" for name, password in users.items())
    assert secrets_of(text, *users) == [("{PLAIN}" + password,) for password in users.values()]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "$NINSHO_USERS: expected users as name:secret, got none"),
        (" \n ", "$NINSHO_USERS: expected users as name:secret, got none"),
        ("hunter2", "$NINSHO_USERS: user 1: expected name:secret"),
        ("alice:", "$NINSHO_USERS: user 1: expected name:secret"),
        (":hunter2", "$NINSHO_USERS: user 1: expected name:secret"),
        ("bob:{PLAIN}x,alice:hun ter2", "$NINSHO_USERS: user 2: expected several lines, one for each user, as this"),
        ("alice:hun,ter2", "$NINSHO_USERS: user 1: expected several lines"),
        ("alice:{hunter2}", "$NINSHO_USERS: user 1: expected a stored form; in front of a password that begins with {"),
        ("alice:$hunter2$", "$NINSHO_USERS: user 1: expected a stored form"),
        ("alice:a,Alice:b", "$NINSHO_USERS: user 2: expected each user once, got 'Alice' again, as in user 1"),
        ("al\x01ce:hunter2", "$NINSHO_USERS: user 1: user name: character 3 is prohibited"),
    ],
)
def test_what_is_no_list_of_users_is_told_without_the_password(text: str, problem: str) -> None:
    (told,) = problems(text)
    assert told[: len(problem)] == problem
    assert "hun" not in told
    assert "HUN" not in told


def test_all_bad_users_are_told() -> None:
    assert len(problems("alice\nbob:x\ncarol\n")) == 2


def test_users_may_stand_in_a_file_of_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "users"
    file.write_text(f"alice:{BCRYPT},bob:{{PLAIN}}x\n")
    assert opened(EnvironmentStore(file=file)).find("Alice") == Account("alice", (BCRYPT,))
    monkeypatch.setenv("NINSHO_USERS_FILE", str(file))
    assert opened(EnvironmentStore()).find("bob") == Account("bob", ("{PLAIN}x",))


def test_the_variable_can_have_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTPD_USERS", f"alice:{BCRYPT}")
    assert opened(EnvironmentStore("SMTPD_USERS")).find("alice")


def test_the_users_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NINSHO_USERS", f"alice:{BCRYPT}")
    store = opened(EnvironmentStore())
    monkeypatch.delenv("NINSHO_USERS")
    assert store.find("alice")
    assert store.schemes() == {"BLF-CRYPT": 1}


def test_users_in_two_places_are_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NINSHO_USERS", "alice:x")
    with pytest.raises(ConfigurationError, match=r"expected either \$NINSHO_USERS or file, got both"):
        opened(EnvironmentStore(file=tmp_path / "users"))
    monkeypatch.setenv("NINSHO_USERS_FILE", str(tmp_path / "users"))
    with pytest.raises(ConfigurationError, match=r"expected either \$NINSHO_USERS or \$NINSHO_USERS_FILE, got both"):
        opened(EnvironmentStore())


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="users: cannot be read: No such file or directory"):
        opened(EnvironmentStore(file=tmp_path / "users"))
    (tmp_path / "users").write_bytes(b"alice:\xff")
    with pytest.raises(ConfigurationError, match="users: expected UTF-8"):
        opened(EnvironmentStore(file=tmp_path / "users"))
