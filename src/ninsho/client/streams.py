"""A connection in an event loop that answers wants."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.flow import DeadlineOver, Desk
from ninsho.client.job import Job
from ninsho.client.secured import Secured, secured_by
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings, TLSMode
from ninsho.client.sockets import PASSING, READ, RESTED, hurry
from ninsho.wire.smtp import REPLY_LIMIT

if TYPE_CHECKING:
    from ssl import SSLContext

T = TypeVar("T")
# RFC 8305 §5: how long to wait for one address before the next is tried beside it.
HAPPY_EYEBALLS: Final = 0.25  # seconds
GOODBYE: Final = 1.0  # seconds that the end of a connection may take


class Wire(asyncio.BufferedProtocol):
    """What came and nobody has read, and who waits for it; ``lost`` ends when the connection has."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.ended = False
        self.error: Exception | None = None
        self.paused = False
        self._loop = asyncio.get_running_loop()
        self.lost: asyncio.Future[None] = self._loop.create_future()
        # One buffer for all that comes: asyncio would make one of 256 KiB for each read.
        # A view: asyncio's TLS cuts pieces off it to read into, and of a bytearray these would be copies.
        self._buffer = memoryview(bytearray(READ))
        self._received: list[bytes] = []
        self._size = 0
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._end = 0.0
        self._watchdog: asyncio.TimerHandle | None = None
        self._socket: socket.socket | None = None

    @property
    def pending(self) -> bool:
        """Whether octets wait that nobody has read."""
        return bool(self._received)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; once more when TLS has begun."""
        self.transport = transport
        found = transport.get_extra_info("socket")
        self._socket = found if found is not None and found.family != socket.AF_UNIX else None

    def get_buffer(self, _: int) -> memoryview:
        """Return where to put what comes."""
        return self._buffer

    def buffer_updated(self, count: int) -> None:
        """Keep octets."""
        self._received.append(bytes(self._buffer[:count]))
        self._size += count
        if self._size > REPLY_LIMIT:
            # Nobody reads, and no server has so much to say.
            self.transport.pause_reading()
        if self._socket is not None:
            hurry(self._socket)
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Take note that no more comes."""
        self.ended = True
        _wake(self._reader)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Wake up who waits."""
        self.ended, self.error, self._socket = True, error, None
        for waiter in (self._reader, self._writer, self.lost):
            _wake(waiter)
        if self._watchdog is not None:
            self._watchdog.cancel()

    def pause_writing(self) -> None:
        """Have senders wait."""
        self.paused = True

    def resume_writing(self) -> None:
        """Let senders go on."""
        self.paused = False
        _wake(self._writer)

    async def read(self, timeout: float, *, anew: bool) -> bytes:  # noqa: ASYNC109 - the want's own
        """Return all that came, empty at the end of the connection; raise ``TimeoutError``."""
        if anew:
            self._end = self._loop.time() + timeout
        while not self._received:
            if self.ended:
                if self.error is not None:
                    raise ConnectionResetError(*self.error.args)
                return b""
            self._watch()
            self._reader = self._loop.create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = self._received[0] if len(self._received) == 1 else b"".join(self._received)
        if self._size > REPLY_LIMIT:
            self.transport.resume_reading()
        self._received.clear()
        self._size = 0
        return data

    async def drained(self) -> None:
        """Wait until more may be sent."""
        while self.paused and not self.ended:
            self._writer = self._loop.create_future()
            try:
                await self._writer
            finally:
                self._writer = None

    def _watch(self) -> None:
        """Let whoever reads wait no longer than to the end.

        One timer serves many reads, as nearly all end in time: a timer for each costs 10 µs.
        """
        if self._watchdog is not None and self._watchdog.when() > self._end:
            self._watchdog.cancel()
            self._watchdog = None
        if self._watchdog is None:
            self._watchdog = self._loop.call_at(self._end, self._bark)

    def _bark(self) -> None:
        self._watchdog = None
        if self._reader is None or self._reader.done():
            return
        if self._loop.time() >= self._end:
            self._reader.set_exception(TimeoutError())
        else:
            self._watchdog = self._loop.call_at(self._end, self._bark)


class StreamTransport:
    """Answers the wants of one connection in an event loop; ``deadline`` ends every wait."""

    def __init__(self, settings: Settings, context: Callable[[], "SSLContext"]) -> None:
        self._settings = settings
        self._context = context
        self._endpoint = settings.endpoints[0]
        self._wire: Wire | None = None
        self.deadline: float | None = None

    async def open(self, endpoint: Endpoint, timeout: float) -> Opened:  # noqa: ASYNC109 - the want's own
        """Connect; raise ``ConnectionFailed`` or ``TLSFailed``, with what to do about it."""
        self._endpoint, self._wire = endpoint, (wire := Wire())
        mode = self._settings.tls
        try:
            async with asyncio.timeout(self._left(timeout)):
                await self._connected(endpoint, wire)
        except OSError as error:
            raise ConnectionFailed([(str(endpoint), _explained(error, endpoint, mode))]) from error
        address = wire.transport.get_extra_info("sockname")
        secured = await self.start_tls(timeout) if mode is TLSMode.IMPLICIT else None
        return Opened(address[0] if isinstance(address, tuple) else "", secured)

    async def start_tls(self, timeout: float) -> Secured:  # noqa: ASYNC109 - the want's own
        """Shake hands; raise ``TLSFailed``, also where octets came before."""
        from ninsho.client.tls import server_name_of  # noqa: PLC0415 - only who has TLS needs ssl

        wire, trust = self._open, self._settings.trust
        if wire.pending:
            raise TLSFailed(f"{self._endpoint}: the server, or somebody in between, sent more before TLS began")
        try:
            name = server_name_of(trust, self._endpoint)
            limit = max(0.001, self._left(timeout))
            started = await asyncio.get_running_loop().start_tls(
                wire.transport, wire, self._context(), server_hostname=name, ssl_handshake_timeout=limit
            )
            if started is None:
                raise ConnectionResetError("the server closed the connection in the handshake")
            wire.transport = started
            return secured_by(started.get_extra_info("ssl_object"), trust)
        except (OSError, ValueError) as error:
            # Nobody tells the protocol of a handshake that failed.
            wire.transport.abort()
            wire.connection_lost(None)
            reason = _explained(error, self._endpoint, self._settings.tls)
            raise TLSFailed(f"{self._endpoint}: {reason}", temporary=isinstance(error, PASSING)) from error

    async def send(self, data: bytes) -> None:
        """Send all of *data*."""
        wire = self._open
        if wire.ended:
            closed = ConnectionResetError(*(wire.error.args if wire.error else ("the server closed the connection",)))
            closed.handed = 0  # type: ignore[attr-defined]
            raise closed
        wire.transport.write(data)
        if wire.paused:
            async with asyncio.timeout(self._left(self._settings.timeouts.data_block)):
                await wire.drained()

    async def receive(self, timeout: float, *, anew: bool) -> bytes:  # noqa: ASYNC109 - the want's own
        """Return what comes next."""
        try:
            return await self._open.read(self._left(timeout), anew=anew)
        except TimeoutError:
            if self.deadline is not None and time.monotonic() >= self.deadline:
                raise DeadlineOver from None
            raise

    async def compute(self, function: Callable[[], T]) -> T:
        """Return what *function* returns, from a thread."""
        return await asyncio.to_thread(function)

    async def take(self, desk: Desk, *, wait: bool) -> Job | None:
        """Return the next job of *desk*."""
        begin = time.monotonic()
        job: Job | None = await desk.take(wait=wait)
        if wait and job is not None and time.monotonic() - begin > RESTED and self.is_stale:
            # It took so long that the server has gone meanwhile: the next connection has it.
            desk.give_back(job)
            return None
        self.take_time()
        return job

    def take_time(self) -> None:
        """Begin the time that a message may take in all."""
        if (total := self._settings.timeouts.total) is not None:
            self.deadline = time.monotonic() + total

    async def close(self) -> None:
        """Close the connection; wait for no more than its own end, and not for long."""
        wire = self._wire
        if wire is None or wire.transport is None:
            return
        wire.ended = True
        if wire.lost.done():
            return
        # What has been handed over and not sent is not sent any more: half a message is none.
        if wire.transport.get_write_buffer_size():
            self.abort()
        wire.transport.close()
        try:
            await asyncio.wait([wire.lost], timeout=GOODBYE)
        finally:
            self.abort()
        await asyncio.wait([wire.lost], timeout=GOODBYE)

    def abort(self) -> None:
        """Close the connection at once."""
        wire = self._wire
        if wire is not None and wire.transport is not None and not wire.lost.done():
            wire.ended = True
            wire.transport.abort()

    @property
    def has_ended(self) -> bool:
        """Whether the server has closed its end, though not all that it said may have been read."""
        return self._wire is None or self._wire.ended

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed a connection at rest, or said something, as 421, before it does."""
        wire = self._wire
        return wire is None or wire.ended or wire.pending or wire.transport.is_closing()

    @property
    def _open(self) -> Wire:
        if self._wire is None:
            raise ConnectionError("the connection is closed")
        return self._wire

    async def _connected(self, endpoint: Endpoint, wire: Wire) -> None:
        loop, settings = asyncio.get_running_loop(), self._settings
        if endpoint.path:
            await loop.create_unix_connection(lambda: wire, endpoint.path)
        elif settings.proxy:
            from ninsho.client.proxy import connect_async  # noqa: PLC0415 - only who has a proxy needs it

            tunnel = await connect_async(settings.proxy, endpoint.host, endpoint.port)
            await loop.create_connection(lambda: wire, sock=tunnel)
        else:
            await loop.create_connection(
                lambda: wire,
                endpoint.host,
                endpoint.port,
                local_addr=settings.source_address,
                happy_eyeballs_delay=HAPPY_EYEBALLS,
            )

    def _left(self, timeout: float) -> float:
        if self.deadline is None:
            return timeout
        return min(timeout, max(0.0, self.deadline - time.monotonic()))


def _wake(waiter: "asyncio.Future[None] | None") -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)


def _explained(error: Exception, endpoint: Endpoint, mode: TLSMode) -> str:
    from ninsho.client.tls import explain  # noqa: PLC0415 - only where something went wrong

    return explain(error, endpoint, mode)
