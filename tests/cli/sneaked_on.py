"""A mail server with the fault of CVE-2011-0411: what came in clear behind STARTTLS is read inside of TLS."""

import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

from ninsho.testing import Certificate

REPLIES = {"EHLO": "250-careless.example.org\r\n250 STARTTLS", "NOOP": "250 2.0.0 Ok", "QUIT": "221 2.0.0 Bye"}


class CarelessServer:
    """Serves connections one after the other; *keeps* says whether it has the fault."""

    def __init__(self, *, keeps: bool) -> None:
        self._keeps = keeps
        self._context = Certificate.made().context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve)

    @property
    def place(self) -> str:
        return f"localhost:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wakes accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            # A handshake that the client breaks off is its own affair.
            with connection, suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        connection.sendall(b"220 careless.example.org ESMTP\r\n")
        rest = b""
        while True:
            while b"\r\n" not in rest:
                if not (data := connection.recv(4096)):
                    return
                rest += data
            line, _, rest = rest.partition(b"\r\n")
            verb = line.split()[0].decode()
            if verb == "STARTTLS":
                connection.sendall(b"220 2.0.0 Go ahead\r\n")
                connection = self._context.wrap_socket(connection, server_side=True)
                rest = rest if self._keeps else b""
            else:
                connection.sendall(f"{REPLIES[verb]}\r\n".encode())
            if verb == "QUIT":
                connection.close()
                return
