"""Accounts get the stored forms that they lack while their users log in."""

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import mkdtemp

import pytest
from made_up import fill, run, settle, url_of
from sqlalchemy.dialects import sqlite

from ninsho.errors import StoreUnavailable
from ninsho.stores import growth as growing
from ninsho.stores import hashing, sqlite_writer, statements
from ninsho.stores.accounts import Account, PasswordVerifier, SecretStore
from ninsho.stores.administration import administer
from ninsho.stores.database import DatabaseStore
from ninsho.stores.entries import Entry
from ninsho.stores.growth import Growth, ReadOnly, SecretWriter
from ninsho.stores.sqlite_reader import SqliteReader
from ninsho.stores.wanted_forms import WantedForms

OLD = hashing.make("p", "SSHA")
DERIVE = WantedForms("SSHA512", ("CRAM-MD5",))
BOTH = WantedForms("SSHA512", ("CRAM-MD5",), rehash=True)


class Shelf:
    """A store in memory whose forms can be changed, as soon as the door is open."""

    def __init__(self, **secrets: tuple[str, ...]) -> None:
        self.secrets = secrets
        self.asked: list[str] = []
        self.door = asyncio.Event()
        self.door.set()
        self.reached = asyncio.Event()
        self.trouble: Exception | None = None

    def find(self, username: str) -> Account | None:
        return Account(username, self.secrets[username]) if username in self.secrets else None

    async def replace_secrets(self, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
        self.asked.append(name)
        self.reached.set()
        await self.door.wait()
        if self.trouble:
            raise self.trouble
        if self.secrets[name] != old:
            return False
        self.secrets[name] = tuple(form for form in new if form is not None)
        return True


class Watch:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def grows(wanted: WantedForms = DERIVE, **options: object) -> AsyncIterator[Growth]:
    async with Growth(wanted, **options) as growth:
        yield growth


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    heard: list[str] = []
    monkeypatch.setattr(growing, "report", heard.append)
    return heard


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


def schemes(secrets: tuple[str, ...]) -> list[str]:
    return [hashing.scheme_of(form) for form in secrets]


def test_a_form_is_derived_and_stands_behind_the_old_ones() -> None:
    async def work() -> None:
        shelf = Shelf(alice=(OLD,))
        async with grows() as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()
            assert shelf.secrets["alice"][0] == OLD
            assert schemes(shelf.secrets["alice"]) == ["SSHA", "CRAM-MD5"]
            assert hashing.verify(shelf.secrets["alice"][1], "p")
            assert growth.counts.saved == 1

    run(work())


def test_an_outdated_form_is_replaced_in_its_place() -> None:
    async def work() -> None:
        shelf = Shelf(alice=(OLD, hashing.make("p", "CRAM-MD5")))
        async with grows(BOTH) as growth:
            growth.consider(shelf, Account("alice", shelf.secrets["alice"]), "p")
            await growth.rest()
            assert schemes(shelf.secrets["alice"]) == ["SSHA512", "CRAM-MD5"]
            assert hashing.verify(shelf.secrets["alice"][0], "p")

    run(work())


def test_a_form_that_hashes_the_name_takes_the_accounts() -> None:
    async def work() -> None:
        shelf = Shelf(Alice=(OLD,))
        async with grows(WantedForms("SSHA", ("DIGEST-MD5",))) as growth:
            growth.consider(shelf, Account("Alice", (OLD,)), "p")
            await growth.rest()
            assert hashing.verify(shelf.secrets["Alice"][1], "p", "Alice")

    run(work())


def test_who_needs_nothing_is_not_looked_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[tuple[str, ...]] = []
    missing = WantedForms.missing
    monkeypatch.setattr(WantedForms, "missing", lambda self, secrets: looked.append(secrets) or missing(self, secrets))

    async def work() -> None:
        shelf = Shelf()
        async with grows(WantedForms("SSHA")) as growth:
            for _ in range(3):
                growth.consider(shelf, Account("alice", (OLD,)), "p")
            # Another store may be another thing.
            growth.consider(Shelf(), Account("alice", (OLD,)), "p")
        assert looked == [(OLD,)] * 2

    run(work())


def test_stores_that_cannot_be_changed_are_left_alone(tmp_path: Path) -> None:
    class Reader:
        def find(self, _username: str) -> Account | None:
            return None

    assert isinstance(Reader(), SecretStore)
    assert not isinstance(Reader(), SecretWriter | PasswordVerifier)

    async def work() -> None:
        async with grows() as growth:
            growth.consider(Reader(), Account("alice", (OLD,)), "p")
            assert growth.counts == growing.Counts()
            assert not growth._under_way

    run(work())


def test_a_password_that_was_changed_meanwhile_wins() -> None:
    async def work() -> None:
        shelf = Shelf(alice=("{PLAIN}new",))
        async with grows() as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()
            assert shelf.secrets["alice"] == ("{PLAIN}new",)
            assert (growth.counts.saved, growth.counts.overtaken) == (0, 1)

    run(work())


def test_an_account_has_one_job_at_a_time_and_too_many_accounts_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "QUEUE", 3)
    names = [f"user{number}" for number in range(10)]

    async def work() -> None:
        shelf = Shelf(**dict.fromkeys(names, (OLD,)))
        shelf.door.clear()
        async with grows() as growth:
            for _ in range(2):
                for name in names:
                    growth.consider(shelf, Account(name, (OLD,)), "p")
                # By then the first has left the queue.
                await shelf.reached.wait()
            shelf.door.set()
            await growth.rest()
            # Three at first, and one more when the first was under way.
            assert shelf.asked == names[:4]
            assert (growth.counts.saved, growth.counts.dropped) == (4, 7 + 6)
            # The next login brings the password again.
            growth.consider(shelf, Account(names[9], (OLD,)), "p")
            await growth.rest()
            assert len(shelf.secrets[names[9]]) == 2

    run(work())


