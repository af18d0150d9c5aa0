"""Accounts that may act as others."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; nobody is a master."""
    # Not as a copy of the table: where SQLite drops the old one, the secrets that refer to it would go with it.
    op.add_column("accounts", sa.Column("master", sa.Boolean, nullable=False, server_default=sa.false()))
