"""The first tables: accounts, and the stored forms of their passwords."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# Written out: what tables.py says will change, what this revision made will not.
EXACT = (
    sa.String(255)
    .with_variant(sa.String(255, collation="C"), "postgresql")
    .with_variant(sa.String(255, collation="utf8mb4_bin"), "mysql", "mariadb")
)
OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name_key", EXACT, nullable=False),
        sa.Column("name", EXACT, nullable=False),
        sa.Column("disabled", sa.Boolean, nullable=False),
        sa.Column("expires_at", sa.Double),
        sa.Column("networks", sa.String(2000), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("changed_at", sa.Double, nullable=False),
        sa.UniqueConstraint("name_key", name="uq_accounts_name_key"),
        **OPTIONS,
    )
    op.create_table(
        "secrets",
        sa.Column("account_id", sa.Integer, primary_key=True),
        sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("scheme", sa.String(32), nullable=False),
        sa.Column("stored", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name="fk_secrets_accounts", ondelete="CASCADE"),
        sqlite_with_rowid=False,
        **OPTIONS,
    )