def test_nothing_is_computed_while_logins_are_hashed() -> None:
    async def work() -> None:
        shelf, busy = Shelf(alice=(OLD,)), [True]
        async with grows(busy=lambda: busy[0]) as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()
            assert (growth.counts.dropped, shelf.asked) == (1, [])
            busy[0] = False
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()
            assert growth.counts.saved == 1

    run(work())


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (StoreUnavailable("the place: is down"), "the place: is down"),
        (OSError("the password is p"), "OSError"),
        (ValueError("the form is p"), "ValueError"),
    ],
)
def test_an_accident_is_told_once_in_a_while_and_gives_a_pause(told: list[str], error: Exception, words: str) -> None:
    async def work() -> None:
        clock = Watch()
        shelf = Shelf(alice=(OLD,))
        shelf.trouble = error

        async def log_in() -> None:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()

        async with grows(clock=clock) as growth:
            await log_in()
            assert told == [f"stored forms could not be derived or renewed (1 so far): {words}"]
            await log_in()
            assert (growth.counts.failed, growth.counts.dropped) == (1, 1)
            clock.now += growing.PAUSE
            await log_in()
            assert (growth.counts.failed, len(told)) == (2, 1)
            clock.now += growing.SILENCE
            await log_in()
            assert len(told) == 2
            shelf.trouble = None
            clock.now += growing.PAUSE
            await log_in()
            assert growth.counts.saved == 1

    run(work())


def test_a_password_that_a_scheme_cannot_take_is_not_tried_again(told: list[str]) -> None:
    async def work() -> None:
        long = "p" * 80
        secrets = (hashing.make(long, "SSHA"),)
        shelf = Shelf(alice=secrets)
        async with grows(WantedForms("BLF-CRYPT", rehash=True)) as growth:
            for _ in range(2):
                growth.consider(shelf, Account("alice", secrets), long)
                await growth.rest()
            assert (growth.counts.failed, shelf.asked) == (1, [])
            assert "account 'alice': " in told[0]
            assert long not in told[0]

    run(work())


def test_what_can_be_made_is_saved_beside_what_cannot(told: list[str]) -> None:
    async def work() -> None:
        long = "p" * 80
        secrets = (hashing.make(long, "SSHA"), "{SMD5}" + 24 * "A")
        shelf = Shelf(alice=secrets)
        async with grows(WantedForms("BLF-CRYPT", ("CRAM-MD5",), rehash=True)) as growth:
            for _ in range(2):
                growth.consider(shelf, Account("alice", shelf.secrets["alice"]), long)
                await growth.rest()
            # Nothing goes where what is to replace it could not be made.
            assert shelf.secrets["alice"][:2] == secrets
            assert schemes(shelf.secrets["alice"]) == ["SSHA", "SMD5", "CRAM-MD5"]
            assert (growth.counts.saved, growth.counts.failed, shelf.asked) == (1, 1, ["alice"])
            (words,) = told
            assert words.endswith("(1 so far): account 'alice': password: BLF-CRYPT looks at 72 octets, got 80")

    run(work())


