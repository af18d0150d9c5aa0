"""The blocking client."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from ninsho.client.desks import LOOK, Desk, SharedDesk
from ninsho.client.flow import emit, run
from ninsho.client.office import Connection, Losses, Office, Sendable, delivered, given_up, submission
from ninsho.client.outbox import Order, Outbox, Progress
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.client.sockets import SocketTransport
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError
from ninsho.mail.message import Options, Recipient
from ninsho.mail.options import NO_OPTIONS

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.client.told import Told


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
        self._prepare()

    def _prepare(self) -> None:
        self._places = threading.BoundedSemaphore(self.settings.limits.connections)
        self._lock, self._visiting = threading.Lock(), threading.Lock()
        # The threads that have a connection, and how many.
        self._inside: dict[int, int] = {}

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
        receipts: list[Receipt] = []
        try:
            receipts.extend(self.send_many([submission(message, sender, recipients, options)]))
        except ClientError as error:
            error.receipt = next(iter(receipts), None)
            raise
        return delivered(receipts[0])

    def send_many(
        self,
        messages: Iterable[Sendable],
        /,
        *,
        order: Order = "submitted",
        progress: Callable[[Progress], None] | None = None,
    ) -> Iterator[Receipt]:
        """Submit *messages* and give a receipt for each, in their order or as they come (``order="completed"``).

        Messages are taken from an iterable as they are needed; where it is a sequence, or ``AtHand``, the next one's
        envelope leaves with the end of the one before. Whoever stops early stops the run; what the server was told by
        then may be delivered. Raises ``ClientError`` where no connection can be had, after the receipts of all messages
        that had been taken.
        """
        total = len(messages) if isinstance(messages, Sequence) else None
        outbox = self._office.outbox(order, total, progress)
        workers = self._office.workers(total)
        if workers == 1:
            return self._emitted(outbox, Desk(outbox, messages))
        return self._by_threads(outbox, SharedDesk(outbox, messages, workers), workers)

    def connect(self) -> None:
        """Make a connection now, and log in, where none is at rest; raise ``ClientError`` where that cannot be done."""
        connection = None
        losses = Losses(self.settings.retry)
        while connection is None:
            connection = self._connected(losses)
        with self._resting(connection):
            pass

    def close(self) -> None:
        """Say goodbye on all connections, on those in use when they are not any more; others are made when needed."""
        self._own()
        with self._lock:
            resting = self._office.closed()
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

    def _emitted(self, outbox: Outbox, desk: Desk) -> Iterator[Receipt]:
        """Submit in this very thread; give each receipt as soon as it is there, before more is sent."""
        losses = Losses(self.settings.retry)
        try:
            while not desk.finished:
                if (connection := self._connected(losses)) is None:
                    continue
                with self._resting(connection):
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        yield from emit(courier.deliver(), connection.transport, outbox.done)
        except Exception as error:
            desk.fail(given_up(error))
            yield from _all(outbox)
            raise
        yield from _all(outbox)
        if outbox.error is not None:
            raise outbox.error

    def _by_threads(self, outbox: Outbox, desk: SharedDesk, workers: int) -> Iterator[Receipt]:
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
                yield from _read(outbox, desk)
        finally:
            desk.cut()
            for thread in threads:
                if thread.ident is not None:
                    # One that waits for the caller's own iterable cannot be stopped.
                    thread.join(LOOK)
        # An accident says more than a server that was not there.
        failure = next(iter(sorted(failures, key=lambda error: isinstance(error, ClientError))), None)
        if failure is not None and not (isinstance(failure, ClientError) and desk.empty):
            desk.fail(given_up(failure))
            yield from _all(outbox)
            raise failure
        yield from _all(outbox)
        if outbox.error is not None:
            raise outbox.error

    def _work(self, desk: SharedDesk, failures: list[BaseException]) -> None:
        """Submit on one connection after the other; where none can be had, leave it to the other threads."""
        losses = Losses(self.settings.retry)
        try:
            while not desk.finished:
                if (connection := self._connected(losses, desk.transports)) is None:
                    continue
                with self._resting(connection):
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        run(courier.deliver(), connection.transport)
                desk.transports.discard(connection.transport)
        except BaseException as error:  # noqa: BLE001 - raised where the receipts are read
            failures.append(error)
            if not isinstance(error, ClientError):
                desk.stop()
        finally:
            desk.leave()

    def _connected(self, losses: Losses, transports: "set[SocketTransport] | None" = None) -> Connection | None:
        """Take a place and return a connection, one at rest or a new one; None where it is to be tried once more.

        Its transport is in *transports* from the beginning. Raises ``ClientError`` where there is no use in more tries.
        """
        self._own()
        holder = self._enter()
        try:
            connection = self._rested(transports) or self._new(transports)
        except ClientError as error:
            self._leave(holder)
            time.sleep(losses.pause(error))
            return None
        except BaseException:
            self._leave(holder)
            raise
        connection.holder = holder
        return connection

    @contextmanager
    def _resting(self, connection: Connection) -> Iterator[None]:
        """Let *connection* rest afterwards, or close it, and leave the place."""
        try:
            yield
        finally:
            try:
                with self._lock:
                    keep = self._office.rest(connection, time.monotonic())
                if not keep:
                    self._end(connection)
            finally:
                self._leave(connection.holder)

    def _own(self) -> None:
        """Leave to a process what it has begun before it forked this one."""
        if self._office.is_inherited():
            for connection in self._office.closed():
                connection.transport.forget()
            self._prepare()

    def _enter(self) -> int:
        """Wait until there may be one more connection; not where this thread has one: it would wait for itself."""
        me = threading.get_ident()
        if not self._inside.get(me):
            self._places.acquire()
        self._inside[me] = self._inside.get(me, 0) + 1
        return me

    def _leave(self, holder: int) -> None:
        """Give back the place of the thread *holder*; a generator may be closed in another."""
        self._inside[holder] -= 1
        if not self._inside[holder]:
            del self._inside[holder]
            self._places.release()

    def _rested(self, transports: "set[SocketTransport] | None") -> Connection | None:
        while True:
            with self._lock:
                connection, tired = self._office.rested(time.monotonic())
            for one in tired:
                self._end(one)
            if connection is None:
                return None
            if not connection.transport.is_stale:
                if transports is not None:
                    transports.add(connection.transport)
                return connection
            connection.transport.close()

    def _new(self, transports: "set[SocketTransport] | None") -> Connection:
        self._visit()
        transport, session = SocketTransport(self.settings, lambda: self._office.context), self._office.session()
        if transports is not None:
            transports.add(transport)
        transport.take_time()
        generation = self._office.generation
        try:
            run(session.connect(), transport)
        except BaseException:
            transport.close()
            raise
        return Connection(session, transport, time.monotonic(), generation=generation)

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


def _read(outbox: Outbox, desk: SharedDesk) -> Iterator[Receipt]:
    for receipt in _all(outbox):
        yield receipt
        desk.read.set()
