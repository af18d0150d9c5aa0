"""The state of an accounts database: which revision of the tables it has, and bringing it up to date."""

from pathlib import Path
from typing import TYPE_CHECKING

from ninsho.errors import ConfigurationError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ninsho.stores.engines import Database

# The newest file in migrations/versions; a test compares them, so that the server need not load alembic to know.
REVISION = "0002"
FOUND_REVISION = "SELECT version_num FROM alembic_version"


def expect_file(path: Path) -> None:
    """Raise ``ConfigurationError`` unless there is a file: SQLite would make an empty one."""
    try:
        path.stat()
    except FileNotFoundError:
        problem = f"{path}: expected the accounts database, found no file: run `ninsho init`"
    except OSError as error:
        problem = f"{path}: cannot be read: {error.strerror}"
    else:
        return
    raise ConfigurationError([problem])


def check_revision(found: str | None, place: object) -> None:
    """Raise ``ConfigurationError`` unless the tables of the database at *place* are those that are expected."""
    if found is None:
        raise ConfigurationError([f"{place}: expected the accounts database, found no tables: run `ninsho init`"])
    if found != REVISION:
        advice = "run `ninsho init`, or a newer ninsho if that made them"
        raise ConfigurationError([f"{place}: expected revision {REVISION} of the tables, got {found}: {advice}"])


async def prepare(url: str, *, password_file: Path | None = None) -> None:
    """Make the accounts database at *url*, or bring its tables up to date; nothing is done where they are.

    Raises ``ConfigurationError`` for a place where it cannot be, ``StoreUnavailable`` for a server without an answer.
    """
    from ninsho.stores.engines import writing  # noqa: PLC0415 - brings SQLAlchemy

    async with writing(url, password_file=password_file) as database:
        await upgrade(database)


async def upgrade(database: "Database") -> None:
    """Bring the tables up to date, in one transaction where the database has such."""
    with database.guarded():
        async with database.engine.begin() as connection:
            await connection.run_sync(_upgrade)


def _upgrade(connection: "Connection") -> None:
    from sqlalchemy import inspect, text  # noqa: PLC0415 - the server knows the revision without it

    made = inspect(connection).has_table("alembic_version")
    if not made or connection.scalar(text(FOUND_REVISION)) != REVISION:
        _migrate(connection)


def _migrate(connection: "Connection") -> None:
    from alembic import command  # noqa: PLC0415 - takes longer than most commands themselves
    from alembic.config import Config  # noqa: PLC0415

    config = Config(attributes={"connection": connection})
    # alembic reads it as a template.
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    command.upgrade(config, "head")
