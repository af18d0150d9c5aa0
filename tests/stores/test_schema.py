"""The tables of the accounts database and how they come about."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from made_up import run, url_of
from sqlalchemy import create_engine
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateTable

from ninsho.errors import StoreUnavailable
from ninsho.stores import migrations, schema, tables
from ninsho.stores.administration import administer
from ninsho.stores.entries import Record


def make_revision(path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(url_of(path))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    engine.dispose()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.db"


def test_the_revision_is_alembics_newest() -> None:
    assert ScriptDirectory(str(Path(migrations.__file__).parent)).get_heads() == [schema.REVISION]


def test_the_migrations_make_the_tables_that_are_asked(path: Path) -> None:
    run(schema.prepare(url_of(path)))
    engine = create_engine(url_of(path))
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    engine.dispose()


def test_the_columns_of_the_tables_are_the_same(path: Path) -> None:
    def columns(file: Path) -> dict[str, list[tuple[object, ...]]]:
        with closing(sqlite3.connect(file)) as database:
            return {
                table: [
                    row
                    for what in ("table_xinfo", "foreign_key_list")
                    for row in database.execute(f"PRAGMA {what}({table})")
                ]
                for table in ("accounts", "secrets")
            }

    run(schema.prepare(url_of(path)))
    direct = path.with_name("direct.db")
    engine = create_engine(url_of(direct))
    tables.metadata.create_all(engine)
    engine.dispose()
    assert columns(path) == columns(direct)


def test_accounts_of_the_first_tables_are_kept(path: Path) -> None:
    make_revision(path, "0001")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(
            "INSERT INTO accounts (id, name_key, name, disabled, networks, note, created_at, changed_at)"
            " VALUES (7, 'alice', 'Alice', 0, '', '', 1, 1)"
        )
        database.execute("INSERT INTO secrets VALUES (7, 0, 'PLAIN', '{PLAIN}x', 1)")

    async def work() -> Record:
        async with administer(url_of(path)) as accounts:
            return await accounts.get("alice")

    record = run(work())
    assert (record.name, record.secrets, record.master) == ("Alice", ("{PLAIN}x",), False)


def test_preparing_again_does_nothing(path: Path) -> None:
    run(schema.prepare(url_of(path)))
    before = path.read_bytes()
    run(schema.prepare(url_of(path)))
    assert path.read_bytes() == before


def test_a_path_with_a_percent_sign_is_no_template(tmp_path: Path) -> None:
    folder = tmp_path / "100%(here)s"
    run(schema.prepare(url_of(folder / "accounts.db")))
    with closing(sqlite3.connect(folder / "accounts.db")) as database:
        assert database.execute(schema.FOUND_REVISION).fetchall() == [(schema.REVISION,)]


def test_a_change_that_fails_leaves_no_half_of_the_tables(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE secrets (something_else TEXT)")
    with pytest.raises(StoreUnavailable, match="table secrets already exists"):
        run(schema.prepare(url_of(path)))
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("secrets",)]


def test_the_tables_can_be_made_everywhere() -> None:
    for dialect in (mysql.dialect(), postgresql.dialect()):
        text = "".join(str(CreateTable(table).compile(dialect=dialect)) for table in tables.metadata.sorted_tables)
        # Names are compared exactly.
        assert text.count("COLLATE") == 2
