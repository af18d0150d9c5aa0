"""The client of an event loop."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Never, Self

from ninsho.client.awaited_desk import AwaitedDesk
from ninsho.client.flow import aemit, arun
from ninsho.client.office import Connection, Losses, Office, Sendable, delivered, given_up, submission
from ninsho.client.outbox import Order, Outbox, Progress
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.client.streams import StreamTransport
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError
from ninsho.mail.message import Options, Recipient
from ninsho.mail.options import NO_OPTIONS

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.client.told import Told


class AsyncClient:
    """``Client`` for an event loop: the same names, awaited; see there.

    It serves one event loop at a time; in the next one it makes new connections.
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
        self._loop: asyncio.AbstractEventLoop | None = None
        self._prepare()

    def _prepare(self) -> None:
        self._places = asyncio.BoundedSemaphore(self.settings.limits.connections)
        self._visiting = asyncio.Lock()
        # The tasks that have a connection, and how many.
        self._inside: dict[object, int] = {}

    @property
    def settings(self) -> Settings:
        """What it was told."""
        return self._office.settings

    async def send(
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
            async for receipt in self.send_many([submission(message, sender, recipients, options)]):
                receipts.append(receipt)  # noqa: PERF401 - where it raises, what came before is wanted
        except ClientError as error:
            error.receipt = next(iter(receipts), None)
            raise
        return delivered(receipts[0])

    def send_many(
        self,
        messages: Iterable[Sendable] | AsyncIterable[Sendable],
        /,
        *,
        order: Order = "submitted",
        progress: Callable[[Progress], None] | None = None,
    ) -> AsyncIterator[Receipt]:
        """Submit *messages* and give a receipt for each; see ``Client.send_many``."""
        total = len(messages) if isinstance(messages, Sequence) else None
        outbox = self._office.outbox(order, total, progress)
        desk = AwaitedDesk(outbox, messages)
        workers = self._office.workers(total)
        return self._emitted(outbox, desk) if workers == 1 else self._by_tasks(outbox, desk, workers)

    async def connect(self) -> None:
        """Make a connection now, and log in, where none is at rest; raise ``ClientError`` where that cannot be done."""
        connection = None
        losses = Losses(self.settings.retry)
        while connection is None:
            connection = await self._connected(losses)
        async with self._resting(connection):
            pass

    async def close(self) -> None:
        """Say goodbye on all connections, on those in use when they are not any more; others are made when needed."""
        self._own()
        resting = self._office.closed()
        # At once: each waits for a reply.
        await asyncio.gather(*map(self._end, resting), return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _emitted(self, outbox: Outbox, desk: AwaitedDesk) -> AsyncIterator[Receipt]:
        """Submit in this very task; give each receipt as soon as it is there, before more is sent."""
        losses = Losses(self.settings.retry)
        try:
            while await desk.more():
                if (connection := await self._connected(losses)) is None:
                    continue
                async with self._resting(connection):
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        # Closed before the connection rests: else it would rest with a transaction open.
                        async with aclosing(aemit(courier.deliver(), connection.transport, outbox.done)) as receipts:
                            async for receipt in receipts:
                                yield receipt
        except Exception as error:
            outbox.fail(given_up(error))
            while outbox.done:
                yield outbox.done.popleft()
            raise
        while outbox.done:
            yield outbox.done.popleft()
        if outbox.error is not None:
            raise outbox.error

    async def _by_tasks(self, outbox: Outbox, desk: AwaitedDesk, workers: int) -> AsyncIterator[Receipt]:
        """Submit on several connections, each in a task of its own."""
        tasks = [asyncio.create_task(self._work(desk)) for _ in range(workers)]
        try:
            while not all(task.done() for task in tasks):
                await desk.news.wait()
                desk.news.clear()
                while outbox.done:
                    yield outbox.done.popleft()
                    desk.read.set()
        finally:
            for task in tasks:
                task.cancel()
            failures = [error for error in await asyncio.gather(*tasks, return_exceptions=True) if error is not None]
        # An accident says more than a server that was not there.
        failure = next(iter(sorted(failures, key=lambda error: isinstance(error, ClientError))), None)
        if failure is not None and not (isinstance(failure, ClientError) and desk.finished):
            outbox.fail(given_up(failure))
        else:
            failure = outbox.error
        while outbox.done:
            yield outbox.done.popleft()
        if failure is not None:
            raise failure

    async def _work(self, desk: AwaitedDesk) -> None:
        """Submit on one connection after the other; where none can be had, leave it to the other tasks."""
        losses = Losses(self.settings.retry)
        try:
            while await desk.more():
                if (connection := await self._connected(losses)) is None:
                    continue
                async with self._resting(connection):
                    courier = connection.courier(desk, time.monotonic)
                    with losses.counted(courier):
                        await arun(courier.deliver(), connection.transport)
        except ClientError:
            raise
        except Exception:
            desk.stop()
            raise
        finally:
            # Whoever waits for receipts looks whether this was the last task, which it is only later in this turn.
            asyncio.get_running_loop().call_soon(desk.news.set)

    async def _connected(self, losses: Losses) -> Connection | None:
        """Take a place and return a connection, one at rest or a new one; None where it is to be tried once more.

        Raises ``ClientError`` where there is no use in more tries.
        """
        self._own()
        holder = await self._enter()
        try:
            connection = await self._rested() or await self._new()
        except ClientError as error:
            self._leave(holder)
            await asyncio.sleep(losses.pause(error))
            return None
        except BaseException:
            self._leave(holder)
            raise
        connection.holder = holder
        return connection

    @asynccontextmanager
    async def _resting(self, connection: Connection) -> AsyncIterator[None]:
        """Let *connection* rest afterwards, or close it, and leave the place."""
        try:
            yield
        except BaseException:
            # Cancelled, or broken: nothing is waited for.
            if connection.session.broken:
                connection.transport.abort()
            raise
        finally:
            try:
                if not self._office.rest(connection, time.monotonic()):
                    await self._end(connection)
            finally:
                self._leave(connection.holder)

    def _own(self) -> None:
        """Begin anew in another process or event loop; raise ``RuntimeError`` where the other loop still runs."""
        loop = asyncio.get_running_loop()
        inherited = self._office.is_inherited()
        if loop is self._loop and not inherited:
            return
        if self._loop is not None and self._loop.is_running() and not inherited:
            raise RuntimeError("this AsyncClient is in use in another event loop: make one for each")
        # The connections ended with their loop, or are the other process's.
        self._office.closed()
        self._loop = loop
        self._prepare()

    async def _enter(self) -> object:
        """Wait until there may be one more connection; not where this task has one: it would wait for itself."""
        me = asyncio.current_task()
        if not self._inside.get(me):
            await self._places.acquire()
        self._inside[me] = self._inside.get(me, 0) + 1
        return me

    def _leave(self, holder: object) -> None:
        if holder not in self._inside:
            # Of a loop that has ended meanwhile.
            return
        self._inside[holder] -= 1
        if not self._inside[holder]:
            del self._inside[holder]
            self._places.release()

    async def _rested(self) -> Connection | None:
        while True:
            connection, tired = self._office.rested(time.monotonic())
            for one in tired:
                await self._end(one)
            if connection is None or not connection.transport.is_stale:
                return connection
            await connection.transport.close()

    async def _new(self) -> Connection:
        await self._visit()
        transport, session = StreamTransport(self.settings, lambda: self._office.context), self._office.session()
        transport.take_time()
        generation = self._office.generation
        try:
            await arun(session.connect(), transport)
        except BaseException:
            await transport.close()
            raise
        return Connection(session, transport, time.monotonic(), generation=generation)

    async def _visit(self) -> None:
        """Log in to the mailbox, where the server wants that first (POP before SMTP); one at a time."""
        if self.settings.pop is None:
            return
        async with self._visiting:
            if (mailbox := self._office.mailbox()) is not None:
                transport = StreamTransport(mailbox.settings, mailbox.context)
                transport.take_time()
                try:
                    await arun(mailbox.visit(), transport)
                finally:
                    await transport.close()

    async def _end(self, connection: Connection) -> None:
        """Say goodbye where the server still listens; close."""
        connection.transport.take_time()
        try:
            await arun(connection.session.quit(), connection.transport)
        finally:
            await connection.transport.close()
