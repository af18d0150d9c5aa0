"""Runs in the ledger: begun, alive, ended; and what is done with the rows of those that died.

A run lives as long as its process. Of a process beside this one that is certain: it holds the lock on its notes, or
has its number and its start. Of one on another machine only its heartbeat tells, which comes every ``BEAT`` seconds;
one that has been silent for ``LEASE`` seconds is taken for dead. Where that is wrong, what it had on its way is listed
as unknown until it says otherwise, and nobody else sends that.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from ninsho.bulk import claims
from ninsho.bulk.database import Database
from ninsho.bulk.notes import Found, Notes, StillHeld, found
from ninsho.bulk.processes import Process
from ninsho.bulk.states import State
from ninsho.bulk.tables import recipients, runs

LEASE: Final = 600.0  # seconds
BEAT: Final = 30.0  # seconds

KILLED: Final = "the run ended before the server's verdict was known"
_COLUMNS: Final = runs.c


def begin(connection: Connection, mailing: int, process: Process, notes: Notes) -> int:
    """Write down a new run, and let those wait again that failed for the time being; return its number."""
    now = time.time()
    values = {
        "mailing_id": mailing,
        "host": process.host,
        "boot": process.boot,
        "pid": process.pid,
        "pid_started": process.started,
        "notes": str(notes.path),
        "started_at": now,
        "heartbeat": now,
    }
    (run,) = connection.execute(insert(runs).values(values)).inserted_primary_key or (0,)
    connection.execute(
        update(recipients)
        .where(recipients.c.mailing_id == mailing, recipients.c.state == State.DEFERRED)
        .values(state=State.WAITING.value)
    )
    return int(run)


def beat(connection: Connection, run: int) -> None:
    """Say that it lives."""
    connection.execute(update(runs).where(_COLUMNS.id == run).values(heartbeat=time.time()))


def end(connection: Connection, run: int) -> None:
    """Say that it has ended, and nothing of it is open."""
    connection.execute(update(runs).where(_COLUMNS.id == run).values(ended_at=time.time()))


def reap(database: Database, mailing: int, *, lease: float = LEASE, clock: Callable[[], float] = time.time) -> int:
    """Settle what dead runs have left of a mailing, as far as anybody can know; return how many runs that were."""
    open_runs = select(runs).where(_COLUMNS.mailing_id == mailing, _COLUMNS.ended_at.is_(None))
    this = Process.this()
    rows = database.read(lambda connection: connection.execute(open_runs).all())
    if database.read(lambda connection: connection.execute(_stray(mailing, select(recipients.c.id)).limit(1)).first()):
        back = _stray(mailing, update(recipients)).values(state=State.WAITING.value, message_id="")
        database.write(lambda connection: connection.execute(back))
    return sum(_reaped(database, row, this, lapsed=clock() - row.heartbeat > lease) for row in rows)


def _stray(mailing: int, statement: Any) -> Any:  # noqa: ANN401 - a select or an update
    """Restrict *statement* to rows that a run claimed without hearing of it, as it was killed, or cut off, meanwhile.

    The commit came through when the run was already concluded, or buried. As none of its messages begins before that
    is heard, none of these was handed over.
    """
    ended = select(_COLUMNS.id).where(_COLUMNS.mailing_id == mailing, _COLUMNS.ended_at.is_not(None))
    mine = recipients.c.mailing_id == mailing
    return statement.where(mine, recipients.c.state == State.SENDING, recipients.c.run_id.in_(ended))


def _reaped(database: Database, row: Row[Any], this: Process, *, lapsed: bool) -> bool:
    process = Process(row.host, row.boot, row.pid, row.pid_started)
    if not process.is_beside(this):
        # A file of SQLite's serves one machine: that has been started anew.
        anew = database.file is not None and process.host == this.host and bool(process.boot and this.boot)
        return (lapsed or anew) and _buried(database, row.id, None)
    try:
        notes = found(Path(row.notes))
    except StillHeld:
        return False
    if notes is None:
        gone = not process.lives if this.knows(process) else lapsed
        return gone and _buried(database, row.id, None)
    return _buried(database, row.id, notes)


def _buried(database: Database, run: int, notes: Found | None) -> bool:
    done = False
    try:
        database.write(lambda connection: _bury(connection, run, notes))
        done = True
    finally:
        if notes is not None:
            notes.close(remove=done)
    return True


def _bury(connection: Connection, run: int, notes: Found | None) -> None:
    """Settle the rows of a dead run: as its notes say where there are any, else all that are open are unknown.

    Only the lock on its notes proves that it is dead. Without, its process may know more, or its notes may be read some
    other time: it is not over.
    """
    rows = set(claims.open_rows(connection, run))
    if notes is None:
        claims.give_up(connection, run, rows, KILLED)
        return
    notes.read(rows)
    claims.settle(connection, run, notes.heard.items())
    claims.give_up(connection, run, notes.taken - notes.heard.keys(), KILLED)
    claims.put_back(connection, run, rows - notes.taken)
    end(connection, run)
