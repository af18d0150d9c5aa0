"""The accounts database: both ways to read it, and what it says where it cannot."""

import asyncio
import gc
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from made_up import AWKWARD_NAMES, BCRYPT, fill, lists, passwords, run, settle, url_of
from sqlalchemy.dialects import sqlite

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores import schema, sql_reader, sqlite_reader, tables
from ninsho.stores.accounts import Account, SecretStore
from ninsho.stores.administration import administer
from ninsho.stores.census import holders, lacking, schemes_held
from ninsho.stores.database import DatabaseStore
from ninsho.stores.entries import Entry
from ninsho.stores.networks import parse_networks
from ninsho.stores.sqlite_reader import SqliteReader

DRIVERS = ("sqlite", "sqlite+aiosqlite")


def found(url: str, *names: str) -> list[Account | None]:
    """What the store at *url* finds."""

    async def ask() -> list[Account | None]:
        async with DatabaseStore(url).open() as store:
            answers = [store.find(name) for name in names]
            return [await answer if hasattr(answer, "__await__") else answer for answer in answers]

    return run(ask())


def refusal(url: str) -> str:
    """Why the store at *url* does not open."""
    with pytest.raises(ConfigurationError) as caught:
        found(url)
    return str(caught.value)


@contextmanager
def reading(path: Path, clock: list[float] | None = None) -> Iterator[SqliteReader]:
    with closing(SqliteReader(path, clock=lambda: clock[0] if clock else 0.0)) as reader:
        yield reader


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_account_is_found_as_it_was_stored(path: Path, driver: str) -> None:
    networks = parse_networks("192.0.2.0/24 2001:db8::/32")
    fill(path, [Entry("Alice@Example.org", (BCRYPT, "{PLAIN}secret"), True, 1e9, networks, "her phone")])
    assert found(url_of(path, driver), "alice@example.org", "bob") == [
        Account("Alice@Example.org", (BCRYPT, "{PLAIN}secret"), True, 1e9, networks),
        None,
    ]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_name_is_one_login_in_any_case_and_keeps_its_spelling(path: Path, driver: str) -> None:
    fill(path, [Entry("Alice", ("{PLAIN}a",)), Entry("straße", ("{PLAIN}b",)), Entry("strasse", ("{PLAIN}c",))])
    names = ("alice", "ALICE", "straße", "STRASSE")
    assert [account.name for account in found(url_of(path, driver), *names)] == ["Alice", "Alice", "straße", "strasse"]


@pytest.mark.parametrize("driver", DRIVERS)
def test_awkward_names_find_themselves_and_nobody_else(path: Path, driver: str) -> None:
    fill(path, [Entry(name, ("{PLAIN}" + name,)) for name in AWKWARD_NAMES])
    assert [passwords(one) for one in found(url_of(path, driver), *AWKWARD_NAMES)] == [
        ("{PLAIN}" + name,) for name in AWKWARD_NAMES
    ]
    nobody = ("o", "%", "_", "100", "star", "back", "' OR ''='", "a  b", "alice")
    assert found(url_of(path, driver), *nobody) == [None] * len(nobody)


@pytest.mark.parametrize("driver", DRIVERS)
def test_two_accounts_may_have_the_same_password(path: Path, driver: str) -> None:
    fill(path, [Entry("alice", (BCRYPT,)), Entry("bob", (BCRYPT,))])
    alice, bob = found(url_of(path, driver), "alice", "bob")
    assert (alice.name, alice.secrets) == ("alice", (BCRYPT,))
    assert (bob.name, bob.secrets) == ("bob", (BCRYPT,))


@pytest.mark.parametrize("driver", DRIVERS)
def test_an_account_without_a_stored_form_is_found_all_the_same(path: Path, driver: str) -> None:
    fill(path, [Entry("alice")])
    assert found(url_of(path, driver), "alice") == [Account("alice")]


