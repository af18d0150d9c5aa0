"""The tables of the accounts database, and the one question that a login asks of them.

Nothing here is SQLite's alone: strings have lengths for MySQL, and names are compared exactly everywhere.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Double,
    ForeignKey,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    bindparam,
    false,
    select,
)

# Longer names are refused: MySQL's indexes end at 3072 octets, of which a character may take four.
NAME_LENGTH = 255
# More than anybody lists; MySQL counts a row's strings together, up to 65,535 octets.
TEXT_LENGTH = 2000

metadata = MetaData(
    naming_convention={"fk": "fk_%(table_name)s_%(referred_table_name)s", "uq": "uq_%(table_name)s_%(column_0_name)s"}
)

# MySQL and MariaDB take letters of another case, or with another accent, as equal unless told otherwise; "C" makes
# PostgreSQL sort as SQLite does. PostgreSQL and SQLite compare exactly anyway.
_EXACT = (
    String(NAME_LENGTH)
    .with_variant(String(NAME_LENGTH, collation="C"), "postgresql")
    .with_variant(String(NAME_LENGTH, collation="utf8mb4_bin"), "mysql", "mariadb")
)
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}

# Moments are Unix times in seconds: three databases have three ideas of time zones.
accounts = Table(
    "accounts",
    metadata,
    Column("id", Integer, primary_key=True),
    # What the account is looked up by: names.key_of(name).
    Column("name_key", _EXACT, nullable=False, unique=True),
    Column("name", _EXACT, nullable=False),
    Column("disabled", Boolean, nullable=False),
    Column("expires_at", Double),
    # Between blanks; none: from anywhere.
    Column("networks", String(TEXT_LENGTH), nullable=False),
    Column("note", String(TEXT_LENGTH), nullable=False),
    Column("created_at", Double, nullable=False),
    Column("changed_at", Double, nullable=False),
    # Whether the user may act as others, where the configuration lets masters do so.
    Column("master", Boolean, nullable=False, server_default=false()),
    **_OPTIONS,
)

secrets = Table(
    "secrets",
    metadata,
    Column("account_id", Integer, ForeignKey(accounts.c.id, ondelete="CASCADE"), primary_key=True),
    # The preferred form has the lowest.
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("scheme", String(32), nullable=False),
    Column("stored", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    # A look-up then finds the row where it would find its number, which saves 2 µs of 10.
    sqlite_with_rowid=False,
    **_OPTIONS,
)

# One row for each stored form of the account, the preferred one first; a row without one where there is none.
ACCOUNT_BY_KEY: Select[tuple[str, str, bool, float | None, str, bool, str | None]] = (
    select(
        accounts.c.name_key,
        accounts.c.name,
        accounts.c.disabled,
        accounts.c.expires_at,
        accounts.c.networks,
        accounts.c.master,
        secrets.c.stored,
    )
    .select_from(accounts.outerjoin(secrets))
    .where(accounts.c.name_key == bindparam("key"))
    .order_by(secrets.c.position)
)
