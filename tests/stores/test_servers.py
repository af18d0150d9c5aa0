"""The accounts database on real servers: PostgreSQL and MariaDB, each started for these tests on a port of its own."""

from asyncio import gather
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from hypothesis import HealthCheck, given, settings
from made_up import AWKWARD_NAMES, BCRYPT, collect, lists, passwords, run
from sqlalchemy import text

from database_servers import PASSWORD, PATIENCE, Server, mariadb, postgresql
from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores import hashing, schema
from ninsho.stores.administration import Imported, administer
from ninsho.stores.database import DatabaseStore
from ninsho.stores.engines import writing
from ninsho.stores.entries import AccountExists, Entry, NoSuchAccount
from ninsho.stores.growth import Growth, ReadOnly
from ninsho.stores.wanted_forms import WantedForms

pytestmark = pytest.mark.xdist_group("servers")


@pytest.fixture(scope="module", params=[postgresql, mariadb], ids=lambda one: one.__name__)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with pytest.MonkeyPatch.context() as patch, request.param() as running:
        patch.setenv("NINSHO_DATABASE_PASSWORD", PASSWORD)
        yield running


@pytest.fixture
def url(server: Server) -> str:
    """The URL of a database without accounts."""

    async def clear() -> None:
        async with administer(server.url) as accounts:
            for record in await collect(accounts.list()):
                await accounts.remove(record.name)

    run(clear())
    return server.url


def test_accounts_are_administered_and_found(url: str) -> None:
    async def work() -> None:
        async with administer(url) as accounts, DatabaseStore(url).open() as store:
            for name in AWKWARD_NAMES:
                await accounts.add(name, ["{PLAIN}" + name, BCRYPT])
            for name in AWKWARD_NAMES:
                assert passwords(await store.find(name)) == ("{PLAIN}" + name, BCRYPT)
                assert (await store.find(name.upper())).name == name
            with pytest.raises(AccountExists):
                await accounts.add(AWKWARD_NAMES[0].upper(), [])
            await accounts.set_secrets(AWKWARD_NAMES[0], ["{PLAIN}new"])
            await accounts.disable(AWKWARD_NAMES[0])
            assert (await store.find(AWKWARD_NAMES[0])).disabled
            assert await store.schemes() == {"PLAIN": len(AWKWARD_NAMES), "BLF-CRYPT": len(AWKWARD_NAMES) - 1}
            await accounts.remove(AWKWARD_NAMES[0])
            assert await store.find(AWKWARD_NAMES[0]) is None
            with pytest.raises(NoSuchAccount):
                await accounts.enable(AWKWARD_NAMES[0])

    run(work())


def test_names_that_a_server_might_take_as_equal_are_different(url: str) -> None:
    names = ["resume", "résumé", "strasse", "straße", "a b", "ab"]

    async def work() -> None:
        async with administer(url) as accounts, DatabaseStore(url).open() as store:
            await accounts.import_accounts([Entry(name, ("{PLAIN}" + name,)) for name in names], replace=False)
            for name in names:
                assert passwords(await store.find(name)) == ("{PLAIN}" + name,)
            for stranger in ("resumé", "resume ", " resume", "strasse  ", "a  b"):
                assert await store.find(stranger) is None

    run(work())


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=lists, after=lists)
def test_a_server_keeps_everything_as_it_is(server: Server, before: list[Entry], after: list[Entry]) -> None:
    async def work() -> None:
        async with administer(server.url) as accounts, DatabaseStore(server.url).open() as store:
            for record in await collect(accounts.list()):
                await accounts.remove(record.name)
            await accounts.import_accounts(before, replace=False)
            await accounts.import_accounts(after, replace=True)
            expected = {entry.key: entry for entry in [*before, *after]}
            assert [r.entry() for r in await collect(accounts.list())] == [expected[key] for key in sorted(expected)]
            for entry in expected.values():
                assert await store.find(entry.key) == entry.account()

    run(work())


def test_many_accounts_are_imported_at_once_or_not_at_all(url: str) -> None:
    entries = [Entry(f"user{number}", (f"{{PLAIN}}{number}",)) for number in range(2500)]

    async def work() -> None:
        async with administer(url) as accounts:
            await accounts.add("user2400", [])
            with pytest.raises(AccountExists):
                await accounts.import_accounts(entries, replace=False)
            assert len(await collect(accounts.list())) == 1
            assert await accounts.import_accounts(entries, replace=True) == Imported(2499, 1)
            assert len(await collect(accounts.list())) == 2500

    run(work())


def test_a_server_that_was_started_anew_is_asked_again(server: Server, url: str) -> None:
    async def work() -> None:
        async with administer(url) as accounts:
            await accounts.add("alice", [])
        async with DatabaseStore(url).open() as store:
            assert await store.find("alice")
            server.restart()
            assert await store.find("alice")

    run(work(), seconds=PATIENCE)


