"""SQLAlchemy engines for the accounts database, and what becomes of their errors."""

import os
import re
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.database_url import check_url, password_for, place_of
from ninsho.stores.schema import expect_file

POOL_TIMEOUT = 5.0  # seconds; Postfix gives up after 10
BUSY_TIMEOUT = 30.0  # seconds; a command may wait for another one to end

# An execution option of SQLAlchemy, our own, for transactions that change nothing.
READS_ONLY = {"ninsho_reads_only": True}

# What can be awaited, for URLs which do not say by which driver.
_DRIVERS = {
    "sqlite": "sqlite+aiosqlite",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+asyncmy",
    "mariadb": "mariadb+asyncmy",
}


class Database:
    """The accounts database at ``place``, behind ``engine``."""

    def __init__(self, engine: AsyncEngine, place: str) -> None:
        self.engine = engine
        self.place = place

    @contextmanager
    def guarded(self) -> Iterator[None]:
        """Turn whatever the database or the way to it raises into ``StoreUnavailable``."""
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            raise StoreUnavailable(f"{self.place}: {self._finding(error)}") from None

    def _finding(self, error: Exception) -> str:
        """What is said of *error*, without who logs in there and how, and without values."""
        # The other kinds of error are about statements, and may quote what stood in them.
        if not isinstance(error, OperationalError | InterfaceError | OSError):
            return type(error).__name__
        text = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
        url = self.engine.url
        for unsaid in filter(None, (str(url.password or ""), url.username)):
            text = re.sub(rf"(?<!\w){re.escape(unsaid)}(?!\w)", "…", text)
        return text


@asynccontextmanager
async def reading(url: str, *, password_file: Path | None = None) -> AsyncIterator[Database]:
    """The database for single questions, which need no transaction; raises ``ConfigurationError``."""
    resolved = _resolved(url, password_file)
    if resolved.get_backend_name() == "sqlite":
        expect_file(Path(resolved.database or ""))
    # Neither BEGIN nor ROLLBACK goes to the server: one question is one round trip.
    engine = _made(resolved, isolation_level="AUTOCOMMIT", skip_autocommit_rollback=True)
    try:
        yield Database(engine, place_of(url))
    finally:
        await engine.dispose()


@asynccontextmanager
async def writing(url: str, *, password_file: Path | None = None) -> AsyncIterator[Database]:
    """The database for changes in transactions, in a file that is made if need be; raises ``ConfigurationError``."""
    resolved = _resolved(url, password_file)
    path = Path(resolved.database or "") if resolved.get_backend_name() == "sqlite" else None
    engine = _made(resolved) if path is None else _made_for_sqlite(resolved, path)
    try:
        yield Database(engine, place_of(url))
    finally:
        await engine.dispose()
        if path is not None:
            _fold_log(path)


def _resolved(url: str, password_file: Path | None) -> URL:
    check_url(url)
    try:
        resolved = make_url(url)
    except (ArgumentError, ValueError):
        problem = "url: expected a database URL that SQLAlchemy can read"
    else:
        resolved = resolved.set(drivername=_DRIVERS.get(resolved.drivername, resolved.drivername))
        return resolved.set(password=password_for(password_file) if resolved.host or resolved.username else None)
    raise ConfigurationError([problem])


def _made(url: URL, **options: Any) -> AsyncEngine:  # noqa: ANN401 - SQLAlchemy's
    if url.get_backend_name() != "sqlite":
        options["pool_timeout"] = POOL_TIMEOUT
    try:
        # Parameters are user names and stored forms.
        return create_async_engine(url, hide_parameters=True, **options)
    except ImportError as error:
        raise ConfigurationError(
            [f"url: {url.drivername} needs a package that is not installed: {error.name or error}"]
        ) from None
    except (ArgumentError, InvalidRequestError) as error:
        raise ConfigurationError([f"url: {error}"]) from None


def _made_for_sqlite(url: URL, path: Path) -> AsyncEngine:
    _make_file(path)
    engine = _made(url, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _make_file(path: Path) -> None:
    """Make the file, for its owner and its group alone: it will hold what passwords can be guessed from."""
    try:
        path.parent.mkdir(mode=0o750, exist_ok=True)
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o640))
            if os.geteuid() == 0:
                # The server runs as whom the directory belongs to, and has to read what root made there.
                owner = path.parent.stat()
                os.chown(path, owner.st_uid, owner.st_gid)
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be made: {error.strerror}"]) from None


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - SQLAlchemy's, around aiosqlite's
    # The driver's own BEGIN takes the lock with the first change: what was read before may be outdated by then.
    connection.isolation_level = None
    # In WAL mode readers never wait for writers.
    for pragma in ("journal_mode = WAL", "foreign_keys = ON"):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads_only = READS_ONLY.items() <= connection.get_execution_options().items()
    # Who begins by reading, and is then overtaken by another writer, could not write any more.
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _fold_log(path: Path) -> None:
    """Bring all changes from SQLite's log into the file itself, so that a plain copy of the file is a whole backup.

    A log that is left beside would also spoil a file that is put in the place of this one.
    """
    with (
        suppress(sqlite3.Error),
        closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as connection,
    ):
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