@pytest.mark.parametrize(
    ("scheme", "made_of", "password"),
    [("DES-CRYPT", "password", "password-mistyped"), ("BLF-CRYPT", 72 * "p", 72 * "p" + "mistyped")],
)
def test_a_password_that_the_form_cuts_does_not_become_the_password(scheme: str, made_of: str, password: str) -> None:
    weak = frozenset(("DES-CRYPT",))
    stored = hashing.make(made_of, scheme, permitted=weak)
    assert hashing.verify(stored, password, permitted=weak)

    async def work() -> None:
        shelf = Shelf(alice=(stored,))
        async with grows(WantedForms("SSHA512", ("CRAM-MD5",), rehash=True, permitted=weak)) as growth:
            growth.consider(shelf, Account("alice", (stored,)), password)
            await growth.rest()
            assert (shelf.secrets["alice"], growth.counts) == ((stored,), growing.Counts())

    run(work())


def test_a_surplus_form_is_removed_from_the_file(path: Path) -> None:
    fill(path, [Entry("alice", ("{SMD5}" + 24 * "A", OLD, "{PLAIN}p"))])
    new = hashing.make("p", "SSHA512")
    assert sqlite_writer.replace_secrets(path, "alice", secrets_of(path), (None, new, "{PLAIN}p", "{CLEARTEXT}q"))
    assert secrets_of(path) == (new, "{PLAIN}p", "{CLEARTEXT}q")


def test_a_store_that_may_not_be_changed_is_told_once_and_then_left_alone(told: list[str]) -> None:
    async def work() -> None:
        shelf = Shelf(alice=(OLD,), bob=(OLD,))
        shelf.trouble = ReadOnly("the place: attempt to write a readonly database")
        async with grows() as growth:
            for _ in range(2):
                for name in ("alice", "bob"):
                    growth.consider(shelf, Account(name, (OLD,)), "p")
                await growth.rest()
            assert shelf.asked == ["alice"]
        assert told == [
            "the place: attempt to write a readonly database: accounts.derive and accounts.rehash do nothing here"
        ]

    run(work())


def test_at_the_end_the_account_under_way_is_finished_and_the_others_are_dropped() -> None:
    async def work() -> None:
        shelf = Shelf(alice=(OLD,), bob=(OLD,))
        shelf.door.clear()
        async with grows() as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await shelf.reached.wait()
            growth.consider(shelf, Account("bob", (OLD,)), "p")
            asyncio.get_running_loop().call_later(0.01, shelf.door.set)
        assert (len(shelf.secrets["alice"]), len(shelf.secrets["bob"])) == (2, 1)
        assert (growth.counts.saved, growth.counts.dropped) == (1, 1)
        # A login that is told its verdict during a reload.
        growth.consider(shelf, Account("bob", (OLD,)), "p")
        assert growth._jobs.empty()

    run(work())


def test_a_store_that_hangs_does_not_keep_the_server_from_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growing, "PATIENCE", 0.01)

    async def work() -> None:
        shelf = Shelf(alice=(OLD,))
        shelf.door.clear()
        async with grows() as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await shelf.reached.wait()

    run(work(), seconds=5)


def test_hashes_are_computed_at_the_lowest_priority() -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux has priorities of threads")
    niceness: list[int] = []

    class Nice(WantedForms):
        def missing(self, _secrets: tuple[str, ...]) -> dict[int, str]:
            if threading.current_thread() is not threading.main_thread():
                niceness.append(os.getpriority(os.PRIO_PROCESS, 0))
            return {1: "CRAM-MD5"}

    async def work() -> None:
        shelf = Shelf(alice=(OLD,))
        async with grows(Nice()) as growth:
            growth.consider(shelf, Account("alice", (OLD,)), "p")
            await growth.rest()

    run(work())
    assert niceness == [19]


# The accounts database


def secrets_of(path: Path, name: str = "alice") -> tuple[str, ...]:
    with closing(SqliteReader(path)) as reader:
        account = settle(reader.find(name))
    assert account is not None
    return account.secrets