@pytest.mark.parametrize("driver", DRIVERS)
def test_schemes_are_counted_by_accounts(path: Path, driver: str) -> None:
    fill(path, [Entry("alice", ("{PLAIN}a", "{PLAIN}b", BCRYPT)), Entry("bob", ("{PLAIN}c",)), Entry("carol")])

    async def count() -> dict[str, int]:
        async with DatabaseStore(url_of(path, driver)).open() as store:
            return dict(await store.schemes())

    assert run(count()) == {"PLAIN": 2, "BLF-CRYPT": 1}


@given(lists)
@settings(max_examples=30)
def test_both_ways_to_read_give_the_same_answers(
    tmp_path_factory: pytest.TempPathFactory, accounts: list[Entry]
) -> None:
    path = tmp_path_factory.mktemp("same") / "accounts.db"
    fill(path, accounts)
    names = [spelling for entry in accounts for spelling in (entry.name, entry.key)] + ["nobody at all"]
    inline, awaited = (found(url_of(path, driver), *names) for driver in DRIVERS)
    assert inline == awaited
    assert inline[:-1:2] == [entry.account() for entry in accounts]
    assert inline[-1] is None


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_master_is_one_at_the_next_login(path: Path, driver: str) -> None:
    fill(path, [Entry("alice", master=True), Entry("bob")])
    alice, bob = found(url_of(path, driver), "alice", "bob")
    assert (alice.master, bob.master) == (True, False)


def test_the_question_is_the_one_that_sqlalchemy_asks() -> None:
    for ours, theirs in (
        (sqlite_reader.ACCOUNT_BY_KEY, tables.ACCOUNT_BY_KEY),
        (sqlite_reader.SCHEMES, sql_reader.SCHEMES),
    ):
        assert ours == " ".join(str(theirs.compile(dialect=sqlite.dialect())).split())


@pytest.mark.parametrize("driver", DRIVERS)
def test_accounts_are_counted_by_what_they_hold(path: Path, driver: str) -> None:
    scram = "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE="
    fill(path, [Entry("bob", ("{PLAIN}x",)), Entry("Alice", ("{PLAIN}y", scram)), Entry("nobody")])

    async def count() -> None:
        async with DatabaseStore(url_of(path, driver)).open() as store:
            assert await schemes_held([store]) == {"PLAIN": 2, "SCRAM-SHA-1": 1}
            assert [await lacking([store], schemes) for schemes in (["PLAIN"], ["SCRAM-SHA-1", "X"], [])] == [1, 2, 3]
            assert await holders([store], "PLAIN", 1) == [("Alice", "{PLAIN}y")]
            assert await holders([store, store], "SCRAM-SHA-1", 5) == [("Alice", scram)] * 2
            assert [await holders([store], "PLAIN", 5, every) for every in (2, 9)] == [[("Alice", "{PLAIN}y")], []]

    run(count())


def test_the_inline_way_loads_no_sqlalchemy(path: Path) -> None:
    fill(path, [Entry("alice")])
    program = f"""
import asyncio, sys
from ninsho.stores.database import DatabaseStore
async def main():
    async with DatabaseStore({url_of(path)!r}).open() as store:
        assert store.find("alice").name == "alice"
asyncio.run(main())
print(*sorted({{"sqlalchemy", "alembic", "pydantic"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


def test_a_change_counts_at_the_next_login(path: Path) -> None:
    fill(path, [Entry("alice", ("{PLAIN}old",))])
    with reading(path) as reader:
        assert settle(reader.find("alice")).secrets == ("{PLAIN}old",)
        fill(path, [Entry("alice", ("{PLAIN}new",), disabled=True), Entry("bob")])
        assert settle(reader.find("alice")) == Account("alice", ("{PLAIN}new",), disabled=True)
        assert settle(reader.find("bob")) == Account("bob")


def test_readers_do_not_wait_for_a_writer_in_the_middle_of_a_change(path: Path) -> None:
    fill(path, [Entry("alice", ("{PLAIN}old",))])
    with reading(path) as reader, closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("UPDATE secrets SET stored = '{PLAIN}new'")
        account = reader.find("alice")
        assert isinstance(account, Account)
        assert account.secrets == ("{PLAIN}old",)
        writer.execute("COMMIT")
        assert settle(reader.find("alice")).secrets == ("{PLAIN}new",)


@contextmanager
def held_alone(path: Path) -> Iterator[sqlite3.Connection]:
    """A program of the site's own that has the whole database to itself."""
    with closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
        other.execute("PRAGMA journal_mode = DELETE")
        other.execute("BEGIN EXCLUSIVE")
        yield other


