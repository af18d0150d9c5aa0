"""A run: rows are claimed, their messages handed to a client, and what it says of them is written down.

Why nobody is left out and nobody gets two, wherever this is cut off:

1. A message goes to the wire only after its row is ``sending`` with this run and its Message-ID, in a commit that has
   reached the disk (``claims.claim``), and after the run's notes say that it was handed over (``notes.Notes.take``).
2. A row is claimed only out of ``waiting``, by one conditional UPDATE in one transaction: of two runs, one has it.
3. ``sending`` is left for ``waiting`` again only where it is certain that the message never began: the client says so
   (``UNSENT``), or the message was never taken from this run's queue. Of a killed run its notes tell that: they list
   each row before it is claimed, mark it before it goes out, and are believed only of what they list, and only while
   the machine is up that they were written on: a kill loses nothing that was written.
4. Everything else that has no verdict becomes ``unknown``: listed, and never sent again unless somebody says so.
   The Message-ID is in the ledger before the message is anywhere else, so one can look for it.
5. A verdict is written down only where the row is still this run's; a row that has been given to another run is not
   touched. A process that was paused for so long that others took it for dead finds its rows ``unknown``: it may still
   say what became of those that were on their way, and hands over none of the others without claiming them again.
6. Every row that is not settled is ``waiting`` or in a run that lives or will be found dead: the next run finds it, and
   also one that was claimed by a commit of which the run never heard (``runs.reap``, ``claims.undo``).

A refusal is a recipient's own only where it answers RCPT or the message. Where a server refuses the sender, or one
message after the other and takes none in between, the run ends (``Refusals``) before all are refused.

What the ledger learns a moment late (a verdict is written with the next claim's commit, or within a second) costs a
``sending`` row that was accepted: with the notes it is settled, after a power cut it is unknown.
"""

import copy
import gc
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from traceback import clear_frames
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from sqlalchemy import Connection, func, select

from ninsho.bulk import claims, runs
from ninsho.bulk.claims import Accident, Claim, Claimed, Make
from ninsho.bulk.clock import elapsed
from ninsho.bulk.database import Database, LedgerUnavailable
from ninsho.bulk.notes import Notes
from ninsho.bulk.outcomes import Settled
from ninsho.bulk.processes import Process
from ninsho.bulk.progress import Tally
from ninsho.bulk.refusals import Refusals
from ninsho.bulk.states import State
from ninsho.bulk.tables import recipients

if TYPE_CHECKING:
    from ninsho.client.receipt import Receipt
    from ninsho.mail.message import Submission

BATCH: Final = 32  # rows of one commit
GIVEN_UP: Final = "given up before the server's verdict was known"
_TICK: Final = 1.0  # seconds that a verdict waits at most until the ledger has it
_COUNTED: Final = 5.0  # seconds after which is counted anew what remains


