"""The database of a ledger: a file of SQLite's, or any URL of SQLAlchemy's; and what becomes of its errors."""

import os
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    InterfaceError,
    InvalidRequestError,
    OperationalError,
    SQLAlchemyError,
)

from ninsho.bulk.tables import metadata
from ninsho.errors import ConfigurationError, NinshoError
from ninsho.stores.database_url import password_for

T = TypeVar("T")

BUSY_TIMEOUT: Final = 30.0  # seconds that a writer of SQLite's waits for another one
# PostgreSQL's serialization_failure and deadlock_detected; MySQL's for a deadlock: the same again will do.
_ONCE_MORE: Final = frozenset(("40001", "40P01", 1213))
_TRIES: Final = 5
_READS_ONLY: Final = {"ninsho_reads_only": True}
# What a URL without a driver means: blocking drivers, those that ninsho's extras install.
_DRIVERS: Final = {"postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}


class LedgerUnavailable(NinshoError):
    """The ledger's database cannot be reached, or does not do what it is asked to."""


class Database:
    """The database at *place*: a file's name, or a URL; its tables are made where they are missing.

    A password that does not stand in the URL comes from ``NINSHO_DATABASE_PASSWORD``. Raises ``ConfigurationError`` for
    a place that cannot be one, ``LedgerUnavailable`` where it cannot be reached; with ``create=False`` also where there
    is no such file.
    """

    def __init__(self, place: str | Path, *, create: bool = True) -> None:
        self.url = url_of(str(place))
        self.place = self.url.set(username=None, password=None, query={}).render_as_string()
        if self.file is not None and not create and not self.file.exists():
            raise ConfigurationError([f"ledger: expected a file, found no {self.file}"])
        self._engine = self._made()
        self._make_tables()

    @property
    def file(self) -> Path | None:
        """The file of SQLite's; None for another database."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do *work* in a transaction; once more where the database had to end it for another one's sake."""
        return self._done(self._engine, work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Do *work*, which changes nothing, on one state of the database."""
        return self._done(self._engine.execution_options(**_READS_ONLY), work)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _make_tables(self) -> None:
        try:
            self.write(metadata.create_all)
        except LedgerUnavailable:
            # Somebody else makes them at this very moment.
            self.write(metadata.create_all)

    def _done(self, engine: Engine, work: Callable[[Connection], T]) -> T:
        for left in reversed(range(_TRIES)):
            try:
                with engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                if not (left and _ONCE_MORE & set(_codes(error))):
                    raise LedgerUnavailable(f"{self.place}: {self._finding(error)}") from error
            except (SQLAlchemyError, OSError) as error:
                raise LedgerUnavailable(f"{self.place}: {self._finding(error)}") from error
        raise AssertionError

    def _finding(self, error: Exception) -> str:
        """What is said of *error*, without who logs in there and how, and without values."""
        # The other kinds of error are about statements, and may quote what stood in them.
        if not isinstance(error, OperationalError | InterfaceError | OSError):
            return type(error).__name__
        text = " ".join(str(error.orig if isinstance(error, DBAPIError) else error).split())
        for unsaid in filter(None, (str(self.url.password or ""), self.url.username)):
            text = re.sub(rf"(?<!\w){re.escape(unsaid)}(?!\w)", "…", text)
        return text

    def _made(self) -> Engine:
        options: dict[str, Any] = {}
        if self.file is not None:
            _make_file(self.file)
            options["connect_args"] = {"timeout": BUSY_TIMEOUT}
        else:
            # A server that was started anew has cut the connections that rested.
            options["pool_pre_ping"] = True
        try:
            # Parameters are people's addresses.
            engine = create_engine(self.url, hide_parameters=True, **options)
        except ImportError as error:
            raise ConfigurationError(
                [f"ledger: {self.url.drivername} needs a package that is not installed: {error.name or error}"]
            ) from None
        except (ArgumentError, InvalidRequestError) as error:
            raise ConfigurationError([f"ledger: {error}"]) from None
        if self.file is not None:
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        return engine


def url_of(place: str) -> URL:
    """Read a file's name or a database URL; raise ``ConfigurationError``."""
    if "://" not in place:
        if not place:
            raise ConfigurationError(["ledger: expected a file's name or a database URL, got nothing"])
        return URL.create("sqlite", database=str(Path(place).absolute()))
    try:
        url = make_url(place)
    except (ArgumentError, ValueError):
        raise ConfigurationError(["ledger: expected a database URL that SQLAlchemy can read"]) from None
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ConfigurationError(["ledger: expected a file, got a database in memory, which nothing outlives"])
    asks = bool(url.host or url.username) and url.password is None
    return url.set(password=password_for(None)) if asks else url


def _make_file(path: Path) -> None:
    """Make the file for its owner alone: it holds who gets which mail."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise ConfigurationError([f"ledger: {path}: cannot be made: {error.strerror}"]) from None


def _prepare_sqlite(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's
    # The driver's own BEGIN takes the lock with the first change: what was read before may be outdated by then.
    connection.isolation_level = None
    # WAL: who looks never waits. FULL: what is committed has reached the disk (in WAL mode, NORMAL leaves that to the
    # next checkpoint).
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    reads_only = _READS_ONLY.items() <= connection.get_execution_options().items()
    # Who begins by reading, and is then overtaken by another writer, could not write any more.
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


def _codes(error: DBAPIError) -> tuple[object, ...]:
    """The server's codes of *error*, wherever its driver keeps them."""
    return (getattr(error.orig, "sqlstate", None), *(() if error.orig is None else error.orig.args[:1]))
