"""Recipients into the ledger: in chunks, each key once, however often and by however many a list is loaded."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, insert, select
from sqlalchemy.dialects import mysql, postgresql, sqlite

from ninsho.bulk.database import Database
from ninsho.bulk.recipients import Listing, Row
from ninsho.bulk.states import State
from ninsho.bulk.tables import recipients

# Rows of one transaction. Others wait for its end, and memory holds no more than this.
CHUNK: Final = 500
_COLUMNS: Final = recipients.c


@dataclass(slots=True)
class Loaded:
    """What a list brought: rows that are ``new``, ``known`` from before, ``duplicates`` of another row, ``invalid``.

    A duplicate has the key of a row that stands on another line: it gets no mail of its own.
    """

    new: int = 0
    known: int = 0
    duplicates: int = 0
    invalid: int = 0

    @property
    def rows(self) -> int:
        """How many rows the list has."""
        return self.new + self.known + self.duplicates + self.invalid


def load(database: Database, mailing: int, listing: Listing, rows: Iterable[Row]) -> Loaded:
    """Add *rows* to a mailing; a row that was invalid and has been corrected takes the place of the old one."""
    loaded = Loaded()
    database.write(lambda connection: _forget_lines(connection, mailing))
    for chunk in _chunks(map(listing.entry, rows)):
        new, others = database.write(partial(_add, mailing=mailing, chunk=chunk))
        invalid = sum(entry["state"] == State.INVALID for entry in chunk)
        duplicates = sum(1 for entry in chunk if others.get(entry["key"], entry["line"]) != entry["line"])
        loaded.invalid += invalid
        loaded.duplicates += duplicates
        loaded.new += max(0, new - invalid)
        loaded.known += len(chunk) - max(new, invalid) - duplicates
    return loaded


def _chunks(entries: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk


def _forget_lines(connection: Connection, mailing: int) -> None:
    """Forget rows without a key of their own: they come again, unless they have been corrected."""
    connection.execute(
        delete(recipients).where(
            _COLUMNS.mailing_id == mailing, _COLUMNS.state == State.INVALID, _COLUMNS.key.like("line %")
        )
    )


def _add(connection: Connection, mailing: int, chunk: list[dict[str, Any]]) -> tuple[int, dict[str, int]]:
    """Add a chunk; return how many are new, and the line of each key that is in the ledger, where not all are."""
    new = connection.execute(_statement(connection.dialect.name), chunk).rowcount
    if new == len(chunk):
        return new, {}
    keys = {entry["key"] for entry in chunk}
    lines = connection.execute(
        select(_COLUMNS.key, _COLUMNS.line).where(_COLUMNS.mailing_id == mailing, _COLUMNS.key.in_(keys))
    )
    return new, {key: line for key, line in lines}  # noqa: C416 - rows are no tuples to type checkers


def _statement(dialect: str) -> Any:  # noqa: ANN401 - each dialect's own kind of insert
    if dialect in {"mysql", "mariadb"}:
        return mysql.insert(recipients).prefix_with("IGNORE")
    if dialect not in {"postgresql", "sqlite"}:
        # A row that is there already is an error: lists are loaded by one process at a time.
        return insert(recipients)
    adding = (postgresql if dialect == "postgresql" else sqlite).insert(recipients)
    corrected = and_(recipients.c.state == State.INVALID, recipients.c.fields != adding.excluded.fields)
    # A message that could not be made of what stood there may be made of what stands there now.
    columns = ("line", "address", "fields", "state", "reply")
    return adding.on_conflict_do_update(
        index_elements=["mailing_id", "key"],
        set_={name: adding.excluded[name] for name in columns},
        where=corrected,
    )
