"""Reading the accounts database in a file, in place: 9 µs, where going through a thread takes ten times that."""

import sqlite3
import time
from collections.abc import Callable, Collection, Coroutine, Generator, Mapping
from pathlib import Path
from typing import Any

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.accounts import Account, Answer
from ninsho.stores.census import Holder
from ninsho.stores.names import key_of
from ninsho.stores.rows import account_of
from ninsho.stores.schema import FOUND_REVISION, check_revision, expect_file

# tables.ACCOUNT_BY_KEY and sql_reader.SCHEMES as SQLAlchemy writes them, without loading it; a test compares them.
ACCOUNT_BY_KEY = (
    "SELECT accounts.name_key, accounts.name, accounts.disabled, accounts.expires_at, accounts.networks, "
    "accounts.master, secrets.stored FROM accounts LEFT OUTER JOIN secrets ON accounts.id = secrets.account_id "
    "WHERE accounts.name_key = ? ORDER BY secrets.position"
)
SCHEMES = "SELECT secrets.scheme, count(DISTINCT secrets.account_id) AS accounts FROM secrets GROUP BY secrets.scheme"
LACKING = (
    "SELECT count(*) FROM accounts WHERE NOT accounts.disabled AND "
    "(accounts.expires_at IS NULL OR accounts.expires_at > CAST(strftime('%s', 'now') AS INTEGER)) "
    "AND NOT EXISTS (SELECT 1 FROM secrets "
    "WHERE secrets.account_id = accounts.id AND secrets.scheme IN (SELECT value FROM json_each(?)))"
)
HOLDERS = (
    "SELECT accounts.name, secrets.stored FROM accounts JOIN secrets ON accounts.id = secrets.account_id "
    "WHERE secrets.scheme = ? AND accounts.id % ? = 0 ORDER BY accounts.name_key LIMIT ?"
)

INTERVAL = 1.0  # seconds from one look at the file's status to the next
# 100,000 accounts take 20 MB; with SQLite's own 2 MB a look-up takes 2 µs more.
CACHE = "PRAGMA cache_size = -32000"
# Seconds between tries while another program has the database for itself, which in WAL mode it hardly ever has.
PAUSES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.5, 0.5)


class Later:
    """A coroutine that is made when it is awaited: whoever asked for an answer at once may drop it."""

    def __init__(self, make: Callable[[], Coroutine[Any, Any, Account | None]]) -> None:
        self._make = make

    def __await__(self) -> Generator[Any, Any, Account | None]:
        return self._make().__await__()


class SqliteReader:
    """A store that reads the file at each login, so that every change counts at once.

    A file that was put in the place of the one that is read, such as a backup, is noticed within a second. Making one
    raises ``ConfigurationError`` for a file that is not the accounts database, ``StoreUnavailable`` for a locked one.
    """

    # But for the moments in which another program has the database for itself.
    immediate = True

    def __init__(self, path: Path, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, ...] = ()
        self._due = 0.0
        expect_file(path)
        try:
            self._connected()
        except sqlite3.Error as error:
            if _is_lock(error):
                raise StoreUnavailable(self._told(error)) from None
            raise ConfigurationError([self._told(error)]) from None

    def find(self, username: str) -> Answer[Account | None]:
        """Return the account of *username*, None if there is none; raise ``StoreUnavailable``.

        While another program has the database for itself, what is returned has to be awaited.
        """
        key = key_of(username)
        rows = self._rows(ACCOUNT_BY_KEY, (key,))
        return Later(lambda: self._find_later(key)) if rows is None else account_of(rows, key)

    async def schemes(self) -> Mapping[str, int]:
        """How many accounts hold which scheme."""
        return dict(await self._rows_later(SCHEMES, ()))

    async def lacking(self, schemes: Collection[str]) -> int:
        """How many accounts that may log in now hold none of these *schemes*."""
        listed = ",".join(f'"{scheme}"' for scheme in schemes)
        return int((await self._rows_later(LACKING, (f"[{listed}]",)))[0][0])

    async def holders(self, scheme: str, limit: int, every: int = 1) -> list[Holder]:
        """Accounts that hold *scheme*, at most *limit*: the first ones, or only about one of *every* so many."""
        return [Holder(*row) for row in await self._rows_later(HOLDERS, (scheme, every, limit))]

    async def replace_secrets(self, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
        """Do as ``growth.SecretWriter`` says, in a thread."""
        from asyncio import to_thread  # noqa: PLC0415 - for sites whose accounts grow

        from ninsho.stores import sqlite_writer  # noqa: PLC0415 - the same

        return await to_thread(sqlite_writer.replace_secrets, self._path, name, old, new)

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    async def _find_later(self, key: str) -> Account | None:
        return account_of(await self._rows_later(ACCOUNT_BY_KEY, (key,)), key)

    async def _rows_later(self, question: str, parameters: tuple[str | int, ...]) -> list[Any]:
        from asyncio import sleep  # noqa: PLC0415 - nearly nobody has to wait

        for pause in PAUSES:
            if (rows := self._rows(question, parameters)) is not None:
                return rows
            await sleep(pause)
        raise StoreUnavailable(f"{self._path}: another program has had it for itself for {sum(PAUSES):.1f} s")

    def _rows(self, question: str, parameters: tuple[str | int, ...]) -> list[Any] | None:
        """Read, None while the database is locked; raise ``StoreUnavailable``."""
        try:
            return self._connected().execute(question, parameters).fetchall()
        except sqlite3.Error as error:
            if _is_lock(error):
                return None
            trouble = self._told(error)
        except OSError as error:
            trouble = f"{self._path}: {error.strerror}"
        except ConfigurationError as error:
            # Another file took its place, which is not the accounts database.
            trouble = str(error)
        self.close()
        raise StoreUnavailable(trouble)

    def _connected(self) -> sqlite3.Connection:
        """Connect to the file that has the path now."""
        if self._connection is None or self._clock() >= self._due:
            status = self._path.stat()
            # Also one that was written over: SQLite itself would not see that its pages are of another file.
            identity = status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
            if identity != self._identity:
                self.close()
                self._identity = identity
            self._due = self._clock() + INTERVAL
        if self._connection is None:
            self._connection = self._connect()
        return self._connection

    def _connect(self) -> sqlite3.Connection:
        # No waiting in here: the event loop stands still as long as this takes.
        url = f"{self._path.absolute().as_uri()}?mode=ro"
        connection = sqlite3.connect(url, uri=True, timeout=0, isolation_level=None)
        try:
            connection.execute(CACHE)
            check_revision(_revision(connection), self._path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _told(self, error: sqlite3.Error) -> str:
        hint = ""
        if _code(error) in {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY}:
            # Who reads in WAL mode takes part in it, by files beside the database.
            hint = " (the server has to be able to read the file, and to write into its directory)"
        return f"{self._path}: {error}{hint}"


def _revision(connection: sqlite3.Connection) -> str | None:
    if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone() is None:
        return None
    row = connection.execute(FOUND_REVISION).fetchone()
    return None if row is None else str(row[0])


def _is_lock(error: sqlite3.Error) -> bool:
    return _code(error) in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


def _code(error: sqlite3.Error) -> int:
    """The error's code without its extension; 0 for one that the module itself raised."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