def test_preparing_again_does_nothing(url: str) -> None:
    run(schema.prepare(url))
    run(schema.prepare(url))


def test_accounts_of_the_first_tables_are_kept(url: str) -> None:
    async def work() -> None:
        async with administer(url) as accounts:
            await accounts.add("alice", ["{PLAIN}x"], master=True)
        async with writing(url) as database, database.engine.begin() as connection:
            await connection.execute(text("ALTER TABLE accounts DROP COLUMN master"))
            await connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
        with pytest.raises(
            ConfigurationError, match="expected revision 0002 of the tables, got 0001: run `ninsho init`"
        ):
            async with DatabaseStore(url).open():
                pass
        async with administer(url) as accounts, DatabaseStore(url).open() as store:
            assert await store.find("alice") == Entry("alice", ("{PLAIN}x",)).account()
            await accounts.set_master("alice", master=True)
            assert (await store.find("alice")).master

    run(work())


OLD = hashing.make("p", "SSHA")
WANTED = WantedForms("SSHA512", ("CRAM-MD5",), rehash=True)


def test_accounts_grow_while_their_users_log_in(url: str) -> None:
    async def work() -> None:
        async with administer(url) as accounts, DatabaseStore(url).open() as store, Growth(WANTED) as growth:
            await accounts.add("Alice", [OLD, BCRYPT])
            await accounts.add("bob", [OLD])
            for name in ("alice", "bob"):
                growth.consider(store, await store.find(name), "p")
            # Somebody else is quicker.
            await accounts.set_secrets("bob", ["{PLAIN}new"])
            await growth.rest()
            alice = await accounts.get("alice")
            assert [hashing.scheme_of(form) for form in alice.secrets] == ["SSHA512", "BLF-CRYPT", "CRAM-MD5"]
            assert alice.changed > alice.created
            assert (await accounts.get("bob")).secrets == ("{PLAIN}new",)
            assert (growth.counts.saved, growth.counts.overtaken) == (1, 1)
            assert await accounts.schemes() == {"SSHA512": 1, "BLF-CRYPT": 1, "CRAM-MD5": 1, "PLAIN": 1}
            # The connections serve single questions again, of which each sees what others have changed meanwhile.
            await accounts.disable("alice")
            assert (await store.find("alice")).disabled

    run(work())


def test_of_several_servers_one_grows_an_account(url: str) -> None:
    names = [f"user{number}" for number in range(20)]

    async def work() -> None:
        async with AsyncExitStack() as stack:
            accounts = await stack.enter_async_context(administer(url))
            await accounts.import_accounts([Entry(name, (OLD,)) for name in names], replace=False)
            stores = [await stack.enter_async_context(DatabaseStore(url).open()) for _ in range(3)]
            tries = [
                store.replace_secrets(name, (OLD,), (OLD, f"{{PLAIN}}{number}"))
                for name in names
                for number, store in enumerate(stores)
            ]
            won = await gather(*tries)
            assert [sum(won[place : place + 3]) for place in range(0, 60, 3)] == [1] * 20
            for place, name in enumerate(names):
                winner = won[3 * place : 3 * place + 3].index(True)
                assert (await accounts.get(name)).secrets == (OLD, f"{{PLAIN}}{winner}")

    run(work())


def test_a_login_that_may_only_read_is_told_as_such(url: str, server: Server) -> None:
    async def work() -> None:
        async with administer(url) as accounts, writing(url) as database:
            await accounts.add("alice", [OLD])
            async with database.engine.begin() as connection:
                for statement in READERS[database.engine.dialect.name]:
                    await connection.execute(text(statement))
        reading = url.replace("ninsho@", "reader@")
        async with DatabaseStore(reading).open() as store:
            assert await store.find("alice")
            with pytest.raises(ReadOnly, match="may not be changed by this login"):
                await store.replace_secrets("alice", (OLD,), (OLD, "{PLAIN}p"))

    run(work())


READERS = {
    "postgresql": (
        f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'",
        "GRANT SELECT ON accounts, secrets, alembic_version TO reader",
    ),
    "mysql": (
        f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
        "GRANT SELECT ON accounts.* TO reader@'127.0.0.1'",
    ),
}


def test_a_wrong_password_makes_the_store_unavailable_and_is_told_without_names(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NINSHO_DATABASE_PASSWORD", "not-the-password")

    async def work() -> None:
        async with DatabaseStore(url).open():
            pass

    with pytest.raises(StoreUnavailable) as caught:
        run(work())
    assert "not-the-password" not in str(caught.value)
    assert "ninsho" not in str(caught.value)


def test_a_database_without_tables_is_told_with_the_command_that_makes_them(server: Server) -> None:
    async def work() -> None:
        async with DatabaseStore(server.empty).open():
            pass

    with pytest.raises(ConfigurationError, match="found no tables: run `ninsho init`"):
        run(work())
