"""Changing stored forms in a file of SQLite while the server reads it, without loading SQLAlchemy: 0.3 s less."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from ninsho.errors import StoreUnavailable
from ninsho.stores import secret_rows
from ninsho.stores.growth import ReadOnly
from ninsho.stores.names import key_of
from ninsho.stores.schema import FOUND_REVISION, REVISION

BUSY_TIMEOUT = 5.0  # seconds; nobody waits for it

# statements.FORMS_BY_KEY and those behind it as SQLAlchemy writes them; a test compares them.
FORMS_BY_KEY = (
    "SELECT secrets.account_id, secrets.position, secrets.stored "
    "FROM accounts JOIN secrets ON accounts.id = secrets.account_id "
    "WHERE accounts.name_key = :key ORDER BY secrets.position"
)
CHANGE_FORM = (
    "UPDATE secrets SET scheme=:scheme, stored=:stored, created_at=:created_at "
    "WHERE secrets.account_id = :account AND secrets.position = :place"
)
ADD_FORM = (
    "INSERT INTO secrets (account_id, position, scheme, stored, created_at) "
    "VALUES (:account, :place, :scheme, :stored, :created_at)"
)
REMOVE_FORM = "DELETE FROM secrets WHERE secrets.account_id = :account AND secrets.position = :place"
TOUCH = "UPDATE accounts SET changed_at=:now WHERE accounts.name_key = :key"

_READ_ONLY = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM}


def replace_secrets(path: Path, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
    """Do as ``SecretWriter.replace_secrets``, and wait for it."""
    with _told(path), closing(_connect(path)) as connection:
        # Taken at once: what is read before the lock may be outdated when it comes.
        connection.execute("BEGIN IMMEDIATE")
        _expect_revision(connection, path)
        if not _exchange(connection, key_of(name), old, new):
            connection.execute("ROLLBACK")
            return False
        connection.execute("COMMIT")
        # A plain copy of the file is a whole backup again.
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return True


def _connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_TIMEOUT, isolation_level=None)


def _expect_revision(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute(FOUND_REVISION).fetchone() != (REVISION,):
        raise StoreUnavailable(f"{path}: expected revision {REVISION} of the tables, got another")


def _exchange(connection: sqlite3.Connection, key: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
    now = time.time()
    found = connection.execute(FORMS_BY_KEY, {"key": key}).fetchall()
    changes = secret_rows.changes(found, old, new, now=now)
    if changes is None:
        return False
    connection.executemany(CHANGE_FORM, changes.changed)
    connection.executemany(ADD_FORM, changes.added)
    connection.executemany(REMOVE_FORM, changes.removed)
    connection.execute(TOUCH, {"key": key, "now": now})
    return True


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into those that ``replace_secrets`` raises."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        # Too many open files look the same, and pass.
        forbidden = code in _READ_ONLY or (code == sqlite3.SQLITE_CANTOPEN and path.exists() and not _is_writable(path))
        raise (ReadOnly if forbidden else StoreUnavailable)(f"{path}: {error}") from None


def _is_writable(path: Path) -> bool:
    """Whether the file may be changed, and files be made beside it, as SQLite does."""
    effective = os.access in os.supports_effective_ids
    return all(os.access(place, os.W_OK, effective_ids=effective) for place in (path, path.parent))
