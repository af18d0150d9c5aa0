"""A blocking socket that answers the wants of one connection."""

import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, TypeVar

from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.flow import DeadlineOver, Desk
from ninsho.client.job import Job
from ninsho.client.proxy import connect
from ninsho.client.secured import Secured, secured_by
from ninsho.client.session import Opened
from ninsho.client.settings import Endpoint, Settings, TLSMode
from ninsho.client.tls import explain, server_name_of

T = TypeVar("T")
READ = 65_536  # octets
RESTED: Final = 0.05  # seconds without a word, after which it is looked up whether the server has gone
# What has to do with the moment, not with the certificate.
PASSING: Final = (TimeoutError, ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
# Linux tells that the other end is closed even where something unread stands before that.
ENDED: Final = select.POLLHUP | select.POLLERR | getattr(select, "POLLRDHUP", 0)
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
        self._end = 0.0
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
        try:
            plain.settimeout(self._left(timeout))
            self._timeout = None
            secured = self._context().wrap_socket(plain, server_hostname=server_name_of(trust, self._endpoint))
            self._socket = secured
            return secured_by(secured, trust)
        except (OSError, ValueError) as error:
            reason = explain(error, self._endpoint, self._settings.tls)
            raise TLSFailed(f"{self._endpoint}: {reason}", temporary=isinstance(error, PASSING)) from error

    def send(self, data: bytes) -> None:
        """Send all of *data*; an error has how many octets were ``handed`` over before it."""
        handed = 0
        try:
            connection = self._timed(self._settings.timeouts.data_block)
            handed = connection.send(data)
            while handed < len(data):
                handed += connection.send(memoryview(data)[handed:])
        except OSError as error:
            error.handed = handed  # type: ignore[attr-defined]
            raise

    def receive(self, timeout: float, *, anew: bool) -> bytes:
        """Return what comes next."""
        if anew:
            self._end = time.monotonic() + timeout
        else:
            timeout = max(0.001, self._end - time.monotonic())
        connection = self._timed(timeout)
        if self._acknowledges:
            hurry(connection)
        try:
            return connection.recv(READ)
        except TimeoutError as error:
            raise self._late(error) from None

    def compute(self, function: Callable[[], T]) -> T:
        """Return what *function* returns."""
        return function()

    def take(self, desk: Desk, *, wait: bool) -> Job | None:
        """Return the next job of *desk*."""
        begin = time.monotonic()
        job: Job | None = desk.take(wait=wait)
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

    def cut(self) -> None:
        """Let whoever waits in another thread find the connection closed."""
        if (connection := self._socket) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def forget(self) -> None:
        """Close our end without a word: the connection is another process's."""
        if self._socket is not None:
            # Not of TLS either: that would end it for the other process.
            socket.socket.close(self._socket)
            self._socket = None

    @property
    def has_ended(self) -> bool:
        """Whether the server has closed its end, though not all that it said may have been read."""
        if self._socket is None:
            return True
        poll = select.poll()
        poll.register(self._socket, ENDED)
        return bool(poll.poll(0))

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
        return self._to_any(socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM), timeout)

    def _to_any(self, addresses: list[Any], timeout: float) -> socket.socket:
        """Connect to the first that answers; each gets its share of the time."""
        end, failure = time.monotonic() + timeout, OSError("the name has no address")
        for number, (family, kind, protocol, _, address) in enumerate(addresses):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(max(0.001, (end - time.monotonic()) / (len(addresses) - number)))
                if self._settings.source_address:
                    connection.bind(self._settings.source_address)
                connection.connect(address)
            except OSError as error:
                connection.close()
                failure = error
            except BaseException:
                connection.close()
                raise
            else:
                return connection
        raise failure

    def _late(self, error: TimeoutError) -> TimeoutError:
        over = self.deadline is not None and time.monotonic() >= self.deadline
        return DeadlineOver() if over else error

    def _left(self, timeout: float) -> float:
        if self.deadline is None:
            return timeout
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise DeadlineOver
        return min(timeout, left)
