"""Recipients into the ledger: in chunks, each key once, however often and by however many a list is loaded."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, RowMapping, bindparam, case, delete, insert, or_, select, update
from sqlalchemy.dialects import mysql, postgresql, sqlite

from ninsho.bulk.database import Database
from ninsho.bulk.recipients import NOBODY, Listing, Row
from ninsho.bulk.states import State
from ninsho.bulk.tables import recipients

# Rows of one transaction. Others wait for its end.
CHUNK: Final = 500
_COLUMNS: Final = recipients.c
# Nothing was sent to them: what a list says of them now is what counts.
_CORRECTED: Final = (State.WAITING, State.DEFERRED, State.INVALID)
_SAID: Final = ("address", "mailbox", "fields")

Entry: TypeAlias = dict[str, Any]


@dataclass(slots=True)
class Loaded:
    """What a list brought: rows that are ``new``, ``known`` from before, ``duplicates`` of another row, ``invalid``.

    A duplicate has the key of an earlier row of the same list: it gets no mail of its own.
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
    """Add *rows* to a mailing; one that is there already, and has not been sent to, is from now on what is listed."""
    loaded = Loaded()
    # All that memory holds of a list but for a chunk: a million keys take 110 MB.
    seen: set[str] = set()
    database.write(lambda connection: _forget_nobodies(connection, mailing))
    for chunk in _chunks(map(listing.entry, rows)):
        first = list(_unseen(chunk, seen))
        invalid = sum(entry["key"].startswith(NOBODY) for entry in first)
        known = _write(database, mailing, first)
        loaded.invalid += invalid
        loaded.duplicates += len(chunk) - len(first)
        loaded.known += known
        loaded.new += len(first) - invalid - known
    return loaded


def _chunks(entries: Iterator[Entry]) -> Iterator[list[Entry]]:
    while chunk := list(islice(entries, CHUNK)):
        yield chunk


def _unseen(entries: Iterable[Entry], seen: set[str]) -> Iterator[Entry]:
    for entry in entries:
        if entry["key"] not in seen:
            seen.add(entry["key"])
            yield entry


def _forget_nobodies(connection: Connection, mailing: int) -> None:
    """Forget rows without a key of their own: they come again, unless they have been corrected."""
    connection.execute(
        delete(recipients).where(
            _COLUMNS.mailing_id == mailing, _COLUMNS.state == State.INVALID, _COLUMNS.key.startswith(NOBODY)
        )
    )


def _write(database: Database, mailing: int, entries: Sequence[Entry]) -> int:
    """Add *entries*, or bring those up to date that are there; return how many of these there were."""
    known = database.read(lambda connection: _known(connection, mailing, [entry["key"] for entry in entries]))
    new = [entry for entry in entries if entry["key"] not in known]
    changed = [entry for entry in entries if entry["key"] in known and _differs(entry, known[entry["key"]])]
    if new or changed:
        database.write(lambda connection: _add(connection, new, changed))
    return len(known)


def _known(connection: Connection, mailing: int, keys: Sequence[str]) -> dict[str, RowMapping]:
    columns = (_COLUMNS.key, _COLUMNS.line, *(_COLUMNS[name] for name in _SAID))
    asking = select(*columns).where(_COLUMNS.mailing_id == mailing, _COLUMNS.key.in_(keys))
    return {row["key"]: row for row in connection.execute(asking).mappings()}


def _differs(entry: Entry, row: RowMapping) -> bool:
    return any(entry[name] != row[name] for name in ("line", *_SAID))


def _add(connection: Connection, new: list[Entry], changed: list[Entry]) -> None:
    if new:
        connection.execute(_insert(connection.dialect.name), new)
    if changed:
        names = ("mailing_id", "key", "line", *_SAID)
        connection.execute(_CORRECTION, [{f"new_{name}": entry[name] for name in names} for entry in changed])


def _insert(dialect: str) -> Any:  # noqa: ANN401 - each dialect's own kind of insert
    """An insert to which a row that somebody else has added meanwhile is no error."""
    if dialect in {"mysql", "mariadb"}:
        adding = mysql.insert(recipients)
        # IGNORE would ignore as well that a value does not fit.
        return adding.on_duplicate_key_update(line=_COLUMNS.line)
    if dialect in {"postgresql", "sqlite"}:
        kind = postgresql if dialect == "postgresql" else sqlite
        return kind.insert(recipients).on_conflict_do_nothing(index_elements=["mailing_id", "key"])
    # Where this cannot be said, lists are loaded by one process at a time.
    return insert(recipients)


# A message that could not be made of what stood there may be made of what stands there now.
_HEALED: Final = (_COLUMNS.state == State.INVALID) & (_COLUMNS.fields != bindparam("new_fields"))
_CORRECTION: Final = (
    update(recipients)
    .where(_COLUMNS.mailing_id == bindparam("new_mailing_id"), _COLUMNS.key == bindparam("new_key"))
    .where(or_(*(_COLUMNS.state == state for state in _CORRECTED)))
    .ordered_values(
        # Before the fields: MySQL takes what an earlier one has assigned.
        (_COLUMNS.reply, case((_HEALED, ""), else_=_COLUMNS.reply)),
        (_COLUMNS.state, case((_HEALED, State.WAITING.value), else_=_COLUMNS.state)),
        *((_COLUMNS[name], bindparam(f"new_{name}")) for name in ("line", *_SAID)),
    )
)
