"""A POP3 server on a port of 127.0.0.1 that answers as it is told: what it heard, and what it would have deleted."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

USER, PASSWORD = "alice", "wonder land"
END = b".\r\n"


class Pop3Server:
    """Serves *messages*; ``heard`` are the commands, ``left`` the messages after the last session that ended with QUIT.

    *answers* has by command, or by its verb, what to say instead: None cuts the connection.
    """

    def __init__(self, messages: list[bytes], answers: Mapping[str, bytes | None]) -> None:
        self.messages = messages
        self.left = list(messages)
        self.answers = answers
        self.heard: list[str] = []
        self.port = 0

    def serve(self, lines: Iterator[bytes], say: Callable[[bytes], object]) -> None:
        """Talk to one client."""
        deleted: set[int] = set()
        say(b"+OK ready\r\n")
        for line in lines:
            command = line.decode().rstrip("\r\n")
            self.heard.append(command)
            verb, *arguments = command.split()
            told = self.answers.get(command, self.answers.get(verb, b""))
            if told is None:
                return
            say(told or self.answer(verb, arguments, deleted))
            if verb == "QUIT":
                self.left = [each for number, each in enumerate(self.messages, 1) if number not in deleted]
                return

    def answer(self, verb: str, arguments: list[str], deleted: set[int]) -> bytes:
        match verb, arguments:
            case "CAPA", _:
                return b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n" + END
            case "LIST", []:
                return self.listing(lambda number: str(len(self.messages[number - 1])))
            case "UIDL", []:
                return self.listing(lambda number: f"uid-{number}")
            case "RETR", [number]:
                return b"+OK\r\n" + stuffed(self.messages[int(number) - 1]) + END
            case "TOP", [number, lines]:
                header, _, body = self.messages[int(number) - 1].partition(b"\r\n\r\n")
                top = b"".join(body.splitlines(keepends=True)[: int(lines)])
                return b"+OK\r\n" + stuffed(header + b"\r\n\r\n" + top) + END
            case "DELE", [number]:
                deleted.add(int(number))
            case "RSET", _:
                deleted.clear()
        return b"+OK\r\n"

    def listing(self, said: Callable[[int], str]) -> bytes:
        lines = (f"{number} {said(number)}\r\n" for number in range(1, len(self.messages) + 1))
        return b"+OK\r\n" + "".join(lines).encode() + END


def stuffed(octets: bytes) -> bytes:
    return b"".join(b"." * line.startswith(b".") + line for line in octets.splitlines(keepends=True))


@contextmanager
def pop3_server(messages: list[bytes], **answers: bytes | None) -> Iterator[Pop3Server]:
    """Run a server; a verb is answered as *answers* says, its spaces written as underscores."""
    served = Pop3Server(messages, {verb.replace("_", " "): answer for verb, answer in answers.items()})

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            try:
                served.serve(iter(self.rfile), self.wfile.write)
            except ConnectionError:
                return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        served.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield served
        finally:
            server.shutdown()
            thread.join()
