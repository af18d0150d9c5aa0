"""Changing the accounts database: what ``ninsho user`` does."""

import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import ColumnElement, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from ninsho.stores import schema, statements
from ninsho.stores.accounts import Network
from ninsho.stores.engines import READS_ONLY, Database, writing
from ninsho.stores.entries import AccountExists, Entry, NoSuchAccount, Record
from ninsho.stores.names import MalformedEntry, key_of, prepare_name
from ninsho.stores.networks import write_networks
from ninsho.stores.sql_reader import SCHEMES
from ninsho.stores.tables import NAME_LENGTH, TEXT_LENGTH, accounts, secrets

BATCH = 1000  # accounts in one statement; SQLite takes 32,766 parameters


class Imported(NamedTuple):
    """What an import did."""

    added: int
    replaced: int


@asynccontextmanager
async def administer(
    url: str, *, password_file: Path | None = None, clock: Callable[[], float] = time.time
) -> AsyncIterator["Administration"]:
    """Open the accounts database for changes; it is made, or brought up to date, before anything else.

    Raises ``ConfigurationError`` for a place where it cannot be, ``StoreUnavailable`` for a server without an answer.
    """
    async with writing(url, password_file=password_file) as database:
        await schema.upgrade(database)
        yield Administration(database, clock=clock)


class Administration:
    """The accounts of a database, to be changed; each method is one transaction.

    Names are found as at a login, whatever their case. Every method raises ``StoreUnavailable`` where the database does
    not answer, and ``MalformedEntry`` for what cannot be stored.
    """

    def __init__(self, database: Database, *, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock

    async def add(  # noqa: PLR0913 - the fields of an account
        self,
        name: str,
        stored_forms: Iterable[str],
        *,
        disabled: bool = False,
        expires: float | None = None,
        networks: Iterable[Network] = (),
        note: str = "",
        master: bool = False,
    ) -> None:
        """Add an account; its *stored_forms* begin with the preferred one. Raises ``AccountExists``."""
        entry = _storable(Entry(name, tuple(stored_forms), disabled, expires, tuple(networks), note, master=master))
        async with self._transaction() as connection:
            try:
                await statements.add(connection, [entry], now=self._clock())
            except IntegrityError:
                raise AccountExists(f"account {entry.name!r} exists already") from None

    async def set_secrets(self, name: str, stored_forms: Iterable[str]) -> None:
        """Put other stored forms in the place of the account's; raise ``NoSuchAccount``."""
        entry, now = Entry(name, tuple(stored_forms)), self._clock()
        async with self._changing(name) as (connection, number):
            await statements.change(connection, number, now=now)
            await statements.set_secrets(connection, [(number, entry)], now=now)

    async def disable(self, name: str) -> None:
        """Keep the user out, whatever the password; raise ``NoSuchAccount``."""
        async with self._changing(name) as (connection, number):
            await statements.change(connection, number, now=self._clock(), disabled=True)

    async def enable(self, name: str) -> None:
        """Undo ``disable``; raise ``NoSuchAccount``."""
        async with self._changing(name) as (connection, number):
            await statements.change(connection, number, now=self._clock(), disabled=False)

    async def set_master(self, name: str, *, master: bool) -> None:
        """Let the user act as others, or no more; raise ``NoSuchAccount``."""
        async with self._changing(name) as (connection, number):
            await statements.change(connection, number, now=self._clock(), master=master)

    async def remove(self, name: str) -> None:
        """Remove the account and its secrets; raise ``NoSuchAccount``."""
        async with self._changing(name) as (connection, number):
            await statements.remove(connection, number)

    async def get(self, name: str) -> Record:
        """Return the account; raise ``NoSuchAccount``."""
        async with self._reading() as connection:
            number = await _number(connection, name)
            return (await statements.records(connection, accounts.c.id == number, limit=1))[0]

    async def list(self, *, containing: str = "", scheme: str | None = None) -> AsyncIterator[Record]:
        """Yield the accounts with *containing* in their names, in the order of their names in small letters.

        With a *scheme*, only those that hold a form of it.
        """
        wanted = accounts.c.name_key.contains(key_of(containing), autoescape=True) if containing else true()
        if scheme is not None:
            wanted &= accounts.c.id.in_(select(secrets.c.account_id).where(secrets.c.scheme == scheme))
        after: ColumnElement[bool] = true()
        while True:
            # Each page is read for itself: the caller may take as long as it likes in between, and change accounts.
            async with self._reading() as connection:
                page = await statements.records(connection, wanted & after, limit=BATCH)
            for record in page:
                yield record
            if len(page) < BATCH:
                return
            after = accounts.c.name_key > key_of(page[-1].name)

    async def import_accounts(self, entries: Iterable[Entry], *, replace: bool) -> Imported:
        """Add all *entries*, or none of them if anything is wrong with one; what *entries* raises goes through.

        With *replace*, accounts that exist already become what the list says; else they raise ``AccountExists``.
        """
        added = replaced = 0
        now = self._clock()
        async with self._transaction() as connection:
            for batch in _batches(entries):
                numbers = await statements.numbers(connection, [entry.key for entry in batch])
                old = [(numbers[entry.key], entry) for entry in batch if entry.key in numbers]
                if old and not replace:
                    raise AccountExists("\n".join(f"account {entry.name!r} exists already" for _, entry in old))
                new = [entry for entry in batch if entry.key not in numbers]
                await statements.replace(connection, old, now=now)
                await statements.add(connection, new, now=now)
                added, replaced = added + len(new), replaced + len(old)
        return Imported(added, replaced)

    async def schemes(self) -> Mapping[str, int]:
        """How many accounts hold which scheme."""
        async with self._reading() as connection:
            return dict((await connection.execute(SCHEMES)).all())

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with self._database.guarded():
            async with self._database.engine.execution_options(**READS_ONLY).begin() as connection:
                yield connection

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection]:
        with self._database.guarded():
            async with self._database.engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def _changing(self, name: str) -> AsyncIterator[tuple[AsyncConnection, int]]:
        async with self._transaction() as connection:
            yield connection, await _number(connection, name)


async def _number(connection: AsyncConnection, name: str) -> int:
    key = key_of(prepare_name(name))
    numbers = await statements.numbers(connection, [key])
    if key not in numbers:
        raise NoSuchAccount(f"there is no account {name!r}")
    return numbers[key]


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Part *entries* into batches; raise ``MalformedEntry`` for a name that comes again."""
    names: set[str] = set()
    rest = iter(entries)
    while batch := list(islice(rest, BATCH)):
        for entry in batch:
            if entry.key in names:
                raise MalformedEntry(f"expected each user once, got {entry.name!r} again")
            names.add(_storable(entry).key)
        yield batch


def _storable(entry: Entry) -> Entry:
    """Return *entry*; raise ``MalformedEntry`` for what every database would not keep as it is."""
    if entry.name != entry.name.strip(" "):
        # MySQL and MariaDB would take it for the name without the blank.
        raise MalformedEntry(f"user name: expected no blank at its ends, got {entry.name!r}")
    for what, text, limit in (
        ("user name", entry.key, NAME_LENGTH),
        ("user name", entry.name, NAME_LENGTH),
        ("networks", write_networks(entry.networks), TEXT_LENGTH),
        ("note", entry.note, TEXT_LENGTH),
    ):
        if len(text) > limit:
            raise MalformedEntry(f"{what}: expected at most {limit} characters, got {len(text)}")
    return entry
