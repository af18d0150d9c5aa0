"""The messages of one run: which may go now, which later, and their receipts in the order that is wanted."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from ninsho.client.job import Job
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Rate, Retry
from ninsho.errors import ClientError
from ninsho.mail.message import Submission

BACKLOG: Final = 1000  # receipts

Order: TypeAlias = Literal["submitted", "completed"]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is: messages ``done``, of them ``accepted`` for everybody; ``total`` is None where nobody knows."""

    done: int
    accepted: int
    total: int | None


class Outbox:
    """Jobs in, receipts out; it waits for nothing and reads no clock: every method is told the time in seconds.

    ``done`` are the receipts that may be given out, ``settled`` counts all that there are. A temporary failure comes
    back as often as *retry* says, after a delay that grows; what the server may have taken (``UNKNOWN``) never does.
    """

    def __init__(  # noqa: PLR0913 - by keyword only
        self,
        *,
        retry: Retry,
        rate: "RateLimit | None" = None,
        order: Order = "submitted",
        total: int | None = None,
        progress: Callable[[Progress], None] | None = None,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        if order not in ("submitted", "completed"):
            raise ValueError(f'order: expected "submitted" or "completed", got {order!r}')
        self.done: deque[Receipt] = deque()
        self._retry, self._rate = retry, rate
        self._ordered = order == "submitted"
        self._total, self._progress, self._jitter = total, progress, jitter
        self._back: deque[Job] = deque()
        self._later: list[tuple[float, int, Job]] = []
        # Receipts that wait for those of earlier messages, by number.
        self._held: dict[int, Receipt] = {}
        self.settled = 0
        # What the caller's iterable, or function for progress, has raised first.
        self.error: Exception | None = None
        self._numbers = self._emitted = self._accepted = 0

    def add(self, submission: Submission) -> None:
        """Take in one more message."""
        self._back.append(Job(submission, self._numbers))
        self._numbers += 1

    @property
    def is_free(self) -> bool:
        """Whether a message may begin at once: none waits, and there is no rate to keep."""
        return not (self._back or self._later) and self._rate is None

    def begun(self, submission: Submission) -> Job:
        """Return the job of one more message, which begins at once; only where that is free."""
        self._numbers += 1
        return Job(submission, self._numbers - 1)

    @property
    def is_full(self) -> bool:
        """Whether so many receipts wait that no more messages should be taken until some are read."""
        return len(self.done) + len(self._held) >= BACKLOG

    @property
    def waiting(self) -> bool:
        """Whether something waits to be sent, now or later."""
        return bool(self._back or self._later)

    def take(self, now: float) -> Job | None:
        """Return a job that may begin, None where none may."""
        if not self._back and self._later and self._later[0][0] <= now:
            self._back.append(heapq.heappop(self._later)[2])
        if not self._back:
            return None
        if self._rate is not None:
            self._rate.count(now)
        return self._back.popleft()

    def held_up(self, now: float) -> float:
        """Return for how many seconds the rate allows nothing to begin; ``take`` must wait for it."""
        return 0.0 if self._rate is None else self._rate.delay(now)

    def delay(self, now: float) -> float | None:
        """Return the seconds until a job may be tried again, None where none waits for that."""
        return max(0.0, self._later[0][0] - now) if self._later else None

    def give(self, job: Job, now: float) -> None:
        """Take back a job that is at its end, or at the end of an attempt."""
        receipt = job.receipt()
        if job.attempts_left(self._retry.attempts) and receipt.temporary:
            job.reopen()
            heapq.heappush(self._later, (now + self._pause(job.rounds), job.number, job))
            return
        self._emit(job.number, receipt)

    def give_back(self, job: Job) -> None:
        """Take back a job that may begin at once elsewhere: nothing of it has been sent."""
        if self._rate is not None:
            self._rate.refund()
        self._back.appendleft(job)

    def fail(self, error: ClientError) -> None:
        """Let *error* be the fate of all that wait, as there is no connection to be had."""
        waiting = [*self._back, *(job for _, _, job in self._later)]
        self._back.clear()
        self._later.clear()
        for job in waiting:
            job.fail(error)
            self._emit(job.number, job.receipt())
        # Those that waited for one before them, which now never comes.
        for number in sorted(self._held):
            self._hand_out(self._held.pop(number))

    def _emit(self, number: int, receipt: Receipt) -> None:
        self.settled += 1
        if self._progress is not None:
            self._accepted += receipt.ok
            self._tell(self._progress)
        if self._ordered and number != self._emitted:
            self._held[number] = receipt
        else:
            self._hand_out(receipt)
            while self._ordered and (following := self._held.pop(self._emitted, None)) is not None:
                self._hand_out(following)

    def _hand_out(self, receipt: Receipt) -> None:
        self.done.append(receipt)
        self._emitted += 1

    def _tell(self, progress: Callable[[Progress], None]) -> None:
        try:
            progress(Progress(self.settled, self._accepted, self._total))
        except Exception as error:  # noqa: BLE001 - raised behind all receipts, as nothing of the run depends on it
            self._progress, self.error = None, self.error or error

    def _pause(self, rounds: int) -> float:
        retry = self._retry
        pause = min(retry.longest, retry.first_delay * retry.factor ** (rounds - 1))
        # Spread out, lest all that failed together come back together.
        return pause * (1 + retry.jitter * (2 * (self._jitter or _by_chance)() - 1))


class RateLimit:
    """At most so many beginnings in any so many seconds; shared by all runs of a client."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._begun: deque[float] = deque()

    def count(self, now: float) -> None:
        """Take note of one more beginning."""
        self._begun.append(now)
        if len(self._begun) > self._rate.count:
            self._begun.popleft()

    def refund(self) -> None:
        """Take back one beginning that came to nothing."""
        if self._begun:
            self._begun.pop()

    def delay(self, now: float) -> float:
        """Return the seconds until one more may begin."""
        if len(self._begun) < self._rate.count:
            return 0.0
        return max(0.0, self._begun[0] + self._rate.seconds - now)


def _by_chance() -> float:
    from random import random  # noqa: PLC0415 - it takes 10 ms, and most runs need none

    return random()  # noqa: S311 - nothing secret
