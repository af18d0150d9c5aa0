"""Changing the accounts database."""

import sqlite3
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from made_up import AWKWARD_NAMES, BCRYPT, collect, fill, lists, run, url_of

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores import engines
from ninsho.stores.administration import Administration, Imported, administer
from ninsho.stores.entries import AccountExists, Entry, NoSuchAccount
from ninsho.stores.names import MalformedEntry
from ninsho.stores.networks import parse_networks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


class Office:
    """The accounts of a database and the clock on its wall."""

    def __init__(self, path: Path) -> None:
        self.url = fill(path)
        self.now = 1000.0

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Administration]:
        self.now += 1.0
        async with administer(self.url, clock=lambda: self.now) as accounts:
            yield accounts


@pytest.fixture
def office(path: Path) -> Office:
    return Office(path)


def test_an_added_account_can_be_read_back_whole(office: Office) -> None:
    networks = parse_networks("192.0.2.0/24")

    async def work() -> None:
        async with office() as accounts:
            await accounts.add(
                "Alice",
                [BCRYPT, "{PLAIN}x"],
                disabled=True,
                expires=2e9,
                networks=networks,
                note="her phone",
                master=True,
            )
            record = await accounts.get("alice")
        assert record.entry() == Entry("Alice", (BCRYPT, "{PLAIN}x"), True, 2e9, networks, "her phone", master=True)
        assert (record.created, record.changed) == (1001.0, 1001.0)

    run(work())


