"""A connection in an event loop that answers wants."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.flow import Desk
from ninsho.client.job import Job
from ninsho.client.secured import Secured, secured_by
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings, TLSMode

if TYPE_CHECKING:
    from ssl import SSLContext

T = TypeVar("T")
# RFC 8305 §5: how long to wait for one address before the next is tried beside it.
HAPPY_EYEBALLS: Final = 0.25  # seconds


class Wire(asyncio.Protocol):
    """What came and nobody has read, and who waits for it."""

    def __init__(self) -> None:
        self.transport: Any = None
        self.received: list[bytes] = []
        self.ended = False
        self.error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None
        self._paused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; once more when TLS has begun."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Keep octets."""
        self.received.append(data)
        _wake(self._reader)

    def eof_received(self) -> bool:
        """Take note that no more comes; what is being sent may still be."""
        self.ended = True
        _wake(self._reader)
        return False

    def connection_lost(self, error: Exception | None) -> None:
        """Wake up who waits."""
        self.ended, self.error = True, error
        _wake(self._reader)
        _wake(self._writer)

    def pause_writing(self) -> None:
        """Have senders wait."""
        self._paused = True

    def resume_writing(self) -> None:
        """Let senders go on."""
        self._paused = False
        _wake(self._writer)

    async def read(self) -> bytes:
        """Return all that came, empty at the end of the connection."""
        while not self.received:
            if self.ended:
                if self.error is not None:
                    raise ConnectionResetError(*self.error.args)
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            try:
                await self._reader
            finally:
                self._reader = None
        data = self.received[0] if len(self.received) == 1 else b"".join(self.received)
        self.received.clear()
        return data

    async def drained(self) -> None:
        """Wait until more may be sent."""
        while self._paused and not self.ended:
            self._writer = asyncio.get_running_loop().create_future()
            try:
                await self._writer
            finally:
                self._writer = None


class StreamTransport:
    """Answers the wants of one connection in an event loop; ``deadline`` ends every wait."""

    def __init__(self, settings: Settings, context: Callable[[], "SSLContext"]) -> None:
        self._settings = settings
        self._context = context
        self._endpoint = settings.endpoints[0]
        self._wire = Wire()
        self._wire.ended = True
        self.deadline: float | None = None

    async def open(self, endpoint: Endpoint, timeout: float) -> Opened:  # noqa: ASYNC109 - the want's own
        """Connect; raise ``ConnectionFailed`` or ``TLSFailed``, with what to do about it."""
        self._endpoint, self._wire = endpoint, Wire()
        mode = self._settings.tls
        try:
            async with asyncio.timeout(self._left(timeout)):
                await self._connected(endpoint)
        except OSError as error:
            raise ConnectionFailed([(str(endpoint), _explained(error, endpoint, mode))]) from error
        address = self._wire.transport.get_extra_info("sockname")
        secured = await self.start_tls(timeout) if mode is TLSMode.IMPLICIT else None
        return Opened(address[0] if isinstance(address, tuple) else "", secured)

    async def start_tls(self, timeout: float) -> Secured:  # noqa: ASYNC109 - the want's own
        """Shake hands; raise ``TLSFailed``, also where octets came before."""
        from ninsho.client.tls import server_name_of  # noqa: PLC0415 - only who has TLS needs ssl

        wire, trust = self._wire, self._settings.trust
        if wire.received:
            raise TLSFailed(f"{self._endpoint}: the server, or somebody in between, sent more before TLS began")
        try:
            name = server_name_of(trust, self._endpoint)
            limit = self._left(timeout)
            started = await asyncio.get_running_loop().start_tls(
                wire.transport, wire, self._context(), server_hostname=name, ssl_handshake_timeout=limit
            )
            if started is None:
                raise ConnectionResetError("the server closed the connection in the handshake")
            wire.transport = started
            return secured_by(started.get_extra_info("ssl_object"), trust)
        except (OSError, ValueError) as error:
            reason = _explained(error, self._endpoint, self._settings.tls)
            raise TLSFailed(f"{self._endpoint}: {reason}") from error

    async def send(self, data: bytes) -> None:
        """Send all of *data*."""
        wire = self._wire
        if wire.ended:
            raise ConnectionResetError(*(wire.error.args if wire.error else ("the server closed the connection",)))
        wire.transport.write(data)
        if wire._paused:  # noqa: SLF001 - its own
            async with asyncio.timeout(self._left(self._settings.timeouts.data_block)):
                await wire.drained()

    async def receive(self, timeout: float) -> bytes:  # noqa: ASYNC109 - the want's own
        """Return what comes next."""
        wire = self._wire
        if wire.received:
            return await wire.read()
        async with asyncio.timeout(self._left(timeout)):
            return await wire.read()

    async def compute(self, function: Callable[[], T]) -> T:
        """Return what *function* returns, from a thread."""
        return await asyncio.to_thread(function)

    async def take(self, desk: Desk, *, wait: bool) -> Job | None:
        """Return the next job of *desk*."""
        job: Job | None = await desk.take(wait=wait)
        self.take_time()
        return job

    def take_time(self) -> None:
        """Begin the time that a message may take in all."""
        if (total := self._settings.timeouts.total) is not None:
            self.deadline = time.monotonic() + total

    async def close(self) -> None:
        """Close the connection, waiting for nobody."""
        self.abort()

    def abort(self) -> None:
        """Close the connection at once."""
        wire = self._wire
        if wire.transport is not None and not wire.transport.is_closing():
            # What has been handed over and not sent is not sent any more: half a message is none.
            if wire.transport.get_write_buffer_size():
                wire.transport.abort()
            else:
                wire.transport.close()
        wire.ended = True

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed a connection at rest, or said something, as 421, before it does."""
        return self._wire.ended or bool(self._wire.received) or self._wire.transport.is_closing()

    async def _connected(self, endpoint: Endpoint) -> None:
        loop, settings = asyncio.get_running_loop(), self._settings
        if endpoint.path:
            await loop.create_unix_connection(self._made, endpoint.path)
        elif settings.proxy:
            from ninsho.client.proxy import connect_async  # noqa: PLC0415 - only who has a proxy needs it

            tunnel = await connect_async(settings.proxy, endpoint.host, endpoint.port)
            await loop.create_connection(self._made, sock=tunnel)
        else:
            await loop.create_connection(
                self._made,
                endpoint.host,
                endpoint.port,
                local_addr=settings.source_address,
                happy_eyeballs_delay=HAPPY_EYEBALLS,
            )

    def _made(self) -> Wire:
        return self._wire

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
