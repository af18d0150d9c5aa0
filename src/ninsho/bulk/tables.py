"""The tables of a ledger; nothing here is one database's alone."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# MySQL's indexes end at 3072 octets, of which a character may take four.
NAME_LENGTH = 255
KEY_LENGTH = 500
# What a server says or a Message-ID holds is cut to this.
REPLY_LENGTH = 2000
CODE_LENGTH = 16

metadata = MetaData()

# SQLite counts rows by itself only where the key is called INTEGER.
_ID = BigInteger().with_variant(Integer, "sqlite")
# MySQL and MariaDB take letters of another case, or with another accent, as equal unless told otherwise.
_EXACT_NAME = String(NAME_LENGTH).with_variant(String(NAME_LENGTH, collation="utf8mb4_bin"), "mysql", "mariadb")
_EXACT_KEY = String(KEY_LENGTH).with_variant(String(KEY_LENGTH, collation="utf8mb4_bin"), "mysql", "mariadb")
# A TEXT of MySQL's ends at 64 KiB.
_LONG_TEXT = Text().with_variant(Text((1 << 24) - 1), "mysql", "mariadb")
_OPTIONS: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mariadb_engine": "InnoDB",
    "mariadb_charset": "utf8mb4",
}

# Moments are Unix times in seconds: three databases have three ideas of time zones.
mailings = Table(
    "mailings",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("name", _EXACT_NAME, nullable=False, unique=True),
    # Of all that is the same for everybody: two templates are never mixed up under one name.
    Column("fingerprint", String(64), nullable=False),
    Column("subject", String(REPLY_LENGTH), nullable=False),
    Column("created_at", Double, nullable=False),
    **_OPTIONS,
)

runs = Table(
    "runs",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("mailing_id", _ID, ForeignKey(mailings.c.id, ondelete="CASCADE"), nullable=False),
    # Who it is: see ``ninsho.bulk.processes``.
    Column("host", String(NAME_LENGTH), nullable=False),
    Column("boot", String(NAME_LENGTH), nullable=False),
    Column("pid", Integer, nullable=False),
    Column("pid_started", String(32), nullable=False),
    Column("notes", Text, nullable=False),
    Column("started_at", Double, nullable=False),
    Column("heartbeat", Double, nullable=False),
    Column("ended_at", Double),
    **_OPTIONS,
)

recipients = Table(
    "recipients",
    metadata,
    Column("id", _ID, primary_key=True),
    Column("mailing_id", _ID, ForeignKey(mailings.c.id, ondelete="CASCADE"), nullable=False),
    Column("key", _EXACT_KEY, nullable=False),
    # Where it stands in the file.
    Column("line", BigInteger, nullable=False),
    Column("address", String(KEY_LENGTH), nullable=False),
    # The same as it is compared: see ``ninsho.bulk.recipients.mailbox_of``.
    Column("mailbox", _EXACT_KEY, nullable=False),
    # What the message is made of: JSON.
    Column("fields", _LONG_TEXT, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    # The run that claimed it last.
    Column("run_id", _ID),
    Column("claimed_at", Double),
    Column("message_id", String(NAME_LENGTH), nullable=False, default=""),
    Column("sender", String(KEY_LENGTH), nullable=False, default=""),
    # Whom the message was for: this one, and others who got a copy.
    Column("copies", Integer, nullable=False, default=1),
    Column("code", Integer),
    Column("enhanced_code", String(CODE_LENGTH), nullable=False, default=""),
    Column("reply", String(REPLY_LENGTH), nullable=False, default=""),
    Column("queue_id", String(NAME_LENGTH), nullable=False, default=""),
    Column("settled_at", Double),
    Column("bounce_action", String(16), nullable=False, default=""),
    Column("bounce_status", String(CODE_LENGTH), nullable=False, default=""),
    Column("bounce_diagnosis", String(REPLY_LENGTH), nullable=False, default=""),
    Column("bounced_at", Double),
    UniqueConstraint("mailing_id", "key", name="uq_recipients_key"),
    # The next ones that wait are found at its beginning.
    Index("ix_recipients_state", "mailing_id", "state", "attempts", "id"),
    Index("ix_recipients_run", "run_id", "state"),
    Index("ix_recipients_message_id", "message_id"),
    Index("ix_recipients_mailbox", "mailbox"),
    **_OPTIONS,
)
