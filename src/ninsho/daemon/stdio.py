"""One connection on standard input and output, as Postfix's spawn(8) runs it: a blocking shell without event loop."""

import os
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from ninsho.daemon.connection import Connection
from ninsho.daemon.policy import Desk, Policy
from ninsho.daemon.shell import Done

Finish: TypeAlias = Callable[[Awaitable[Any], float], Any]


class Finished:
    """What has happened already cannot be called off."""

    def cancel(self) -> None:
        """Do nothing."""


class StdioShell:
    """Serves the one client, who sends on standard input and reads from *output*, a file descriptor.

    *finish* runs an awaitable to its end within a number of seconds.
    """

    def __init__(self, policy: Policy, finish: Finish, output: int) -> None:
        self._finish = finish
        self._output = output
        self._open = True
        self._connection = Connection(self, Desk(policy))

    def serve(self) -> None:
        """Greet, then answer until the client goes away."""
        try:
            self._connection.opened()
            while self._open and (data := os.read(0, 65_536)):
                self._connection.received(data)
        finally:
            self._connection.lost()

    def now(self) -> float:
        """The monotonic clock's time."""
        return time.monotonic()

    def send(self, data: bytes) -> None:
        """Write it all."""
        while data:
            data = data[os.write(self._output, data) :]

    def close(self) -> None:
        """Read no more."""
        self._open = False

    def wait(self, awaitable: Awaitable[Any], seconds: float, done: Done) -> Finished:
        """Run *awaitable* here and now."""
        try:
            result = self._finish(awaitable, seconds)
        except Exception as error:  # noqa: BLE001 - the connection says what becomes of it
            done(None, error)
        else:
            done(result, None)
        return Finished()

    def hold(self, due: float, release: Callable[[], None]) -> Finished:
        """Sleep until *due*: there is nobody else to serve."""
        time.sleep(max(0.0, due - self.now()))
        release()
        return Finished()
