"""The database of a ledger: a file of SQLite's, or any URL of SQLAlchemy's; and what becomes of its errors."""

import os
import re
import time
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
# PostgreSQL's serialization_failure and deadlock_detected; MySQL's for a deadlock, MariaDB's for a row that another one
# has changed meanwhile: the same again will do.
_ONCE_MORE: Final = frozenset(("40001", "40P01", 1213, 1020))
# Seconds between tries: a server is started anew in that time.
_PAUSES: Final = (0.05, 0.2, 0.5, 1.0, 2.0)
_SQLITE: Final = b"SQLite format 3\0"  # https://www.sqlite.org/fileformat2.html, 1.3
_READS_ONLY: Final = {"ninsho_reads_only": True}
# Blocking drivers, those that ninsho's extras install, for a URL without one, and for those of event loops.
_DRIVERS: Final = {
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "postgresql+asyncpg": "postgresql+psycopg",
    "postgresql+psycopg_async": "postgresql+psycopg",
    "sqlite+aiosqlite": "sqlite",
    **{
        f"{name}{driver}": f"{name}+pymysql"
        for name in ("mysql", "mariadb")
        for driver in ("", "+asyncmy", "+aiomysql")
    },
}


class LedgerUnavailable(NinshoError):
    """The ledger's database cannot be reached, or does not do what it is asked to."""


class Database:
    """The database at *place*: a file's name, or a URL; its tables are made where they are missing.

    A password that does not stand in the URL comes from ``NINSHO_DATABASE_PASSWORD``. Raises ``ConfigurationError`` for
    a place that cannot be one, or is another file, ``LedgerUnavailable`` where it cannot be reached; with
    ``create=False`` also where there is no such file.
    """

    def __init__(self, place: str | Path, *, create: bool = True) -> None:
        self.url = url_of(str(place))
        self.place = self.url.set(username=None, password=None, query={}).render_as_string()
        if self.file is not None and not create and not _is_there(self.file):
            raise ConfigurationError([f"ledger: expected a file, found no {self.file}"])
        if self.file is not None and self.url.drivername in {"sqlite", "sqlite+pysqlite"}:
            _expect_ledger(self.file)
        self._engine = self._made()
        self._make_tables()

    @property
    def file(self) -> Path | None:
        """The file of SQLite's; None for another database."""
        return Path(self.url.database or "") if self.url.get_backend_name() == "sqlite" else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Do *work* in a transaction; once more where the database had to end it for another one's sake, or is gone.

        Where the connection breaks at the commit, what was done may be done already: *work* must bear with that.
        """
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
        gone = False
        for pause in (*_PAUSES, None):
            try:
                with engine.begin() as connection:
                    return work(connection)
            except DBAPIError as error:
                # Who was there may be there again.
                gone |= error.connection_invalidated
                if pause is None or not (gone or _ONCE_MORE & set(_codes(error))):
                    raise LedgerUnavailable(f"{self.place}: {finding(error, self.url)}") from error
                # Whoever was in the way is done soon; at once, several would meet again and again.
                time.sleep(pause if gone else pause / 10)
            except SQLAlchemyError as error:
                raise LedgerUnavailable(f"{self.place}: {finding(error, self.url)}") from error
        raise AssertionError

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


def finding(error: SQLAlchemyError, url: URL) -> str:
    """Return what is said of *error*, without who logs in there and how, and without values."""
    # The other kinds of error are about statements, and may quote what stood in them.
    if not isinstance(error, OperationalError | InterfaceError):
        return type(error).__name__
    text = " ".join(str(error.orig).split())
    secrets = (str(value) for name, value in url.query.items() if "pass" in name)
    for unsaid in filter(None, (str(url.password or ""), url.username, *secrets)):
        text = re.sub(rf"(?<!\w){re.escape(unsaid)}(?!\w)", "…", text)
    return text


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
    if url.get_backend_name() == "sqlite":
        return _file_url(url)
    asks = bool(url.host or url.username) and url.password is None
    return url.set(password=password_for(None)) if asks else url


def _file_url(url: URL) -> URL:
    """Let the file keep its place whatever becomes of the working directory; notes lie beside it."""
    if url.database in (None, "", ":memory:"):
        raise ConfigurationError(["ledger: expected a file, got a database in memory, which nothing outlives"])
    if str(url.database).startswith("file:"):
        raise ConfigurationError(["ledger: expected a file's name behind sqlite:///, got a URI"])
    return url.set(database=str(Path(str(url.database)).absolute()))


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise ConfigurationError([f"ledger: {path}: cannot be read: {error.strerror}"]) from None


def _expect_ledger(path: Path) -> None:
    """Raise ``ConfigurationError`` for a file that is none of SQLite's, such as the list of recipients."""
    try:
        with path.open("rb") as file:
            begin = file.read(len(_SQLITE))
    except OSError:
        # Whoever opens it as a database says what is wrong.
        return
    if begin and begin != _SQLITE:
        raise ConfigurationError([f"ledger: {path}: expected a ledger, got a file that is none"])


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
