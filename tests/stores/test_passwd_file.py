"""Stores that read a file: what is in it, and what becomes of it while somebody is changing it."""

import logging
import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import pytest
from made_up import BCRYPT, run

from ninsho.errors import ConfigurationError, MalformedSecret, StoreUnavailable
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, SecretStore
from ninsho.stores.entries import Entry
from ninsho.stores.file_accounts import INTERVAL, SETTLED, FileAccounts
from ninsho.stores.interchange import passwd
from ninsho.stores.networks import parse_networks
from ninsho.stores.passwd_file import HtpasswdStore, PasswdFileStore


class Scene:
    """A passwd-file, the store that reads it, and both clocks."""

    def __init__(self, path: Path, text: str) -> None:
        self.path = path
        self.seconds = 1000.0
        self.write(text)
        self.wait(1.0)
        self.store = FileAccounts(
            path,
            partial(passwd.read, default_scheme="CRYPT"),
            clock=lambda: self.seconds,
            now=lambda: int(self.seconds * 1e9),
        )

    def wait(self, seconds: float) -> None:
        self.seconds += seconds

    def write(self, text: str) -> None:
        """Write the file over, as editors do."""
        self.path.write_text(text)
        self.touch()

    def replace(self, text: str) -> None:
        """Put another file in its place, as careful programs do."""
        other = self.path.with_suffix(".new")
        other.write_text(text)
        other.replace(self.path)
        self.touch()

    def touch(self) -> None:
        now = int(self.seconds * 1e9)
        os.utime(self.path, ns=(now, now))

    def secrets(self, name: str) -> tuple[str, ...] | None:
        account = self.store.find(name)
        return None if account is None else account.secrets


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path / "users", "alice:{PLAIN}old\n")


