"""The blocking client."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from ninsho.client.flow import emit, run
from ninsho.client.job import Job
from ninsho.client.office import END, Connection, Losses, Office, Sendable, delivered, submission
from ninsho.client.outbox import Order, Outbox, Progress
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.client.sockets import SocketTransport
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError
from ninsho.mail.message import Options, Recipient, Submission
from ninsho.mail.options import NO_OPTIONS

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.client.told import Told

# A pull from an iterable that takes longer: then what was sent is heard before the next one is waited for.
SLOW = 0.005  # seconds


class _Desk:
    """Hands the messages of an iterable to the flow of one connection."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable]) -> None:
        self.eager = isinstance(messages, Sequence)
        self._outbox = outbox
        self._messages: Iterator[Sendable] | None = iter(messages)
        self._quick = True
        self.error: Exception | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing left to send."""
        return self._messages is None and not self._outbox.waiting

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
                if (wait or self._quick) and self._pull():
                    continue
                delay = self._outbox.delay(now)
            if delay is None or not wait:
                return None
            time.sleep(delay)

    def at_once(self) -> Job | None:
        """Return the next job where nobody has to wait for it; None where ``take`` must be asked."""
        if not self.eager or self._messages is None or not self._outbox.is_free:
            return None
        message = self._fetched()
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
        if self._messages is None:
            return False
        begin = time.monotonic()
        message = self._fetched()
        self._quick = time.monotonic() - begin < SLOW
        if message is None:
            return False
        self._add(message)
        return True

    def _fetched(self) -> Submission | None:
        """Return what the iterable has next; None at its end, or where it raises: that waits in ``error``."""
        if self._messages is None:
            return None
        try:
            if (message := next(self._messages, END)) is not END:
                return submission(message)
        except Exception as error:  # noqa: BLE001 - raised behind the receipts of all that came before
            self.error = error
        self._messages = None
        return None

    def _add(self, message: Submission) -> None:
        self._outbox.add(message)


class _SharedDesk(_Desk):
    """Hands the messages of an iterable to the flows of several threads; ``working`` counts these."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable], working: int) -> None:
        super().__init__(outbox, messages)
        self.working = working
        self.news = threading.Event()
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
            return None if self._stopped.is_set() else super().at_once()

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

    def _pull(self) -> bool:
        with self._pulling:
            return super()._pull()

    def _add(self, message: Submission) -> None:
        with self._lock:
            super()._add(message)