def test_a_locked_database_is_waited_for(path: Path) -> None:
    fill(path, [Entry("alice")])
    with held_alone(path) as other, reading_locked(path, other) as reader:

        async def find() -> Account | None:
            answer = reader.find("alice")
            assert not isinstance(answer, Account | None)
            asyncio.get_running_loop().call_later(0.05, other.execute, "COMMIT")
            return await answer

        assert run(find()) == Account("alice")


def test_whoever_cannot_wait_for_a_locked_database_may_drop_the_answer(path: Path) -> None:
    fill(path, [Entry("alice")])
    with held_alone(path) as other, reading_locked(path, other) as reader:
        assert not isinstance(reader.find("alice"), Account | None)
        # A coroutine that is never awaited would warn by now.
        gc.collect()
        other.execute("COMMIT")
        assert reader.find("alice") == Account("alice")


def test_a_database_that_stays_locked_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_reader, "PAUSES", (0.01, 0.01))
    fill(path, [Entry("alice")])
    with held_alone(path) as other, reading_locked(path, other) as reader:
        answer = reader.find("alice")
        with pytest.raises(StoreUnavailable, match="another program has had it for itself"):
            settle(answer)


@contextmanager
def reading_locked(path: Path, other: sqlite3.Connection) -> Iterator[SqliteReader]:
    """A reader that was opened before *other* took the lock."""
    other.execute("COMMIT")
    with reading(path) as reader:
        assert settle(reader.find("alice"))
        other.execute("BEGIN EXCLUSIVE")
        yield reader


def test_a_file_in_the_place_of_the_other_is_noticed(path: Path, tmp_path: Path) -> None:
    fill(path, [Entry("alice", ("{PLAIN}old",))])
    fill(tmp_path / "backup.db", [Entry("alice", ("{PLAIN}restored",)), Entry("bob")])
    clock = [0.0]
    with reading(path, clock) as reader:
        assert settle(reader.find("alice")).secrets == ("{PLAIN}old",)
        (tmp_path / "backup.db").replace(path)
        clock[0] += sqlite_reader.INTERVAL
        assert settle(reader.find("alice")).secrets == ("{PLAIN}restored",)
        assert settle(reader.find("bob"))


def test_a_file_that_is_written_over_is_noticed(path: Path, tmp_path: Path) -> None:
    fill(path, [Entry("alice", ("{PLAIN}old",))])
    fill(tmp_path / "backup.db", [Entry("alice", ("{PLAIN}restored",))])
    clock = [0.0]
    with reading(path, clock) as reader:
        assert settle(reader.find("alice")).secrets == ("{PLAIN}old",)
        shutil.copyfile(tmp_path / "backup.db", path)
        clock[0] += sqlite_reader.INTERVAL
        assert settle(reader.find("alice")).secrets == ("{PLAIN}restored",)


def test_a_file_that_is_gone_is_no_unknown_user(path: Path) -> None:
    fill(path, [Entry("alice")])
    clock = [0.0]
    with reading(path, clock) as reader:
        assert settle(reader.find("alice"))
        path.rename(path.with_suffix(".away"))
        clock[0] += sqlite_reader.INTERVAL
        for name in ("alice", "bob"):
            with pytest.raises(StoreUnavailable, match=r"accounts\.db: No such file or directory"):
                reader.find(name)
        path.with_suffix(".away").rename(path)
        assert settle(reader.find("alice")) == Account("alice")


