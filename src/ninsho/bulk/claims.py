"""Rows of the ledger that a run takes, settles and puts back: statements, each within a transaction of its caller's."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, bindparam, or_, select, update

from ninsho.bulk.letters import lettered
from ninsho.bulk.outcomes import Settled
from ninsho.bulk.states import State
from ninsho.bulk.tables import NAME_LENGTH, REPLY_LENGTH, recipients
from ninsho.bulk.texts import kept
from ninsho.client.office import Sendable
from ninsho.errors import NinshoError
from ninsho.mail.merging.csv_rows import Row as PlacedRow
from ninsho.mail.message import Submission

# What it returns is a message, or one with its envelope.
Make: TypeAlias = Callable[[Mapping[str, Any]], Sendable]
# Told of rows before they are claimed.
Tell: TypeAlias = Callable[[Iterable[int]], None]

_COLUMNS = recipients.c
# What may still be settled: also what another process has given up for lost meanwhile. Knowledge is better than none.
_OPEN = (State.SENDING, State.UNKNOWN)


class Claimed(NamedTuple):
    """A row that a run has, its message, and how often it had been tried before."""

    row: int
    submission: Submission
    message_id: str = ""
    attempts: int = 0


class _Faulty(NamedTuple):
    """A row from which no message can be made, and why."""

    row: int
    fault: str


class Accident(BaseException):
    """``make`` has raised what says nothing of the row: the run ends with it, and its rows wait.

    No ``Exception``: whatever stands in between takes it for nothing of its own.
    """

    def __init__(self, cause: Exception) -> None:
        super().__init__()
        self.cause = cause


@dataclass(slots=True)
class Claim:
    """What one transaction has claimed, and how many rows it has found from which no message can be made."""

    taken: list[Claimed] = field(default_factory=list)
    invalid: int = 0


def claim(  # noqa: PLR0913 - by keyword only
    connection: Connection, mailing: int, run: int, *, most: int, make: Make, tell: Tell
) -> Claim:
    """Take up to *most* rows that wait, and make their messages; never one that this run has had before.

    Where the database can, rows that another process is about to take are passed over (SKIP LOCKED); everywhere a row
    is taken only if it waits at that moment. Raises ``Accident``.
    """
    waiting = (
        select(_COLUMNS.id, _COLUMNS.line, _COLUMNS.address, _COLUMNS.fields, _COLUMNS.attempts)
        .where(_COLUMNS.mailing_id == mailing, _COLUMNS.state == State.WAITING)
        .where(or_(_COLUMNS.run_id.is_(None), _COLUMNS.run_id != run))
        # Whoever fails each time comes last, and keeps nobody from their first try.
        .order_by(_COLUMNS.attempts, _COLUMNS.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    made = [_made(make, *row) for row in connection.execute(waiting).all()]
    faulty = [one for one in made if isinstance(one, _Faulty)]
    taken = [one for one in made if isinstance(one, Claimed)]
    tell(one.row for one in taken)
    _mark_invalid(connection, run, faulty)
    return Claim(_sending(connection, run, taken), len(faulty))


def _made(  # noqa: PLR0913, PLR0917 - one for each column
    make: Make, row: int, line: int, address: str, fields: str, attempts: int
) -> Claimed | _Faulty:
    """Return the message, or why there is none."""
    place = f"line {line}"
    try:
        submission, message_id = lettered(make(PlacedRow(json.loads(fields), place)), address)
        return Claimed(row, submission, kept(message_id, NAME_LENGTH), attempts)
    except (NinshoError, ValueError) as fault:
        # The line has a column of its own.
        return _Faulty(row, str(fault).removeprefix(f"{place}: "))
    except KeyError as fault:
        return _Faulty(row, f"expected a value for {fault}, got none")
    except Exception as accident:
        raise Accident(accident) from accident


def _mark_invalid(connection: Connection, run: int, faulty: list[_Faulty]) -> None:
    if faulty:
        values = [{"row": row, "fault": kept(fault, REPLY_LENGTH), "now": time.time()} for row, fault in faulty]
        connection.execute(_INVALID, [{**one, "run": run} for one in values])


def _sending(connection: Connection, run: int, made: list[Claimed]) -> list[Claimed]:
    """Mark the rows, and return those that are ours now: somebody may have been quicker."""
    if not made:
        return []
    values = [{"row": one.row, "run": run, "now": time.time(), "named": one.message_id} for one in made]
    connection.execute(_SENDING, values)
    ours = still_ours(connection, run, [one.row for one in made])
    return [one for one in made if one.row in ours]


def undo(connection: Connection, run: int, rows: Collection[int]) -> None:
    """Let *rows* wait for anybody that *run* has claimed by a commit of which it may not have heard."""
    if rows:
        connection.execute(_FREE, [{"row": row, "run": run} for row in rows])


def settle(connection: Connection, run: int, outcomes: Iterable[tuple[int, Settled]]) -> None:
    """Write down what became of rows that *run* has; a row that is somebody else's by now is left alone."""
    now = time.time()
    if values := [{"row": row, "run": run, "now": now, **_values(settled)} for row, settled in outcomes]:
        connection.execute(_SETTLED, values)