@pytest.mark.parametrize("driver", ["sqlite", "sqlite+aiosqlite"])
def test_the_database_grows(path: Path, driver: str) -> None:
    fill(path, [Entry("Alice", (OLD, "{SSHA}bm90aGluZyBvZiB2YWx1ZSwgYnV0IHRoZXJl")), Entry("bob", (OLD,))])

    async def work() -> None:
        async with DatabaseStore(url_of(path, driver)).open() as store, grows(BOTH) as growth:
            assert isinstance(store, SecretWriter)
            found = store.find("ALICE")
            account = found if isinstance(found, Account) else await found
            growth.consider(store, account, "p")
            await growth.rest()
            assert growth.counts.saved == 1
        async with administer(url_of(path)) as accounts:
            alice = await accounts.get("alice")
            assert schemes(alice.secrets) == ["SSHA512", "CRAM-MD5"]
            assert alice.changed > alice.created
            assert (await accounts.get("bob")).secrets == (OLD,)
            assert await accounts.schemes() == {"SSHA512": 1, "SSHA": 1, "CRAM-MD5": 1}

    run(work())


def test_rows_that_stay_are_not_touched(path: Path) -> None:
    fill(path, [Entry("alice", (OLD,))])
    with closing(sqlite3.connect(path)) as database, database:
        # Somebody has used positions of one's own, and a form that is none.
        database.execute("UPDATE secrets SET position = 4, created_at = 1")
        database.execute("INSERT INTO secrets SELECT account_id, 9, '?', 'hunter2', 2 FROM secrets")
    assert sqlite_writer.replace_secrets(path, "alice", (OLD, "hunter2"), (OLD, "hunter2", "{PLAIN}p"))
    with closing(sqlite3.connect(path)) as database:
        rows = database.execute("SELECT position, scheme, stored, created_at FROM secrets ORDER BY position").fetchall()
    assert rows[:2] == [(4, "SSHA", OLD, 1), (9, "?", "hunter2", 2)]
    assert rows[2][:3] == (10, "PLAIN", "{PLAIN}p")


@pytest.mark.parametrize(
    ("name", "old"), [("alice", ("{PLAIN}p",)), ("alice", ()), ("alice", (OLD, OLD)), ("nobody", (OLD,))]
)
def test_nothing_is_changed_where_the_forms_are_others(path: Path, name: str, old: tuple[str, ...]) -> None:
    fill(path, [Entry("alice", (OLD,))])
    assert not sqlite_writer.replace_secrets(path, name, old, (*old, "{PLAIN}p"))
    assert secrets_of(path) == (OLD,)


def test_the_statements_are_those_that_sqlalchemy_writes() -> None:
    dialect = sqlite.dialect(paramstyle="named")
    columns = ["scheme", "stored", "created_at"]
    whole = ("FORMS_BY_KEY", "REMOVE_FORM", "TOUCH")
    for name, given in (*((one, None) for one in whole), ("CHANGE_FORM", columns), ("ADD_FORM", columns)):
        written = str(getattr(statements, name).compile(dialect=dialect, column_keys=given))
        assert getattr(sqlite_writer, name) == " ".join(written.split())


def test_the_file_is_a_whole_backup_after_each_change(path: Path) -> None:
    fill(path, [Entry("alice", (OLD,))])
    with closing(SqliteReader(path)) as reader:
        assert sqlite_writer.replace_secrets(path, "alice", (OLD,), (OLD, "{PLAIN}p"))
        copy = path.with_name("copy.db")
        shutil.copyfile(path, copy)
        assert len(settle(reader.find("alice")).secrets) == 2
    assert secrets_of(copy) == (OLD, "{PLAIN}p")


def test_a_database_that_another_program_writes_to_is_unavailable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(path, [Entry("alice", (OLD,))])
    monkeypatch.setattr(sqlite_writer, "BUSY_TIMEOUT", 0.01)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"accounts\.db: database is locked"):
            sqlite_writer.replace_secrets(path, "alice", (OLD,), (OLD, "{PLAIN}p"))


def test_tables_of_another_revision_are_left_alone(path: Path) -> None:
    fill(path, [Entry("alice", (OLD,))])
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreUnavailable, match="expected revision"):
        sqlite_writer.replace_secrets(path, "alice", (OLD,), (OLD, "{PLAIN}p"))


