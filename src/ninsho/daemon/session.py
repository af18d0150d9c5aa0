"""The asyncio shell of a connection."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, cast

from ninsho.daemon.connection import Connection
from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.policy import Desk
from ninsho.daemon.shell import Done, Timer

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

    def drain(self) -> None:
        """Close as soon as every verdict under way is told."""
        self._connection.drain()

    def close(self) -> None:
        """Close when everything is sent."""
        self._transport.close()

    def wait(self, awaitable: Awaitable[Any], seconds: float, done: Done) -> Timer:
        """Call *done* with the result or the error of *awaitable*."""

        def settled(task: "asyncio.Task[Any]") -> None:
            if not task.cancelled():
                error = task.exception()
                done(None if error else task.result(), error)

        task = self._loop.create_task(_within(awaitable, seconds))
        task.add_done_callback(settled)
        return task

    def hold(self, due: float, release: Callable[[], None]) -> Timer:
        """Call *release* with a batch of failures."""
        return self._held_back.hold(due, release)

    def _give_up(self) -> None:
        if not self._connection.established:
            self._transport.close()


async def _within(awaitable: Awaitable[Any], seconds: float) -> Any:  # noqa: ANN401 - whatever it gives
    async with asyncio.timeout(seconds):
        return await awaitable
