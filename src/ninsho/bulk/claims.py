"""Rows of the ledger that a run takes, settles and puts back: statements, each within a transaction of its caller's."""

import json
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Row, bindparam, or_, select, update

from ninsho.bulk.outcomes import Settled
from ninsho.bulk.states import State
from ninsho.bulk.tables import NAME_LENGTH, REPLY_LENGTH, recipients
from ninsho.errors import NinshoError
from ninsho.mail.headers import header_end, message_id
from ninsho.mail.merging.csv_rows import Row as PlacedRow
from ninsho.mail.message import EVERYTHING, Submission, prepare

Make: TypeAlias = Callable[[Mapping[str, Any]], Submission]

_COLUMNS = recipients.c
# What may still be settled: also what another process has given up for lost meanwhile. Knowledge is better than none.
_OPEN = (State.SENDING, State.UNKNOWN)


class Claimed(NamedTuple):
    """A row that a run has, and its message."""

    row: int
    submission: Submission
    message_id: str = ""


class _Faulty(NamedTuple):
    """A row from which no message can be made, and why."""

    row: int
    fault: str


@dataclass(slots=True)
class Claim:
    """What one transaction has claimed, and how many rows it has found from which no message can be made."""

    taken: list[Claimed] = field(default_factory=list)
    invalid: int = 0


def claim(connection: Connection, mailing: int, run: int, *, most: int, make: Make) -> Claim:
    """Take up to *most* rows that wait, and make their messages; never one that this run has had before.

    Where the database can, rows that another process is about to take are passed over (SKIP LOCKED); everywhere a row
    is taken only if it waits at that moment.
    """
    waiting = (
        select(_COLUMNS.id, _COLUMNS.line, _COLUMNS.fields)
        .where(_COLUMNS.mailing_id == mailing, _COLUMNS.state == State.WAITING)
        .where(or_(_COLUMNS.run_id.is_(None), _COLUMNS.run_id != run))
        .order_by(_COLUMNS.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    claim = Claim()
    made = [_made(row, make) for row in connection.execute(waiting)]
    _mark_invalid(connection, run, [one for one in made if isinstance(one, _Faulty)], claim)
    _mark_sending(connection, run, [one for one in made if isinstance(one, Claimed)], claim)
    return claim


def _made(row: "Row[Any, Any, Any]", make: Make) -> Claimed | _Faulty:
    """Return the message, or why there is none."""
    try:
        submission = make(PlacedRow(json.loads(row.fields), f"line {row.line}"))
        return Claimed(row.id, submission, id_of(submission)[:NAME_LENGTH])
    except (NinshoError, ValueError) as fault:
        return _Faulty(row.id, str(fault))
    except KeyError as fault:
        return _Faulty(row.id, f"expected a value for {fault}, got none")
    except Exception as fault:  # noqa: BLE001 - one row that cannot be written is no reason to stop the others
        return _Faulty(row.id, f"{type(fault).__name__}: {fault}")


def _mark_invalid(connection: Connection, run: int, faulty: list[_Faulty], claim: Claim) -> None:
    if faulty:
        values = [{"row": row, "fault": fault[:REPLY_LENGTH], "now": time.time()} for row, fault in faulty]
        claim.invalid = connection.execute(_INVALID, [{**one, "run": run} for one in values]).rowcount


def _mark_sending(connection: Connection, run: int, made: list[Claimed], claim: Claim) -> None:
    if not made:
        return
    values = [{"row": one.row, "run": run, "now": time.time(), "named": one.message_id} for one in made]
    claim.taken = made
    if connection.execute(_SENDING, values).rowcount != len(made):
        # Somebody was quicker: only what is ours now.
        ours = _rows_of(connection, run, [one.row for one in made], (State.SENDING,))
        claim.taken = [one for one in made if one.row in ours]


def id_of(submission: Submission) -> str:
    """Return the message's own Message-ID, empty where it has none; raise ``Unsendable`` for what is no message."""
    message = submission.message
    if isinstance(message, bytes):
        end = header_end(message)
        return message_id(message if end is None else message[:end])
    if isinstance(message, Message):
        return str(message.get("Message-ID", "")).strip()
    # What is only written when it is sent, such as a merge's, is written once before: it may be none.
    return prepare(submission, EVERYTHING, chunking=True).message_id


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


def still_ours(connection: Connection, run: int, rows: Collection[int]) -> set[int]:
    """Return those of *rows* that are claimed by *run*, still."""
    return _rows_of(connection, run, rows, (State.SENDING,))


def open_rows(connection: Connection, run: int) -> list[int]:
    """Return the rows of *run* that are not settled."""
    rows = select(_COLUMNS.id).where(_COLUMNS.run_id == run, _COLUMNS.state.in_(_OPEN)).with_for_update()
    return list(connection.scalars(rows))


def _rows_of(connection: Connection, run: int, rows: Collection[int], states: tuple[State, ...]) -> set[int]:
    ours = select(_COLUMNS.id).where(_COLUMNS.id.in_(rows), _COLUMNS.run_id == run, _COLUMNS.state.in_(states))
    return set(connection.scalars(ours))


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
    attempts=_COLUMNS.attempts + bindparam("new_attempts"),
    settled_at=bindparam("now"),
    **{
        name: bindparam(f"new_{name}")
        for name in ("state", "message_id", "sender", "code", "enhanced_code", "reply", "queue_id")
    },
)
# A row that was put back keeps its run: it is another run's to try it again.
_BACK = _OURS.values(state=State.WAITING.value, message_id="")
_UNKNOWN = _OURS.where(_COLUMNS.state == State.SENDING).values(
    state=State.UNKNOWN.value, reply=bindparam("why"), settled_at=bindparam("now")
)
