"""The octets of one connection: read as lines, chunks and whole messages; sent in pieces; cut where a test wants it."""

import select
import socket
import ssl
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import NoReturn, Protocol

from ninsho.testing.faults import Cut

CHUNK = 65_536  # octets
GRACE = 0.5  # seconds that a reply may take to leave before a connection is broken all the same
PAUSE = 0.001  # seconds between two pieces of a reply, so that they arrive one by one


class Gone(Exception):
    """The connection is over, by whichever side."""


class Wire(Protocol):
    """What a stream stands on: a socket, or what a test has in its place."""

    def recv(self, size: int, /) -> bytes:
        """Return the next octets, none at the end."""

    def sendall(self, data: bytes, /) -> None:
        """Send all of *data*."""

    def readable(self, patience: float) -> bool:
        """Whether there are octets, or the end, within so many seconds."""

    def close(self, *, reset: bool) -> None:
        """Say that no more will come, and wait until the other side goes too; or reset the connection at once."""

    def abandon(self) -> None:
        """Break the connection, from another thread."""


class SocketWire:
    """A connection's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        if connection.family != socket.AF_UNIX:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.recv = connection.recv
        self.sendall = connection.sendall

    def readable(self, patience: float) -> bool:
        """Whether there are octets, or the end, within so many seconds."""
        # Not select: it knows no file descriptor above 1023.
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return bool(poll.poll(patience * 1000))

    def close(self, *, reset: bool) -> None:
        """Say that no more will come, and wait until the other side goes too; or reset the connection at once."""
        with self._socket, suppress(OSError):
            if reset:
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            # Closed with octets unread, TCP would reset the connection, and the other side could lose what was said.
            self._socket.shutdown(socket.SHUT_WR)
            while self._socket.recv(CHUNK):
                pass

    def abandon(self) -> None:
        """Break the connection, from another thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)


@dataclass(slots=True)
class Talk:
    """All that the two sides of a connection have said, TLS taken off: passwords, too."""

    heard: bytearray = field(default_factory=bytearray, repr=False)
    said: bytearray = field(default_factory=bytearray, repr=False)


class Stream:
    """One connection; every method may raise ``Gone``.

    *pieces* is how many octets are sent at a time, 0 for all at once.
    """

    def __init__(
        self, wire: Wire, *, pieces: int = 0, client_cut: Cut | None = None, server_cut: Cut | None = None
    ) -> None:
        self.talk = Talk()
        self.tls: ssl.SSLObject | None = None
        self._wire = wire
        self._pieces = pieces
        self._client_cut = client_cut
        self._server_cut = server_cut
        self._buffer = bytearray()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ended = self._closed = False
        # The server may hang up from another thread.
        self._lock = Lock()

    def line(self) -> bytes:
        """The next line, with its line feed."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._fill()
        return self._take(end + 1)

    def octets(self, count: int) -> bytes:
        """The next *count* octets."""
        while len(self._buffer) < count:
            self._fill()
        return self._take(count)

    def arrival(self) -> None:
        """Wait until there is something."""
        if not self._buffer:
            self._fill()

    def until_dot(self) -> bytes:
        """The lines before a final dot, as they were sent (RFC 5321 §4.1.1.4); the dot is taken away."""
        while len(self._buffer) < 3:
            self._fill()
        if self._buffer.startswith(b".\r\n"):
            self._take(3)
            return b""
        searched = 0
        while (end := self._buffer.find(b"\r\n.\r\n", searched)) < 0:
            searched = max(len(self._buffer) - 4, 0)
            self._fill()
        content = self._take(end + 2)
        self._take(3)
        return content

    def pending(self, patience: float = 0) -> bool:
        """Whether the client has sent something that nobody has read, or does so within *patience* seconds."""
        if not self._buffer and not self._ended and self._room() > 0 and self._readable(patience):
            with suppress(Gone):
                self._fill()
        return bool(self._buffer)

    def send(self, data: bytes) -> None:
        """Send all of *data*, or what a cut leaves of it."""
        cut = self._server_cut
        room = len(data) + 1 if cut is None else cut.after - len(self.talk.said)
        with self._lock:
            for piece in _cut_up(data[:room], self._pieces):
                self.talk.said += piece
                self._transmit(piece)
        if cut is not None and room <= len(data):
            self.cut(reset=cut.reset)

    def start_tls(self, context: ssl.SSLContext) -> None:
        """Shake hands; what the client has sent in clear behind its command is thrown away."""
        self._buffer.clear()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._exchange()
            except ssl.SSLError:
                # It may hold an alert that says why not.
                self._flush()
                self.cut()
        self._flush()
        self.tls = tls

    def finish(self) -> NoReturn:
        """Close the connection in order."""
        if self.tls is not None and not self._ended:
            with suppress(ssl.SSLError, Gone), self._lock:
                try:
                    self.tls.unwrap()
                except ssl.SSLWantReadError:
                    self._flush()
        self.cut()

    def cut(self, *, reset: bool = False) -> NoReturn:
        """Break the connection."""
        self.close(reset=reset)
        raise Gone

    def close(self, *, reset: bool = False) -> None:
        """Break the connection, if it is not closed yet."""
        if not self._closed:
            self._ended = self._closed = True
            self._wire.close(reset=reset)

    def hang_up(self, last_words: bytes) -> None:
        """Say *last_words* and break the connection, from another thread; to who does not read nothing is said."""
        if last_words and self._lock.acquire(timeout=GRACE):
            try:
                with suppress(Gone):
                    self.talk.said += last_words
                    self._transmit(last_words)
            finally:
                self._lock.release()
        self._wire.abandon()

    def silence(self) -> NoReturn:
        """Say nothing any more until the client goes."""
        while True:
            self._fill()

    def _take(self, count: int) -> bytes:
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        room = self._room()
        if self._client_cut is not None and room <= 0:
            self.cut(reset=self._client_cut.reset)
        if self._ended or not (data := self._read()[:room]):
            self._ended = True
            raise Gone
        self.talk.heard += data
        self._buffer += data

    def _room(self) -> int:
        """How many more octets the client may say."""
        return CHUNK if self._client_cut is None else self._client_cut.after - len(self.talk.heard)

    def _readable(self, patience: float) -> bool:
        return bool(self._incoming.pending) or self._wire.readable(patience)

    def _read(self) -> bytes:
        if self.tls is None:
            return self._receive()
        while True:
            try:
                with self._lock:
                    return self.tls.read(CHUNK)
            except ssl.SSLWantReadError:
                self._exchange()
            except ssl.SSLError:
                return b""

    def _exchange(self) -> None:
        """Let TLS have its next octets."""
        self._flush()
        if data := self._receive():
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _receive(self) -> bytes:
        try:
            return self._wire.recv(CHUNK)
        except OSError:
            return b""

    def _transmit(self, data: bytes) -> None:
        if self.tls is None:
            self._put(data)
        else:
            self.tls.write(data)
            self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._put(self._outgoing.read())

    def _put(self, data: bytes) -> None:
        try:
            self._wire.sendall(data)
        except OSError:
            raise Gone from None


def _cut_up(data: bytes, size: int) -> Iterator[bytes]:
    if not size:
        if data:
            yield data
        return
    for start in range(0, len(data), size):
        if start:
            time.sleep(PAUSE)
        yield data[start : start + size]
