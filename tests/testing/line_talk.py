"""A client that says exactly what a test wants, for talks with a MailServer."""

import socket
import ssl
from base64 import b64decode, b64encode

PATIENCE = 20.0

HELLO = "EHLO client.example"
MAIL = "MAIL FROM:<a@example.org>"
RCPT = "RCPT TO:<b@example.org>"
ENVELOPE = (HELLO, MAIL, RCPT)
CONTENT = b"Subject: greetings\r\n\r\nhello\r\n"


class LineTalk:
    """One connection; commands are sent as lines, replies are returned with their lines joined by " / "."""

    def __init__(self, server, *, greet=True, implicit=False, context=None):
        self.server = server
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
        if implicit:
            self.start_tls(context)
        self._rest = b""
        if greet:
            self.greeting = self.reply()

    def start_tls(self, context=None):
        context = context or self.server.certificate.trusting()
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def raw(self, octets):
        self.socket.sendall(octets)

    def ask(self, *lines):
        """Say *lines* one by one; return the reply to the last."""
        for line in lines:
            self.raw(line.encode() + b"\r\n")
            said = self.reply()
        return said

    def reply(self):
        lines = []
        while True:
            line = self.line()
            lines.append(line)
            if line[3:4] != "-":
                return " / ".join(lines)

    def line(self):
        """The next line; empty at the end of the connection."""
        while b"\n" not in self._rest:
            data = self.read()
            if not data:
                return self._rest.decode()
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode().removesuffix("\r")

    def read(self):
        try:
            return self.socket.recv(65_536)
        except (ConnectionError, ssl.SSLError):
            return b""

    def whole(self):
        """All until the end of the connection."""
        while data := self.read():
            self._rest += data
        return self._rest

    def send(self, content=CONTENT):
        """Say an envelope and the content by DATA; return the reply to the dot."""
        for line in ENVELOPE:
            assert self.ask(line).startswith("250"), line
        return self.data(content)

    def data(self, content=CONTENT):
        assert self.ask("DATA").startswith("354")
        self.raw(content + b".\r\n")
        return self.reply()

    def log_in(self, exchange, name):
        """Log in with the client's side of a mechanism; return the last reply."""
        first = exchange.begin()
        said = self.ask(f"AUTH {name}" + (f" {encoded(first) or '='}" if first is not None else ""))
        while said.startswith("334"):
            said = self.ask(encoded(exchange.answer(b64decode(said[4:]))))
        if said.startswith("235"):
            exchange.conclude()
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def encoded(octets):
    return b64encode(octets).decode()
