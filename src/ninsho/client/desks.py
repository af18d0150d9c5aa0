"""Where the flows of blocking connections get their messages: one at a time, or in several threads."""

import threading
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ninsho.client.job import Job
from ninsho.client.office import END, Sendable, submission
from ninsho.client.outbox import Outbox
from ninsho.errors import ClientError
from ninsho.mail.at_hand import AtHand
from ninsho.mail.message import Submission

if TYPE_CHECKING:
    from ninsho.client.sockets import SocketTransport

# A pull from an iterable that takes longer: then what was sent is heard before the next one is waited for.
SLOW = 0.005  # seconds
# How long a thread may take to look up.
LOOK = 2.0  # seconds


class Supply:
    """The messages of an iterable, one by one; what it raises waits in the outbox, behind all that came before."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable]) -> None:
        self._outbox = outbox
        self._messages = iter(messages)
        self.exhausted = False

    def next(self) -> Submission | None:
        """Return the next message; None at the end, or where the iterable raises."""
        if self.exhausted:
            return None
        try:
            if (message := next(self._messages, END)) is not END:
                return submission(message)
        except Exception as error:  # noqa: BLE001 - raised behind the receipts of all that came before
            self._outbox.error = error
        self.exhausted = True
        return None


class Desk:
    """Hands the messages of an iterable to the flow of one connection."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable]) -> None:
        self.eager = isinstance(messages, Sequence | AtHand)
        self._outbox = outbox
        self._supply = Supply(outbox, messages)
        self._quick = True

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to send."""
        return self._supply.exhausted and not self._outbox.waiting

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be sent."""
        # Looked up before there is a connection: for nothing none is made.
        return not (self._outbox.waiting or self._pull())

    def take(self, *, wait: bool) -> Job | None:
        """Return the next job; None where there is none now, or, told to *wait*, none any more."""
        while True:
            now = time.monotonic()
            delay: float | None = self._outbox.held_up(now)
            if not delay:
                if (job := self._outbox.take(now)) is not None:
                    return job
                # Where receipts wait for one before them, that comes first.
                if not self._outbox.is_full and (wait or self._quick) and self._pull():
                    continue
                delay = self._outbox.delay(now)
            if delay is None or not wait:
                return None
            time.sleep(delay)

    def at_once(self) -> Job | None:
        """Return the next job where nobody has to wait for it; None where ``take`` must be asked."""
        if not self.eager or not self._outbox.is_free:
            return None
        message = self._supply.next()
        return None if message is None else self._outbox.begun(message)

    def give(self, job: Job) -> None:
        """Hand in a job."""
        self._outbox.give(job, time.monotonic())

    def give_back(self, job: Job) -> None:
        """Hand in a job that may begin at once."""
        self._outbox.give_back(job)

    def fail(self, error: ClientError) -> None:
        """Let *error* be the fate of all that has been taken from the iterable and waits."""
        self._outbox.fail(error)

    def _pull(self) -> bool:
        """Take one more message from the iterable, if there is one."""
        begin = time.monotonic()
        message = self._supply.next()
        self._quick = time.monotonic() - begin < SLOW
        if message is None:
            return False
        self._add(message)
        return True

    def _add(self, message: Submission) -> None:
        self._outbox.add(message)


class SharedDesk(Desk):
    """Hands the messages of an iterable to the flows of several threads; ``working`` counts these."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable], working: int) -> None:
        super().__init__(outbox, messages)
        self.working = working
        self.news, self.read = threading.Event(), threading.Event()
        # What is in use: to be cut where nobody wants to wait for it any more.
        self.transports: set[SocketTransport] = set()
        self._lock, self._pulling = threading.Lock(), threading.Lock()
        self._stopped = threading.Event()

    @property
    def finished(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stopped.is_set() or super().finished

    def take(self, *, wait: bool) -> Job | None:
        """Return the next job; None where there is none now, or, told to *wait*, none any more."""
        while not self._stopped.is_set():
            with self._lock:
                delay: float | None = self._outbox.held_up(time.monotonic())
                if not delay and (job := self._outbox.take(time.monotonic())) is not None:
                    return job
                full = self._outbox.is_full
                if full:
                    self.read.clear()
            if full:
                # Nobody reads the receipts: nothing more is taken until somebody does, or a retry is due.
                if not wait:
                    return None
                self.read.wait(LOOK)
                continue
            if not delay:
                if (wait or self._quick) and self._pull():
                    continue
                with self._lock:
                    delay = self._outbox.delay(time.monotonic())
            if delay is None or not wait:
                return None
            self._stopped.wait(delay)
        return None

    def at_once(self) -> Job | None:
        """Return the next job where nobody has to wait for it; None where ``take`` must be asked."""
        with self._pulling, self._lock:
            return None if self._stopped.is_set() or self._outbox.is_full else super().at_once()

    def give(self, job: Job) -> None:
        """Hand in a job."""
        with self._lock:
            super().give(job)
        self.news.set()

    def give_back(self, job: Job) -> None:
        """Hand in a job that may begin at once."""
        with self._lock:
            super().give_back(job)

    def fail(self, error: ClientError) -> None:
        """Let *error* be the fate of all that has been taken from the iterable and waits."""
        with self._lock:
            super().fail(error)

    def leave(self) -> None:
        """One of those who worked here has gone."""
        with self._lock:
            self.working -= 1
        self.news.set()

    def stop(self) -> None:
        """Hand out no more."""
        self._stopped.set()
        self.read.set()

    def cut(self) -> None:
        """Hand out no more, and let nobody wait for what is under way."""
        self.stop()
        for transport in tuple(self.transports):
            transport.cut()

    def _pull(self) -> bool:
        with self._pulling:
            return super()._pull()

    def _add(self, message: Submission) -> None:
        with self._lock:
            super()._add(message)
