"""A blocking socket that answers the wants of one connection."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeVar

from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.flow import Desk
from ninsho.client.job import Job
from ninsho.client.proxy import connect
from ninsho.client.secured import Secured, secured_by
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings, TLSMode
from ninsho.client.tls import explain, server_name_of

T = TypeVar("T")
READ = 65_536  # octets
QUICK_ACKNOWLEDGEMENT: Final[int | None] = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


def hurry(connection: socket.socket) -> None:
    """Have what comes next acknowledged at once.

    A server that writes a second reply before the first is acknowledged waits (RFC 896), and we would acknowledge only
    after 40 ms: to a Postfix on the same machine that made 22 messages a second of 460.
    """
    if QUICK_ACKNOWLEDGEMENT is not None:
        with suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, QUICK_ACKNOWLEDGEMENT, 1)


class SocketTransport:
    """Answers the wants of one connection by a blocking socket; ``deadline`` ends every wait."""

    def __init__(self, settings: Settings, context: Callable[[], ssl.SSLContext]) -> None:
        self._settings = settings
        self._context = context
        self._endpoint = settings.endpoints[0]
        self._socket: socket.socket | None = None
        self._acknowledges = False
        self._timeout: float | None = None
        self.deadline: float | None = None

    def open(self, endpoint: Endpoint, timeout: float) -> Opened:
        """Connect; raise ``ConnectionFailed`` or ``TLSFailed``, with what to do about it."""
        self._endpoint = endpoint
        mode = self._settings.tls
        try:
            self._socket = self._connected(endpoint, self._left(timeout))
        except OSError as error:
            raise ConnectionFailed([(str(endpoint), explain(error, endpoint, mode))]) from error
        self._timeout = None
        if self._socket.family != socket.AF_UNIX:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._acknowledges = QUICK_ACKNOWLEDGEMENT is not None
        address = self._socket.getsockname()
        secured = self.start_tls(timeout) if mode is TLSMode.IMPLICIT else None
        return Opened(address[0] if isinstance(address, tuple) else "", secured)

    def start_tls(self, timeout: float) -> Secured:
        """Shake hands; raise ``TLSFailed``."""
        trust = self._settings.trust
        plain = self._sock
        plain.settimeout(self._left(timeout))
        self._timeout = None
        try:
            secured = self._context().wrap_socket(plain, server_hostname=server_name_of(trust, self._endpoint))
            self._socket = secured
            return secured_by(secured, trust)
        except (OSError, ValueError) as error:
            raise TLSFailed(f"{self._endpoint}: {explain(error, self._endpoint, self._settings.tls)}") from error

    def send(self, data: bytes) -> None:
        """Send all of *data*."""
        self._timed(self._settings.timeouts.data_block).sendall(data)

    def receive(self, timeout: float) -> bytes:
        """Return what comes next."""
        connection = self._timed(timeout)
        if self._acknowledges:
            hurry(connection)
        return connection.recv(READ)

    def compute(self, function: Callable[[], T]) -> T:
        """Return what *function* returns."""
        return function()

    def take(self, desk: Desk, *, wait: bool) -> Job | None:
        """Return the next job of *desk*."""
        job: Job | None = desk.take(wait=wait)
        self.take_time()
        return job

    def take_time(self) -> None:
        """Begin the time that a message may take in all."""
        if (total := self._settings.timeouts.total) is not None:
            self.deadline = time.monotonic() + total

    def close(self) -> None:
        """Close the connection, with TLS's own goodbye if that takes no waiting."""
        connection, self._socket = self._socket, None
        if connection is None:
            return
        if isinstance(connection, ssl.SSLSocket):
            with suppress(OSError, ValueError):
                connection.settimeout(0.0)
                connection.unwrap()
        connection.close()

    @property
    def connection(self) -> "socket.socket | None":
        """The socket itself; None where it is closed."""
        return self._socket

    @property
    def is_stale(self) -> bool:
        """Whether the server has closed a connection at rest, or said something, as 421, before it does."""
        connection = self._socket
        if connection is None:
            return True
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        if not poll.poll(0):
            return False
        self._timeout = None
        connection.settimeout(0.0)
        try:
            connection.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            # TLS's own: a session ticket, or new keys.
            return False
        except OSError:
            return True
        return True

    def _timed(self, timeout: float) -> socket.socket:
        """The socket, with *timeout* set: to set it is a system call, so only where it changes."""
        connection, left = self._sock, self._left(timeout)
        if left != self._timeout:
            self._timeout = left
            connection.settimeout(left)
        return connection

    @property
    def _sock(self) -> socket.socket:
        if self._socket is None:
            raise ConnectionError("the connection is closed")
        return self._socket

    def _connected(self, endpoint: Endpoint, timeout: float) -> socket.socket:
        settings = self._settings
        if endpoint.path:
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(timeout)
            connection.connect(endpoint.path)
            return connection
        if settings.proxy:
            return connect(settings.proxy, endpoint.host, endpoint.port, timeout)
        return socket.create_connection((endpoint.host, endpoint.port), timeout, settings.source_address)

    def _left(self, timeout: float) -> float:
        if self.deadline is None:
            return timeout
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole message is over")
        return min(timeout, left)
