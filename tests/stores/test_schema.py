"""The tables of the accounts database and how they come about."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from made_up import run, url_of
from sqlalchemy import create_engine
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.schema import CreateTable

from ninsho.errors import StoreUnavailable
from ninsho.stores import migrations, schema, tables


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


def test_the_statements_that_make_the_tables_are_the_same(path: Path) -> None:
    def statements(file: Path) -> dict[str, str]:
        with closing(sqlite3.connect(file)) as database:
            rows = database.execute("SELECT name, sql FROM sqlite_master WHERE name IN ('accounts', 'secrets')")
            return {name: " ".join(sql.split()) for name, sql in rows}

    run(schema.prepare(url_of(path)))
    direct = path.with_name("direct.db")
    engine = create_engine(url_of(direct))
    tables.metadata.create_all(engine)
    engine.dispose()
    assert statements(path) == statements(direct)


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
