"""Runs in the ledger: begun, alive, ended; and what is done with the rows of those that died.

A run lives as long as its process. Of a process beside this one that is certain: it holds the lock on its notes, or
has its number and its start. Of one on another machine only its heartbeat tells, which comes every ``BEAT`` seconds by
the database's clock; one that has been silent for ``LEASE`` seconds is taken for dead. Where that is wrong, what it had
on its way is listed as unknown until it says otherwise, and nobody else sends that.

A dead run is buried once: its end is written down when its rows are settled. Only one that may live, or whose notes may
be read some other time, is looked at again.
"""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Row, insert, select, update

from ninsho.bulk import claims
from ninsho.bulk.clock import moment
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
    now = moment(connection)
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
    """Say that it lives, whoever has taken it for dead."""
    living = {"heartbeat": moment(connection), "ended_at": None}
    connection.execute(update(runs).where(_COLUMNS.id == run).values(living))


def end(connection: Connection, run: int) -> None:
    """Say that it has ended, and nothing of it is open."""
    connection.execute(update(runs).where(_COLUMNS.id == run).values(ended_at=moment(connection)))


def reap(database: Database, mailing: int, *, lease: float = LEASE) -> int:
    """Settle what dead runs have left of a mailing, as far as anybody can know; return how many rows wait again."""
    open_runs = select(runs).where(_COLUMNS.mailing_id == mailing, _COLUMNS.ended_at.is_(None))
    now, rows = database.read(lambda connection: (moment(connection), connection.execute(open_runs).all()))
    strays = _reaped_strays(database, mailing)
    return strays + sum(_Remains(database, row, lapsed=now - row.heartbeat > lease).settled() for row in rows)


def _reaped_strays(database: Database, mailing: int) -> int:
    """Let rows wait that a run claimed without hearing of it, as it was killed, or cut off, meanwhile.

    The commit came through when the run was already concluded, or buried. As none of its messages begins before that
    is heard, none of these was handed over.
    """
    ended = select(_COLUMNS.id).where(_COLUMNS.mailing_id == mailing, _COLUMNS.ended_at.is_not(None))
    mine = recipients.c.mailing_id == mailing
    strays = (mine, recipients.c.state == State.SENDING, recipients.c.run_id.in_(ended))
    one = select(recipients.c.id).where(*strays).limit(1)
    # Looked up first: reading holds nobody up.
    if database.read(lambda connection: connection.execute(one).first()) is None:
        return 0
    back = update(recipients).where(*strays).values(state=State.WAITING.value, message_id="")
    return database.write(lambda connection: connection.execute(back).rowcount)


class _Remains:
    """A run that has not said that it ended, and may be dead; *lapsed* says that it has been silent for too long."""

    def __init__(self, database: Database, row: Row[Any], *, lapsed: bool) -> None:
        self._database = database
        self._run: int = row.id
        self._path = Path(row.notes)
        self._process = Process(row.host, row.boot, row.pid, row.pid_started)
        self._this = Process.this()
        self._lapsed = lapsed

    def settled(self) -> int:
        """Settle its rows, if it is dead; return how many wait again."""
        if not self._process.is_beside(self._this):
            return self._lost() if self._is_gone_from_here else self._given_up() if self._lapsed else 0
        try:
            notes = found(self._path)
        except StillHeld:
            # A child that it has forked may hold the lock for longer than it lived. Its notes are read another time.
            return self._given_up() if self._is_proven_dead else 0
        if notes is not None:
            return self._buried(notes)
        if self._this.knows(self._process):
            return self._lost() if self._is_proven_dead else 0
        return self._given_up() if self._lapsed else 0

    @property
    def _is_proven_dead(self) -> bool:
        return self._this.knows(self._process) and not self._process.lives

    @property
    def _is_gone_from_here(self) -> bool:
        """Whether it was on this machine, which has been started anew: a file of SQLite's serves one machine."""
        process, this = self._process, self._this
        if self._database.file is None or process.host != this.host:
            return False
        if process.boot or this.boot:
            return bool(process.boot and this.boot)
        return self._has_let_go()

    def _has_let_go(self) -> bool:
        """Whether nobody has the lock on its notes; what they say may be of before the machine was started anew."""
        try:
            notes = found(self._path)
        except StillHeld:
            return False
        if notes is not None:
            notes.close(remove=False)
        return True

    def _given_up(self) -> int:
        """Say that nobody knows what became of its rows; it may say so itself later, or its notes."""
        self._database.write(lambda connection: _give_up(connection, self._run))
        return 0

    def _lost(self) -> int:
        """The same where nothing will ever tell more: that was all of it."""

        def work(connection: Connection) -> None:
            _give_up(connection, self._run)
            end(connection, self._run)

        self._database.write(work)
        return 0

    def _buried(self, notes: Found) -> int:
        done = False
        try:
            back = self._database.write(lambda connection: _bury(connection, self._run, notes))
            done = True
            return back
        finally:
            notes.close(remove=done)


def _give_up(connection: Connection, run: int) -> None:
    claims.give_up(connection, run, claims.open_rows(connection, run), KILLED)


def _bury(connection: Connection, run: int, notes: Found) -> int:
    """Settle the rows of a dead run as its notes say; return how many wait again."""
    rows = set(claims.open_rows(connection, run))
    notes.read(rows)
    unsent = (notes.listed - notes.taken - notes.heard.keys()) & rows
    claims.settle(connection, run, notes.heard.items())
    claims.put_back(connection, run, unsent)
    # Also those that they do not list: somebody has shortened them.
    claims.give_up(connection, run, rows - notes.heard.keys() - unsent, KILLED)
    end(connection, run)
    return len(unsent)