def test_a_file_that_is_no_database_any_more_is_unavailable(path: Path) -> None:
    fill(path, [Entry("alice")])
    clock = [0.0]
    with reading(path, clock) as reader:
        assert settle(reader.find("alice"))
        path.with_suffix(".new").write_bytes(b"not a database at all" * 100)
        path.with_suffix(".new").replace(path)
        clock[0] += sqlite_reader.INTERVAL
        with pytest.raises(StoreUnavailable, match="file is not a database"):
            reader.find("alice")


def test_networks_that_somebody_mistyped_by_hand_let_nobody_in(path: Path) -> None:
    fill(path, [Entry("alice")])
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE accounts SET networks = 'localhost'")
    for driver in DRIVERS:
        with pytest.raises(StoreUnavailable, match="networks of 'alice'"):
            found(url_of(path, driver), "alice")


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_missing_file_is_told_with_the_command_that_makes_it(path: Path, driver: str) -> None:
    assert refusal(url_of(path, driver)) == f"{path}: expected the accounts database, found no file: run `ninsho init`"
    assert not path.exists()


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_file_without_tables_is_told_with_the_command_that_makes_them(path: Path, driver: str) -> None:
    sqlite3.connect(path).close()
    assert refusal(url_of(path, driver)).endswith("expected the accounts database, found no tables: run `ninsho init`")


@pytest.mark.parametrize("driver", DRIVERS)
def test_outdated_tables_are_told_with_the_command_that_mends_them(path: Path, driver: str) -> None:
    fill(path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '0000'")
    assert f"accounts.db: expected revision {schema.REVISION} of the tables, got 0000: run `ninsho init`" in refusal(
        url_of(path, driver)
    )


def test_a_file_that_is_no_database_does_not_open(path: Path) -> None:
    path.write_bytes(b"not a database at all" * 100)
    assert refusal(url_of(path)) == f"{path}: file is not a database"


def test_a_user_changed_between_two_finds_is_seen_on_the_awaited_way_too(path: Path) -> None:
    fill(path, [Entry("alice", ("{PLAIN}old",))])

    async def change() -> list[Account | None]:
        async with DatabaseStore(url_of(path, "sqlite+aiosqlite")).open() as store:
            before = await store.find("alice")
            async with administer(url_of(path)) as accounts:
                await accounts.set_secrets("alice", ["{PLAIN}new"])
            return [before, await store.find("alice")]

    assert [passwords(account) for account in run(change())] == [("{PLAIN}old",), ("{PLAIN}new",)]


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_store_hands_out_secrets(path: Path, driver: str) -> None:
    fill(path)

    async def is_one() -> bool:
        async with DatabaseStore(url_of(path, driver)).open() as store:
            return isinstance(store, SecretStore)

    assert run(is_one())


def test_a_server_that_does_not_answer_is_unavailable_and_nobody_learns_who_logs_in_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("psycopg")
    monkeypatch.setenv("NINSHO_DATABASE_PASSWORD", "hunter2")
    with pytest.raises(StoreUnavailable) as caught:
        found("postgresql+psycopg://somebody@127.0.0.1:1/accounts?connect_timeout=2")
    text = str(caught.value)
    assert text.startswith("postgresql+psycopg://127.0.0.1:1/accounts: ")
    assert "refused" in text
    assert "hunter2" not in text
    assert "somebody" not in text


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        (
            "mssql+aioodbc://db.example.org/accounts",
            "url: mssql+aioodbc needs a package that is not installed: aioodbc",
        ),
        ("sqlite+pysqlite:////accounts.db", "url: The asyncio extension requires an async driver"),
        ("oracle+nothing://db.example.org/accounts", "url: Can't load plugin: sqlalchemy.dialects:oracle.nothing"),
    ],
)
def test_a_driver_that_cannot_be_used_is_named(url: str, problem: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        found(url.replace("////accounts.db", f"///{__file__}"))
    assert str(caught.value).startswith(problem)