@pytest.fixture
def journal(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    caplog.set_level(logging.WARNING, logger="ninsho.stores")
    return lambda: [record.getMessage() for record in caplog.records]


def opened(recipe: PasswdFileStore | HtpasswdStore) -> SecretStore:
    async def enter() -> SecretStore:
        async with recipe.open() as store:
            return store

    return run(enter())


def problems(recipe: PasswdFileStore | HtpasswdStore) -> tuple[str, ...]:
    with pytest.raises(ConfigurationError) as caught:
        opened(recipe)
    return caught.value.problems


def test_an_account_is_found_in_any_case_of_its_name(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"Alice:{BCRYPT}::::::allow_nets=192.0.2.0/24 nologin\n")
    store = opened(PasswdFileStore(path))
    expected = Account("Alice", (BCRYPT,), disabled=True, networks=parse_networks("192.0.2.0/24"))
    assert store.find("alice") == store.find("ALICE") == expected
    assert store.find("bob") is None
    assert isinstance(store, SecretStore)


def test_a_master_is_marked_as_such(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("alice:{PLAIN}a::::::master=y\nbob:{PLAIN}b::::::master=no nologin\ncarol:{PLAIN}c\n")
    store = opened(PasswdFileStore(path))
    assert [store.find(name).master for name in ("alice", "bob", "carol")] == [True, False, False]


def test_the_default_scheme_is_that_of_bare_passwords(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("alice:secret\n")
    assert opened(PasswdFileStore(path, "plain")).find("alice").secrets == ("{PLAIN}secret",)


def test_an_unknown_default_scheme_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"default_scheme: scheme CRIPT is not known; did you mean CRYPT\?"):
        PasswdFileStore(tmp_path / "none", "CRIPT")


def test_every_bad_line_is_told_with_its_place_and_without_the_secret(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_bytes(b"alice\nbob:{PLAIN}x\nBob:{PLAIN}y\ncarol:hunter2\nd\xff:{PLAIN}x\n")
    assert problems(PasswdFileStore(path)) == (
        f"{path}:1: expected user:password, got no colon",
        f"{path}:3: expected each user once, got 'Bob' again, as in line 2",
        f"{path}:4: password: {{CRYPT}}: expected a form such as $6$…, of a method that is known",
        f"{path}:5: user name: expected UTF-8",
    )


def test_a_password_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_bytes(b"alice:{PLAIN}\xff\n")
    assert problems(PasswdFileStore(path)) == (f"{path}:1: password: expected UTF-8",)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "users"
    for recipe in (PasswdFileStore(path), HtpasswdStore(path)):
        assert problems(recipe) == (f"{path}: cannot be read: No such file or directory",)


def test_schemes_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text(f"alice:{BCRYPT}\nbob:{{PLAIN}}x\ncarol:{{PLAIN}}y\ndave:*\n")
    assert opened(PasswdFileStore(path)).schemes() == {"BLF-CRYPT": 1, "PLAIN": 2}


def test_weak_hashes_are_counted_and_refused_at_the_login(tmp_path: Path) -> None:
    path = tmp_path / "htpasswd"
    path.write_text(f"alice:{BCRYPT.partition('}')[2]}\nbob:$apr1$salt$abcdefghijklmnopqrstu/\n")
    store = opened(HtpasswdStore(path))
    assert store.schemes() == {"BLF-CRYPT": 1, "APR1-MD5": 1}
    assert [holder.name for holder in store.holders("APR1-MD5", 20)] == ["bob"]
    with pytest.raises(MalformedSecret, match=r"scheme APR1-MD5 is weak, and passwords.weak does not permit it"):
        hashing.verify(store.find("bob").secrets[0], "x")


@pytest.mark.parametrize("change", [Scene.write, Scene.replace])
def test_a_change_counts_once_it_has_settled(scene: Scene, change: Callable[[Scene, str], None]) -> None:
    scene.wait(1.0)
    change(scene, "alice:{PLAIN}new\nbob:{PLAIN}x\n")
    scene.wait(SETTLED / 1e9 / 2)
    assert scene.secrets("alice") == ("{PLAIN}old",)
    scene.wait(INTERVAL)
    assert scene.secrets("alice") == ("{PLAIN}new",)
    assert scene.secrets("bob") == ("{PLAIN}x",)


def test_a_file_in_the_middle_of_being_written_leaves_the_users_known(scene: Scene) -> None:
    scene.wait(1.0)
    scene.write("")
    scene.wait(0.05)
    assert scene.secrets("alice") == ("{PLAIN}old",)
    scene.write("alice:{PLAIN}new\n")
    scene.wait(0.2)
    assert scene.secrets("alice") == ("{PLAIN}new",)


def test_a_file_that_was_changing_when_it_was_first_read_is_read_again(scene: Scene) -> None:
    # Another change at this very moment might leave size and time as they are.
    scene.write("alice:{PLAIN}one\n")
    readings: list[int] = []

    def read(lines: Iterable[str]) -> Iterator[Entry]:
        readings.append(1)
        return passwd.read(lines)

    store = FileAccounts(scene.path, read, clock=lambda: scene.seconds, now=lambda: int(scene.seconds * 1e9))
    for _ in range(3):
        scene.wait(1.0)
        assert store.find("alice")
    assert len(readings) == 2


def test_a_file_from_the_future_is_read_as_any_other(scene: Scene) -> None:
    scene.wait(1.0)
    scene.write("alice:{PLAIN}new\n")
    os.utime(scene.path, (scene.seconds + 1e6, scene.seconds + 1e6))
    scene.wait(INTERVAL)
    assert scene.secrets("alice") == ("{PLAIN}new",)


def test_a_file_that_is_broken_leaves_the_accounts_in_force_and_is_reported_once(
    scene: Scene, journal: Callable[[], list[str]]
) -> None:
    scene.wait(1.0)
    scene.write("alice:{PLAIN}new\nbob\n")
    for _ in range(3):
        scene.wait(1.0)
        assert scene.secrets("alice") == ("{PLAIN}old",)
    assert journal() == [
        f"{scene.path}:2: expected user:password, got no colon; the accounts read before stay in force"
    ]
    scene.write("alice:{PLAIN}new\nbob:{PLAIN}x\n")
    scene.wait(1.0)
    assert scene.secrets("alice") == ("{PLAIN}new",)


def test_a_file_that_is_gone_is_no_unknown_user(scene: Scene) -> None:
    away = scene.path.with_suffix(".away")
    scene.path.rename(away)
    scene.wait(1.0)
    for name in ("alice", "bob"):
        with pytest.raises(StoreUnavailable, match="users: cannot be read: No such file or directory"):
            scene.store.find(name)
    away.rename(scene.path)
    scene.wait(1.0)
    assert scene.secrets("alice") == ("{PLAIN}old",)


def test_the_file_is_not_looked_at_for_each_login(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **options: looks.append(path) or stat(path, **options))
    scene.wait(1.0)
    for _ in range(100):
        scene.secrets("alice")
    assert looks == [scene.path]


def test_a_file_that_has_not_changed_is_not_read_again(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "open", None)
    for _ in range(5):
        scene.wait(1.0)
        assert scene.secrets("alice") == ("{PLAIN}old",)