def test_a_file_that_is_gone_is_told(path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="unable to open database file"):
        sqlite_writer.replace_secrets(path, "alice", (OLD,), (OLD, "{PLAIN}p"))
    assert not path.exists()


@pytest.fixture
def readable() -> Iterator[Path]:
    """An accounts database that the process may read and not change."""
    folder = Path(mkdtemp(prefix="ninsho-"))
    path = folder / "accounts.db"
    fill(path, [Entry("alice", (OLD,))])
    path.chmod(0o444)
    folder.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    yield path
    if user == 0:
        os.seteuid(0)
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_database_that_may_only_be_read_is_told_as_such(readable: Path) -> None:
    with pytest.raises(ReadOnly, match=r"accounts\.db: "):
        sqlite_writer.replace_secrets(readable, "alice", (OLD,), (OLD, "{PLAIN}p"))


def python(program: str) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)


GROW = """
import asyncio, sys
from pathlib import Path
from ninsho.stores import hashing
from ninsho.stores.sqlite_writer import replace_secrets
from ninsho.stores.sqlite_reader import SqliteReader
path = Path(sys.argv[1] if len(sys.argv) > 1 else {path!r})
reader, won = SqliteReader(path), 0
print("ready", flush=True)
for number in range({first}, {last}):
    name = f"user{{number}}"
    secrets = reader.find(name).secrets
    won += replace_secrets(path, name, secrets, (hashing.make("p", "SSHA512"), *secrets[1:], hashing.make("p", "CRAM-MD5")))
    {after}
print(won)
"""


def test_several_processes_grow_each_account_once(path: Path) -> None:
    entries = [Entry(f"user{number}", (OLD,)) for number in range(100)]
    fill(path, entries)
    program = GROW.format(path=str(path), first=0, last=100, after="").replace(
        "    won +=", "    if len(secrets) == 2: continue\n    won +="
    )
    others = [python(program) for _ in range(4)]
    won = [int(other.communicate()[0].split()[-1]) for other in others]
    assert sum(won) == 100
    for entry in entries:
        assert schemes(secrets_of(path, entry.name)) == ["SSHA512", "CRAM-MD5"]


def test_a_server_that_is_killed_loses_nothing(path: Path) -> None:
    entries = [Entry(f"user{number}", (OLD,)) for number in range(2000)]
    fill(path, entries)
    killed = python(GROW.format(path=str(path), first=0, last=2000, after="number and print(number, flush=True)"))
    assert killed.stdout is not None
    lines: Callable[[], str] = killed.stdout.readline
    assert lines() == "ready\n"
    while int(lines()) < 20:
        pass
    killed.kill()
    told = killed.communicate()[0].split()
    last = int(told[-1]) if told else 20
    forms = [schemes(secrets_of(path, entry.name)) for entry in entries]
    grown = forms.count(["SSHA512", "CRAM-MD5"])
    # Whoever was told is there, and nobody has half of it.
    assert last + 1 <= grown < 2000
    assert forms.count(["SSHA"]) == 2000 - grown
    for entry in entries[: last + 3]:
        assert hashing.verify(secrets_of(path, entry.name)[0], "p")


def test_growing_in_a_file_loads_no_sqlalchemy(path: Path) -> None:
    fill(path, [Entry("alice", (OLD,))])
    program = f"""
import asyncio, sys
from ninsho.stores.database import DatabaseStore
from ninsho.stores.growth import Growth
from ninsho.stores.wanted_forms import WantedForms
async def main():
    async with DatabaseStore({url_of(path)!r}).open() as store, Growth(WantedForms("SSHA", ("CRAM-MD5",))) as growth:
        growth.consider(store, store.find("alice"), "p")
        await growth.rest()
asyncio.run(main())
print(*sorted({{"sqlalchemy", "alembic", "pydantic"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
    assert schemes(secrets_of(path)) == ["SSHA", "CRAM-MD5"]


def test_serving_without_growth_loads_nothing_of_it(path: Path) -> None:
    fill(path, [Entry("alice", (OLD,))])
    program = f"""
import asyncio, sys
from ninsho.stores.database import DatabaseStore
async def main():
    async with DatabaseStore({url_of(path)!r}).open() as store:
        store.find("alice")
asyncio.run(main())
print(*sorted({{"ninsho.stores.growth", "ninsho.stores.sqlite_writer", "sqlalchemy"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"
