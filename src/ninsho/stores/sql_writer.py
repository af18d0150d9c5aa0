"""Changing stored forms on a server while its connections serve to read."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from ninsho.stores import sqlite_writer, statements
from ninsho.stores.engines import Database
from ninsho.stores.growth import ReadOnly
from ninsho.stores.names import key_of

# PostgreSQL's insufficient_privilege and read_only_sql_transaction; MySQL's and MariaDB's errors for the same.
_READ_ONLY = {"42501", "25006", 1044, 1142, 1143, 1290, 1792, 1836}


async def replace_secrets(database: Database, name: str, old: tuple[str, ...], new: tuple[str | None, ...]) -> bool:
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
            if codes := _READ_ONLY & set(_codes(error)):
                raise ReadOnly(f"{database.place}: may not be changed by this login ({codes.pop()})") from None
            raise


def _codes(error: DBAPIError) -> Iterator[object]:
    """The server's codes of *error*, wherever its driver keeps them."""
    yield getattr(error.orig, "sqlstate", None)
    yield from () if error.orig is None else error.orig.args[:1]
