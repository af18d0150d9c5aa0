"""The asyncio shell of a connection."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from typing import Any, cast

from ninsho.daemon.connection import Connection
from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.policy import Desk, Policy
from ninsho.daemon.shell import Done, Timer
from ninsho.errors import StoreUnavailable

# A client says who it is within this time. Once it has, it may be idle for ever: Postfix keeps its connections.
ESTABLISH_LIMIT = 90.0
# Dovecot's: with more than this unsent, the client is not read until it reads.
BACKLOG_LIMIT = 50 * 1024


class Session(asyncio.Protocol):
    """One accepted connection; *sessions* are those that are open, for the server to drain."""

    __slots__ = (
        "_connection",
        "_establish",
        "_held_back",
        "_loop",
        "_sessions",
        "_transport",
        "data_received",
        "now",
        "send",
    )

    def __init__(self, desk: Desk, held_back: HeldBack, sessions: "set[Session]") -> None:
        self._loop = asyncio.get_running_loop()
        # Called for each login: straight to where they are answered.
        self.now = self._loop.time
        self._connection = Connection(self, desk)
        self.data_received = self._connection.received  # type: ignore[method-assign]  # a slot of ours
        self._held_back = held_back
        self._sessions = sessions

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Greet."""
        self._transport = cast("asyncio.Transport", transport)
        self.send = self._transport.write
        self._transport.set_write_buffer_limits(high=BACKLOG_LIMIT)
        self._sessions.add(self)
        self._establish = self._loop.call_later(ESTABLISH_LIMIT, self._give_up)
        self._connection.opened()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - gone is gone
        """Forget."""
        self._establish.cancel()
        self._sessions.discard(self)
        self._connection.lost()

    def pause_writing(self) -> None:
        """Read no more from a client that does not read."""
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """It reads again."""
        self._transport.resume_reading()

    def uses(self, policies: Collection[Policy]) -> bool:
        """Whether a login under way began under one of *policies*."""
        return self._connection.uses(policies)

    def drain(self) -> None:
        """Close as soon as every verdict under way is told."""
        self._connection.drain()

    def close(self) -> None:
        """Close when everything is sent."""
        self._transport.close()

    def wait(self, awaitable: Awaitable[Any], seconds: float, done: Done) -> Timer:
        """Call *done* with the result or the error of *awaitable*."""
        return Wait(self._loop, awaitable, seconds, done)

    def hold(self, due: float, release: Callable[[], None]) -> Timer:
        """Call *release* with a batch of failures."""
        return self._held_back.hold(due, release)

    def _give_up(self) -> None:
        if not self._connection.established:
            self._transport.close()


class Wait:
    """Something awaited, for a number of seconds and no longer, whatever it does about being cancelled."""

    __slots__ = ("_done", "_future", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, awaitable: Awaitable[Any], seconds: float, done: Done) -> None:
        self._done: Done | None = done
        # A pool's future is taken as it is: cancelled, it leaves the queue at once.
        self._future = asyncio.ensure_future(awaitable, loop=loop)
        self._timer = loop.call_later(seconds, self._expire)
        self._future.add_done_callback(self._settle)

    def cancel(self) -> None:
        """Call it off; nobody is told."""
        self._done = None
        self._timer.cancel()
        self._future.cancel()

    def _expire(self) -> None:
        self._tell(None, TimeoutError())
        self._future.cancel()

    def _settle(self, future: "asyncio.Future[Any]") -> None:
        if future.cancelled():
            self._tell(None, StoreUnavailable("the store was cancelled"))
            return
        # Asked for in any case: an error that nobody asks for is reported by the loop.
        error = future.exception()
        self._tell(None if error else future.result(), error)

    def _tell(self, result: object, error: BaseException | None) -> None:
        self._timer.cancel()
        done, self._done = self._done, None
        if done is not None:
            done(result, error)