class Client:
    """Submits mail; connections are made when they are needed, kept, and closed by ``close`` or the end of ``with``.

    Told by a URL, ``smtp://alice:secret@mail.example.com:587``, by keywords of the same names as its parameters, by
    both, or by the environment's ``SMTP_URL``: see ``Settings.of``. It may be used by several threads, each of which
    waits for a connection where as many as ``connections`` says are in use. Raises ``ConfigurationError`` for settings
    that cannot work, ``TypeError`` for an unknown keyword.
    """

    def __init__(
        self,
        url: str | Settings | None = None,
        /,
        *misplaced: Never,
        transcript: Watch | None = None,
        **keywords: "Unpack[Told]",
    ) -> None:
        self._office = Office.of(url, transcript, keywords, misplaced)
        self._places = threading.BoundedSemaphore(self.settings.limits.connections)
        self._lock, self._visiting = threading.Lock(), threading.Lock()
        # The threads that have a connection.
        self._inside: set[int] = set()

    @property
    def settings(self) -> Settings:
        """What it was told."""
        return self._office.settings

    def send(
        self,
        message: Sendable,
        /,
        *,
        sender: str | None = None,
        recipients: Sequence[str | Recipient] | None = None,
        options: Options = NO_OPTIONS,
    ) -> Receipt:
        """Submit one message, its envelope given or worked out from it; return its receipt.

        Raises ``ClientError`` where nobody got it, or (``OutcomeUnknown``) where nobody can tell: the error has the
        receipt. Where some got it, the receipt tells: ``receipt.refused``.
        """
        (receipt,) = self.send_many([submission(message, sender, recipients, options)])
        return delivered(receipt)

    def send_many(
        self,
        messages: Iterable[Sendable],
        /,
        *,
        order: Order = "submitted",
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[Receipt]:
        """Submit *messages* and give a receipt for each, in their order or as they come (``order="completed"``).

        Messages are taken from an iterable as they are needed; where it is a sequence the next one's envelope leaves
        with the end of the one before. Whoever stops early stops the run; what the server was told by then may be
        delivered. Raises ``ClientError`` where no connection can be had, after the receipts of all messages that had
        been taken.
        """
        total = len(messages) if isinstance(messages, Sequence) else None
        outbox = self._office.outbox(order, total, progress)
        few = total is not None and total < 2
        workers = 1 if few else self.settings.limits.connections
        if workers == 1:
            return self._emitted(outbox, _Desk(outbox, messages))
        return self._by_threads(outbox, _SharedDesk(outbox, messages, workers), workers)

    def connect(self) -> None:
        """Make a connection now, and log in, where none is at rest; raise ``ClientError`` where that cannot be done."""
        with self._connection():
            pass

    def close(self) -> None:
        """Say goodbye on all connections that are at rest, and close them."""
        with self._lock:
            resting, self._office.resting = self._office.resting, []
        # Each waits for a reply: several at once.
        others = [threading.Thread(target=self._end, args=(connection,)) for connection in resting[1:]]
        for thread in others:
            thread.start()
        for connection in resting[:1]:
            self._end(connection)
        for thread in others:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _emitted(self, outbox: Outbox, desk: _Desk) -> Iterator[Receipt]:
        """Submit in this very thread; give each receipt as soon as it is there, before more is sent."""
        losses = Losses()
        try:
            while not desk.finished:
                with self._connection() as connection:
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        yield from emit(courier.deliver(), connection.transport, outbox.done)
        except ClientError as error:
            desk.fail(error)
            yield from _all(outbox)
            raise
        yield from _all(outbox)
        if desk.error is not None:
            raise desk.error

    def _by_threads(self, outbox: Outbox, desk: _SharedDesk, workers: int) -> Iterator[Receipt]:
        """Submit on several connections, each in a thread of its own."""
        failures: list[BaseException] = []
        threads = [
            threading.Thread(target=self._work, args=(desk, failures), name=f"ninsho-{number}", daemon=True)
            for number in range(workers)
        ]
        try:
            for thread in threads:
                thread.start()
            while desk.working:
                desk.news.wait()
                desk.news.clear()
                yield from _all(outbox)
        finally:
            desk.stop()
            for thread in threads:
                thread.join()
        for failure in failures:
            if not isinstance(failure, ClientError):
                raise failure
            if not desk.empty:
                desk.fail(failure)
                yield from _all(outbox)
                raise failure
        yield from _all(outbox)
        if desk.error is not None:
            raise desk.error

    def _work(self, desk: _SharedDesk, failures: list[BaseException]) -> None:
        """Submit on one connection after the other; where none can be had, leave it to the other threads."""
        losses = Losses()
        try:
            while not desk.finished:
                with self._connection() as connection:
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        run(courier.deliver(), connection.transport)
        except BaseException as error:  # noqa: BLE001 - raised where the receipts are read
            failures.append(error)
            if not isinstance(error, ClientError):
                desk.stop()
        finally:
            desk.leave()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        """Give a connection that is ready to submit, one at rest or a new one; afterwards it rests, or is closed."""
        with self._place():
            connection = self._rested() or self._new()
            try:
                yield connection
            finally:
                with self._lock:
                    keep = self._office.rest(connection, time.monotonic())
                if not keep:
                    self._end(connection)

    @contextmanager
    def _place(self) -> Iterator[None]:
        """Wait until there may be one more connection; not where this thread has one: it would wait for itself."""
        me = threading.get_ident()
        if me in self._inside:
            yield
            return
        with self._places:
            self._inside.add(me)
            try:
                yield
            finally:
                self._inside.discard(me)

    def _rested(self) -> Connection | None:
        while True:
            with self._lock:
                connection, tired = self._office.rested(time.monotonic())
            for one in tired:
                self._end(one)
            if connection is None or not connection.transport.is_stale:
                return connection
            connection.transport.close()

    def _new(self) -> Connection:
        self._visit()
        transport, session = SocketTransport(self.settings, lambda: self._office.context), self._office.session()
        transport.take_time()
        try:
            run(session.connect(), transport)
        except BaseException:
            transport.close()
            raise
        return Connection(session, transport, time.monotonic())

    def _visit(self) -> None:
        """Log in to the mailbox, where the server wants that first (POP before SMTP); one at a time."""
        if self.settings.pop is None:
            return
        with self._visiting:
            if (mailbox := self._office.mailbox()) is not None:
                transport = SocketTransport(mailbox.settings, mailbox.context)
                transport.take_time()
                try:
                    run(mailbox.visit(), transport)
                finally:
                    transport.close()

    def _end(self, connection: Connection) -> None:
        """Say goodbye where the server still listens; close."""
        connection.transport.take_time()
        try:
            run(connection.session.quit(), connection.transport)
        finally:
            connection.transport.close()


def _all(outbox: Outbox) -> Iterator[Receipt]:
    while outbox.done:
        yield outbox.done.popleft()
