"""The accounts database: in a file of SQLite, or on a server of PostgreSQL, MySQL or MariaDB."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from ninsho.stores.accounts import SecretStore
from ninsho.stores.database_url import check_url, sqlite_path


@dataclass(frozen=True)
class DatabaseStore:
    """The accounts database at *url*, which ``ninsho init`` makes and ``ninsho user`` fills.

    ``sqlite:////var/lib/ninsho/accounts.db`` is read in place; any other URL is SQLAlchemy's, such as
    ``postgresql+psycopg://ninsho@db.example.org/ninsho``. A password does not stand in it but in *password_file*, in
    the environment variable NINSHO_DATABASE_PASSWORD, or in systemd's credential ``database-password``.
    """

    # Hidden, as somebody may write a password into it all the same.
    url: str = field(default="sqlite:////var/lib/ninsho/accounts.db", repr=False)
    password_file: Path | None = None

    def __post_init__(self) -> None:
        check_url(self.url)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SecretStore]:
        """Open the database; raise ``ConfigurationError`` where its tables are missing or outdated."""
        if (path := sqlite_path(self.url)) is not None:
            from ninsho.stores.sqlite_reader import SqliteReader  # noqa: PLC0415 - each way to read loads what it needs

            with closing(SqliteReader(path)) as reader:
                yield reader
            return

        from ninsho.stores.engines import reading  # noqa: PLC0415 - takes 0.3 s
        from ninsho.stores.sql_reader import SqlReader  # noqa: PLC0415

        async with reading(self.url, password_file=self.password_file) as database:
            store = SqlReader(database)
            await store.check()
            yield store