class Run:
    """One run of one mailing, for ``with``; ``submissions`` go to a client, its receipts to ``settle``.

    ``refusals`` are those that end it, and raise what tells why. *clock* gives seconds.
    """

    def __init__(  # noqa: PLR0913 - by keyword only, but for what it always takes
        self,
        database: Database,
        mailing: int,
        make: Make,
        *,
        limit: int | None,
        batch: int = BATCH,
        clock: Callable[[], float] = elapsed,
    ) -> None:
        self.tally = Tally()
        self.refusals = Refusals()
        self._database = database
        self._mailing = mailing
        self._make = make
        self._left = limit
        self._batch = batch
        self._clock = clock
        self._lock = Lock()
        self._queue: deque[Claimed] = deque()
        # With the client, by the identity of the message: receipts come with the very one that was handed over.
        self._out: dict[int, Claimed] = {}
        self._heard: deque[tuple[int, Settled]] = deque()
        # No Event: a signal handler may not wait for its lock.
        self._stopped = False
        self._ended = Event()
        self._doubtful = False

    def __enter__(self) -> Self:
        runs.reap(self._database, self._mailing)
        self._notes = Notes(self._database.file)
        try:
            self._id = self._database.write(
                lambda connection: runs.begin(connection, self._mailing, Process.this(), self._notes)
            )
        except BaseException:
            self._notes.close(keep=False)
            raise
        self._begun = self._beaten = self._counted = self._clock()
        self._count()
        self._heart = Thread(target=self._live, name="ninsho-ledger", daemon=True)
        self._heart.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down all that is known; what never went out waits again, what may have gone out is unknown."""
        self.stop()
        if not isinstance(error, Exception | None):
            _let_go(trace)
        self._ended.set()
        self._heart.join()
        with self._lock:
            done = False
            try:
                self._database.write(self._conclude)
                done = True
            finally:
                # The next run reads them, where the ledger could not be told.
                self._notes.close(keep=not done)
        for _claimed in self._out:
            self._tell(State.UNKNOWN)
        self._queue.clear()

    def stop(self) -> None:
        """Hand over no more; what is on its way is awaited."""
        self._stopped = True

    def submissions(self) -> "Iterator[Submission]":
        """Give messages for as long as there are rows that wait, each only after the ledger knows of it."""
        while (submission := self._next()) is not None:
            yield submission

    def settle(self, receipt: "Receipt") -> None:
        """Take note of what became of a message."""
        claimed = self._out[id(receipt.submission)]
        settled = Settled.of(receipt, attempts=claimed.attempts)
        self._heard.append((claimed.row, settled))
        self._notes.hear(claimed.row, settled)
        del self._out[id(receipt.submission)]
        self._tell(settled.state)
        if self.refusals.count(receipt):
            self.stop()

    def _next(self) -> "Submission | None":
        # A client with several connections asks from several threads.
        with self._lock:
            if self._doubtful or self._clock() - self._beaten > runs.LEASE / 2:
                self._confirm()
            if self._stopped or not (self._queue or self._refill()):
                return None
            self._notes.take(self._queue[0].row)
            claimed = self._queue.popleft()
            submission = claimed.submission
            if id(submission) in self._out:
                submission = copy.copy(submission)
            self._out[id(submission)] = claimed._replace(submission=submission)
            return submission

    def _refill(self) -> bool:
        """Claim more rows, and write down in the same commit what has been heard; return whether there are any."""
        while not self._stopped:
            most = self._batch if self._left is None else min(self._batch, self._left)
            if not most:
                return False
            claim = self._claim(most)
            for _ in range(claim.invalid):
                self._tell(State.INVALID)
            self._queue.extend(claim.taken)
            if self._left is not None:
                self._left -= len(claim.taken)
            if claim.taken:
                return True
            if not claim.invalid and not runs.reap(self._database, self._mailing):
                return False
        return False

    def _claim(self, most: int) -> Claim:
        taken: list[int] = []
        with self._drained() as heard:

            def work(connection: Connection) -> Claim:
                claims.settle(connection, self._id, heard)
                # Where this is done once more, the commit may have come through.
                claims.undo(connection, self._id, taken)
                claim = claims.claim(
                    connection, self._mailing, self._id, most=most, make=self._make, tell=self._notes.list
                )
                taken.extend(one.row for one in claim.taken)
                return claim

            try:
                return self._database.write(work)
            except Accident as accident:
                raise accident.cause from None

    @contextmanager
    def _drained(self) -> Iterator[list[tuple[int, Settled]]]:
        """Give all verdicts that are to be written down, and take them back where that fails."""
        heard: list[tuple[int, Settled]] = []
        try:
            while self._heard:
                heard.append(self._heard.popleft())
            yield heard
        except BaseException:
            self._heard.extendleft(reversed(heard))
            raise

    def _confirm(self) -> None:
        """After a pause so long that others may have taken this run for dead: keep only what is still its own."""
        rows = [claimed.row for claimed in self._queue]

        def work(connection: Connection) -> set[int]:
            runs.beat(connection, self._id)
            return claims.take_back(connection, self._id, rows)

        ours = self._database.write(work)
        self._queue = deque(claimed for claimed in self._queue if claimed.row in ours)
        self._beaten, self._doubtful = self._clock(), False

    def _conclude(self, connection: Connection) -> None:
        claims.settle(connection, self._id, self._heard)
        claims.put_back(connection, self._id, [claimed.row for claimed in self._queue])
        claims.give_up(connection, self._id, [claimed.row for claimed in self._out.values()], GIVEN_UP)
        runs.end(connection, self._id)

    def _live(self) -> None:
        """Say now and then that this run lives, and write down what was heard while nothing was claimed."""
        while not self._ended.wait(_TICK):
            try:
                self._tick(self._clock())
            except LedgerUnavailable:
                # Who claims next is told; until then the notes hold what was heard.
                continue

    def _tick(self, now: float) -> None:
        if self._heard:
            with self._drained() as heard:
                self._database.write(lambda connection: claims.settle(connection, self._id, heard))
        if now - self._beaten > runs.BEAT:
            self._doubtful |= now - self._beaten > runs.LEASE / 2
            self._database.write(lambda connection: runs.beat(connection, self._id))
            self._beaten = now
        if now - self._counted > _COUNTED:
            self._count()

    def _count(self) -> None:
        """Count what remains; others may work on it as well."""
        waiting = select(func.count()).where(
            recipients.c.mailing_id == self._mailing, recipients.c.state == State.WAITING
        )
        found = self._database.read(lambda connection: connection.execute(waiting).scalar_one())
        remaining = found + len(self._queue) + len(self._out)
        most = remaining if self._left is None else self._left + len(self._queue) + len(self._out)
        self.tally.remaining = min(remaining, most)
        self._counted = self._clock()

    def _tell(self, state: State) -> None:
        self.tally.states[state] += 1
        self.tally.remaining = max(0, self.tally.remaining - 1)
        self.tally.seconds = self._clock() - self._begun


def _let_go(trace: TracebackType | None) -> None:
    """Let an interrupt hold no connection that it came upon in the midst of a transaction: its lock would stay."""
    clear_frames(trace)
    gc.collect()


Watch = Callable[[Tally], None]