def test_a_name_that_is_taken_in_another_case_is_taken(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("alice", ["{PLAIN}first"])
            with pytest.raises(AccountExists, match="account 'ALICE' exists already"):
                await accounts.add("ALICE", ["{PLAIN}second"])
            assert (await accounts.get("Alice")).secrets == ("{PLAIN}first",)

    run(work())


def test_changes_are_made_and_dated(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("alice", ["{PLAIN}old", BCRYPT])
        async with office() as accounts:
            await accounts.set_secrets("ALICE", ["{PLAIN}new"])
            record = await accounts.get("alice")
            assert (record.secrets, record.created, record.changed) == (("{PLAIN}new",), 1001.0, 1002.0)
        async with office() as accounts:
            await accounts.disable("Alice")
            record = await accounts.get("alice")
            assert (record.disabled, record.changed) == (True, 1003.0)
        async with office() as accounts:
            await accounts.enable("alice")
            record = await accounts.get("alice")
            assert (record.disabled, record.changed, record.created) == (False, 1004.0, 1001.0)
        async with office() as accounts:
            await accounts.set_master("ALICE", master=True)
            record = await accounts.get("alice")
            assert (record.master, record.changed) == (True, 1005.0)
        async with office() as accounts:
            await accounts.set_master("alice", master=False)
            assert not (await accounts.get("alice")).master

    run(work())


def test_secrets_go_with_their_account(office: Office, path: Path) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("alice", [BCRYPT, "{PLAIN}x"])
            await accounts.add("bob", ["{PLAIN}y"])
            await accounts.remove("Alice")
            with pytest.raises(NoSuchAccount):
                await accounts.get("alice")
            assert await accounts.schemes() == {"PLAIN": 1}

    run(work())
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT stored FROM secrets").fetchall() == [("{PLAIN}y",)]


@pytest.mark.parametrize("change", ["get", "disable", "enable", "remove", "set_secrets", "set_master"])
def test_what_is_not_there_cannot_be_changed(office: Office, change: str) -> None:
    async def work() -> None:
        async with office() as accounts:
            arguments = (["{PLAIN}x"],) if change == "set_secrets" else ()
            options = {"master": True} if change == "set_master" else {}
            with pytest.raises(NoSuchAccount, match="there is no account 'nobody'"):
                await getattr(accounts, change)("nobody", *arguments, **options)

    run(work())


def test_names_from_query_languages_are_only_names(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            for name in AWKWARD_NAMES:
                await accounts.add(name, ["{PLAIN}" + name])
            await accounts.disable("' OR '1'='1")
            listed = await collect(accounts.list())
            assert [record.name for record in listed] == sorted(AWKWARD_NAMES, key=str.lower)
            assert [record.name for record in listed if record.disabled] == ["' OR '1'='1"]
            for name in AWKWARD_NAMES:
                assert (await accounts.get(name)).secrets == ("{PLAIN}" + name,)
                await accounts.remove(name)
            assert await collect(accounts.list()) == []

    run(work())


def test_a_list_can_be_narrowed_by_a_part_of_the_name(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            for name in ("alice@example.org", "Bob@Example.org", "100%@example.com", "1000@example.com"):
                await accounts.add(name, [])

            async def names(containing: str) -> list[str]:
                return [record.name for record in await collect(accounts.list(containing=containing))]

            assert await names("@EXAMPLE.ORG") == ["alice@example.org", "Bob@Example.org"]
            assert await names("0%") == ["100%@example.com"]
            assert await names("_") == []

    run(work())


def test_a_long_list_is_whole_and_in_order_even_if_it_changes_meanwhile(office: Office) -> None:
    entries = [Entry(f"user{number:05}") for number in range(2500)]

    async def work() -> None:
        async with office() as accounts:
            assert await accounts.import_accounts(reversed(entries), replace=False) == Imported(2500, 0)
            seen = []
            async for record in accounts.list():
                seen.append(record.name)
                if record.name == "user00100":
                    await accounts.remove("user02000")
            assert seen == [entry.name for entry in entries if entry.name != "user02000"]

    run(work())


@given(lists, lists)
@settings(max_examples=30)
def test_an_import_makes_the_accounts_what_the_list_says(
    tmp_path_factory: pytest.TempPathFactory, before: list[Entry], after: list[Entry]
) -> None:
    path = tmp_path_factory.mktemp("import") / "accounts.db"
    url = fill(path, before)
    expected = {entry.key: entry for entry in [*before, *after]}

    async def work() -> None:
        async with administer(url) as accounts:
            imported = await accounts.import_accounts(after, replace=True)
            assert imported.replaced == len({e.key for e in before} & {e.key for e in after})
            assert sum(imported) == len(after)
            listed = [record.entry() async for record in accounts.list()]
            assert listed == [expected[key] for key in sorted(expected)]

    run(work())


def test_an_import_that_meets_an_account_changes_nothing(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("bob", ["{PLAIN}old"])
            with pytest.raises(AccountExists, match="account 'BOB' exists already"):
                await accounts.import_accounts([Entry("alice"), Entry("BOB")], replace=False)
            assert [record.name async for record in accounts.list()] == ["bob"]

    run(work())


def test_an_import_whose_list_breaks_off_changes_nothing(office: Office) -> None:
    def broken() -> Iterator[Entry]:
        yield from (Entry(f"user{number}") for number in range(1500))
        raise MalformedEntry("line 1501")

    async def work() -> None:
        async with office() as accounts:
            with pytest.raises(MalformedEntry, match="line 1501"):
                await accounts.import_accounts(broken(), replace=True)
            assert await collect(accounts.list()) == []

    run(work())


def test_a_replaced_account_keeps_the_time_of_its_making(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.import_accounts([Entry("alice", ("{PLAIN}a", BCRYPT))], replace=False)
        async with office() as accounts:
            await accounts.import_accounts([Entry("Alice", ("{PLAIN}b",))], replace=True)
            record = await accounts.get("alice")
        assert (record.name, record.secrets) == ("Alice", ("{PLAIN}b",))
        assert (record.created, record.changed) == (1001.0, 1002.0)

    run(work())


def test_a_list_with_a_name_twice_is_refused(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            with pytest.raises(MalformedEntry, match="expected each user once, got 'ALICE' again"):
                await accounts.import_accounts([Entry("alice"), Entry("ALICE")], replace=True)

    run(work())


def test_twenty_thousand_accounts_are_imported_and_found(office: Office) -> None:
    entries = [Entry(f"user{number}@example.org", (f"{{PLAIN}}{number}",)) for number in range(20_000)]

    async def work() -> None:
        async with office() as accounts:
            assert await accounts.import_accounts(entries, replace=False) == Imported(20_000, 0)
            assert (await accounts.get("USER12345@example.org")).secrets == ("{PLAIN}12345",)
            assert await accounts.schemes() == {"PLAIN": 20_000}

    run(work())


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "user name: empty"),
        (" alice", "expected no blank at its ends"),
        ("alice ", "expected no blank at its ends"),
        ("a\0b", "user name: character 2 is prohibited"),
        ("line\nfeed", "user name: character 5 is prohibited"),
        ("\ud800", "user name: expected UTF-8"),
        ("a" * 256, "user name: expected at most 255 characters, got 256"),
        ("İ" * 200, "user name: expected at most 255 characters, got 400"),
    ],
)
def test_names_that_no_login_could_bring_are_refused(office: Office, name: str, problem: str) -> None:
    async def work() -> None:
        async with office() as accounts:
            with pytest.raises(MalformedEntry, match=problem):
                await accounts.add(name, [])

    run(work())


def test_a_form_that_no_scheme_knows_is_refused_and_not_told(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            with pytest.raises(MalformedEntry) as caught:
                await accounts.add("alice", ["hunter2"])
            assert str(caught.value) == "password: expected {SCHEME} in front of the stored form"
            await accounts.add("alice", [])
            with pytest.raises(MalformedEntry):
                await accounts.set_secrets("alice", ["hunter2"])

    run(work())


def test_a_note_too_long_is_refused(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            with pytest.raises(MalformedEntry, match="note: expected at most 2000 characters, got 2001"):
                await accounts.add("alice", [], note="n" * 2001)

    run(work())


def test_what_somebody_wrote_by_hand_can_be_listed_but_not_exported(office: Office, path: Path) -> None:
    fill(path, [Entry("alice", (BCRYPT,))])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE secrets SET stored = 'hunter2'")

    async def work() -> None:
        async with office() as accounts:
            (record,) = await collect(accounts.list())
            assert record.secrets == ("hunter2",)
            assert "hunter2" not in repr(record)
            with pytest.raises(MalformedEntry):
                record.entry()

    run(work())


def test_two_commands_at_once_wait_for_each_other(office: Office) -> None:
    async def work() -> None:
        async with office() as one, office() as other:
            await one.add("alice", [])
            await other.add("bob", [])
            await one.set_secrets("bob", ["{PLAIN}x"])
            await other.disable("alice")
            assert [record.name async for record in one.list()] == ["alice", "bob"]

    run(work())


def test_a_database_that_another_program_keeps_to_itself_is_unavailable(
    office: Office, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "BUSY_TIMEOUT", 0.05)

    async def work() -> None:
        async with office() as accounts:
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                with pytest.raises(StoreUnavailable, match="database is locked"):
                    await accounts.add("alice", [])
                # Reading goes on.
                assert await collect(accounts.list()) == []

    run(work())


def test_the_file_is_for_its_owner_and_group_and_the_directory_is_made(tmp_path: Path) -> None:
    path = tmp_path / "ninsho" / "accounts.db"

    async def work() -> None:
        async with administer(url_of(path)):
            pass

    run(work())
    assert stat.S_IMODE(path.stat().st_mode) & 0o027 == 0
    assert stat.S_IMODE(path.parent.stat().st_mode) & 0o027 == 0


def test_a_file_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    async def work() -> None:
        async with administer(url_of(tmp_path / "no" / "such" / "accounts.db")):
            pass

    with pytest.raises(ConfigurationError, match=r"accounts\.db: cannot be made: No such file or directory"):
        run(work())


def test_after_a_command_the_file_alone_is_a_whole_backup(office: Office, path: Path, tmp_path: Path) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("alice", [])

    # A server that reads meanwhile keeps SQLite from tidying up by itself.
    with closing(sqlite3.connect(path)) as server:
        server.execute("SELECT * FROM accounts").fetchall()
        run(work())
        backup = tmp_path / "backup.db"
        backup.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(backup)) as restored:
        assert restored.execute("SELECT name FROM accounts").fetchall() == [("alice",)]


def test_an_entry_can_be_changed_by_way_of_an_import(office: Office) -> None:
    async def work() -> None:
        async with office() as accounts:
            await accounts.add("alice", ["{PLAIN}x"], note="her phone")
            entry = (await accounts.get("alice")).entry()
            await accounts.import_accounts([replace(entry, expires=5.0)], replace=True)
            assert (await accounts.get("alice")).entry() == Entry("alice", ("{PLAIN}x",), expires=5.0, note="her phone")

    run(work())
