"""Changing stored forms on a server while its connections serve to read."""

import asyncio
import time
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ninsho.stores import sqlite_writer, statements
from ninsho.stores.engines import Database
from ninsho.stores.growth import ReadOnly
from ninsho.stores.names import key_of

# PostgreSQL's insufficient_privilege and read_only_sql_transaction; MySQL's and MariaDB's errors for the same.
_READ_ONLY = {"42501", "25006", 1044, 1142, 1143, 1290, 1792, 1836}


async def replace_secrets(database: Database, name: str, old: tuple[str, ...], new: tuple[str, ...]) -> bool:
    """Do as ``SecretWriter.replace_secrets``."""
    url = database.engine.url
    if url.get_backend_name() == "sqlite":
        return await asyncio.to_thread(sqlite_writer.replace_secrets, Path(url.database or ""), name, old, new)
    with database.guarded():
        try:
            # The connections that logins read by need no transactions otherwise.
            engine = database.engine.execution_options(isolation_level="READ COMMITTED")
            async with engine.begin() as connection:
                return await statements.exchange_secrets(connection, key_of(name), old, new, now=time.time())
        except DBAPIError as error:
            if (finding := _code(error)) in _READ_ONLY:
                raise ReadOnly(f"{database.place}: may not be changed by this login ({finding})") from None
            raise


def _code(error: DBAPIError) -> str | int:
    """The server's code of *error*."""
    state: str | None = getattr(error.orig, "sqlstate", None)
    first = error.orig.args[0] if error.orig is not None and error.orig.args else ""
    return state if state is not None else first if isinstance(first, int) else ""
