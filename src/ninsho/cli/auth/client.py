"""A blocking shell for flows: a socket, a deadline, and a log that reads like a chat."""

import socket
import time
from collections import deque
from collections.abc import Callable
from typing import TypeAlias, TypeVar

from ninsho.cli.auth.login import HIDDEN, Flow, Receive, Send
from ninsho.cli.terminal import visible
from ninsho.wire.dovecot.fields import LINE_LIMIT
from ninsho.wire.lines import Lines

T = TypeVar("T")

Address: TypeAlias = str | tuple[str, int]
"""A UNIX socket's path, or a host and a port."""

PATIENCE = 10.0  # seconds, as long as Postfix waits for an answer (its AUTH_TIMEOUT)


def connect(address: Address, *, patience: float = PATIENCE) -> socket.socket:
    """Connect to *address*; raise ``OSError`` where that is not possible."""
    if not isinstance(address, str):
        return socket.create_connection(address, patience)
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(patience)
        connection.connect(address)
    except BaseException:
        connection.close()
        raise
    return connection


class Client:
    """A mail server's end of *connection*.

    Every line is told to *log* with ``>`` (sent) or ``<`` (received) in front, secrets hidden.
    """

    def __init__(
        self, connection: socket.socket, *, log: Callable[[str], object] = lambda _: None, patience: float = PATIENCE
    ) -> None:
        self._connection = connection
        self._log = log
        self._patience = patience
        self._lines = Lines(LINE_LIMIT)
        self._received: deque[bytes] = deque()
        self._deadline = time.monotonic() + patience

    def run(self, flow: Flow[T]) -> T:
        """Run *flow* to its result.

        Raises ``TimeoutError`` where an answer does not come in time, ``ConnectionError`` where the server closes.
        """
        answer: bytes | None = None
        while True:
            try:
                want = flow.send(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # the flow's own type
            match want:
                case Send():
                    self._send(want)
                    answer = None
                case Receive():
                    answer = self._receive()

    def _send(self, want: Send) -> None:
        for line in want.shown.splitlines():
            self._log(f"> {shown(line)}")
        self._connection.settimeout(self._patience)
        self._connection.sendall(want.line)
        # For the whole answer: a server that trickles does not prolong it.
        self._deadline = time.monotonic() + self._patience

    def _receive(self) -> bytes:
        while not self._received:
            if (left := self._deadline - time.monotonic()) <= 0:
                raise TimeoutError
            self._connection.settimeout(left)
            if not (data := self._connection.recv(65_536)):
                raise ConnectionResetError
            self._received.extend(self._lines.feed(data))
        line = self._received.popleft()
        self._log(f"< {shown(line)}")
        return line


def shown(line: bytes) -> str:
    """Return *line* as it may stand on a terminal: tabs as spaces, the connection's cookie hidden."""
    if line.startswith(b"COOKIE\t"):
        line = b"COOKIE\t" + HIDDEN
    return visible(line.decode(errors="backslashreplace").replace("\t", " "))
