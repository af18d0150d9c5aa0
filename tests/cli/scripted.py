"""A server of the authentication protocol that follows a script, in a thread."""

import socket
import threading
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

GREETING = (
    "VERSION 1 2",
    "MECH PLAIN plaintext",
    "MECH CRAM-MD5 dictionary",
    "SPID 7",
    "CUID 1",
    "COOKIE c00c1e",
    "DONE",
)


class ScriptedServer:
    """Sends *greeting*, then one of *replies* for each line after the client's greeting, and closes at their end.

    A space stands for a tab. ``heard`` is what the client has sent.
    """

    def __init__(self, path: Path, replies: Iterable[str] = (), *, greeting: Iterable[str] = GREETING) -> None:
        self.address = path
        self.heard: list[str] = []
        self._greeting = list(greeting)
        self._replies = list(replies)
        self._listener = socket.socket(socket.AF_UNIX)
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._listener.bind(str(self.address))
        self._listener.listen()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Wakes accept(), should nobody have come.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        # The client may go away in the middle.
        with connection, connection.makefile("rb") as stream, suppress(OSError):
            self._send(connection, self._greeting)
            self.heard += [stream.readline().decode().rstrip("\n") for _ in range(2)]
            for reply in self._replies:
                self.heard.append(stream.readline().decode().rstrip("\n"))
                self._send(connection, reply.split("|"))

    def _send(self, connection: socket.socket, lines: Iterable[str]) -> None:
        connection.sendall("".join(f"{line}\n" for line in lines).replace(" ", "\t").encode())