def _values(settled: Settled) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in settled._asdict().items()}


def put_back(connection: Connection, run: int, rows: Collection[int]) -> None:
    """Let rows wait again that *run* has claimed, and whose messages were never handed over."""
    if rows:
        connection.execute(_BACK, [{"row": row, "run": run} for row in rows])


def give_up(connection: Connection, run: int, rows: Collection[int], why: str) -> None:
    """Say of rows that *run* had on their way that nobody knows."""
    if rows:
        values = [{"row": row, "run": run, "why": why, "now": time.time()} for row in rows]
        connection.execute(_UNKNOWN, values)


def take_back(connection: Connection, run: int, rows: Collection[int]) -> set[int]:
    """Claim those of *rows* again that others have given up as lost meanwhile; return those that are still *run*'s.

    They were never handed over, and nobody but their run may send what is unknown.
    """
    if rows:
        connection.execute(_CLAIMED_AGAIN, [{"row": row, "run": run} for row in rows])
    return still_ours(connection, run, rows)


def still_ours(connection: Connection, run: int, rows: Collection[int]) -> set[int]:
    """Return those of *rows* that are claimed by *run*, still."""
    return set(_ids(connection, run, (State.SENDING,))) & set(rows)


def open_rows(connection: Connection, run: int) -> list[int]:
    """Return the rows of *run* that are not settled."""
    return _ids(connection, run, _OPEN, lock=True)


def _ids(connection: Connection, run: int, states: tuple[State, ...], *, lock: bool = False) -> list[int]:
    rows = select(_COLUMNS.id).where(_COLUMNS.run_id == run, _COLUMNS.state.in_(states))
    return list(connection.scalars(rows.with_for_update() if lock else rows))


_WAITS = update(recipients).where(_COLUMNS.id == bindparam("row"), _COLUMNS.state == State.WAITING)
_SENDING = _WAITS.values(
    state=State.SENDING.value, run_id=bindparam("run"), claimed_at=bindparam("now"), message_id=bindparam("named")
)
_INVALID = _WAITS.values(
    state=State.INVALID.value, run_id=bindparam("run"), settled_at=bindparam("now"), reply=bindparam("fault")
)
_OURS = update(recipients).where(
    _COLUMNS.id == bindparam("row"),
    _COLUMNS.run_id == bindparam("run"),
    # No IN: SQLAlchemy writes that anew for each row.
    or_(*(_COLUMNS.state == state for state in _OPEN)),
)
_SETTLED = _OURS.values(
    settled_at=bindparam("now"),
    **{name: bindparam(f"new_{name}") for name in Settled._fields},
)
_FREE = _OURS.values(state=State.WAITING.value, message_id="", run_id=None)
_CLAIMED_AGAIN = _OURS.values(state=State.SENDING.value)
# A row that was put back keeps its run: it is another run's to try it again.
_BACK = _OURS.values(state=State.WAITING.value, message_id="")
_UNKNOWN = _OURS.where(_COLUMNS.state == State.SENDING).values(
    state=State.UNKNOWN.value, reply=bindparam("why"), settled_at=bindparam("now")
)
