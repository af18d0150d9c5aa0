"""A mail server without sockets and time, which can be cut at any octet; and the transports that reach it.

It is strict where a client could go wrong unseen: a second MAIL without RSET, or a message that nobody may have, is
refused. Recipients whose names begin with ``no`` are refused, and so are messages that hold ``spam``.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ninsho.client.errors import ConnectionFailed
from ninsho.client.session import Opened

# What a cut run can come to need; more is an endless loop.
PATIENCE = 2000


@dataclass
class Server:
    """What all its connections share; ``delivered`` counts (content, recipient), ``left`` is all that clients sent.

    ``cut`` says after how many octets of which ``side`` a connection ends, ``cuts`` how many of them do; ``rude``: what
    the client sends then is an error, as it is when the end was heard of; else it vanishes.
    """

    keywords: tuple[str, ...] = ()
    lmtp: bool = False
    side: str = "server"
    cut: int | None = None
    cuts: int = 1
    rude: bool = False
    # Octets of a message at which it loses patience, says so, and hangs up.
    most: int = 1 << 30
    delivered: Counter = field(default_factory=Counter)
    lines: list["Line"] = field(default_factory=list)

    @property
    def left(self) -> bytes:
        return b"\0".join(line.left for line in self.lines)

    def connect(self) -> "Line":
        line = Line(self, cut=self.cut if len(self.lines) < self.cuts else None)
        self.lines.append(line)
        return line


class Line:
    """One connection."""

    def __init__(self, server: Server, *, cut: int | None) -> None:
        self.server = server
        self.said = 0
        self.heard = 0
        self.left = b""
        self.output = b""
        self.ended = self.closed = False
        self._cut = cut
        self._input = b""
        self._parser = self._serve()
        next(self._parser)
        self._advance()

    def send(self, data: bytes) -> None:
        self.left += data
        if self.ended:
            if self.server.rude:
                raise BrokenPipeError(32, "Broken pipe")
            return
        if self._cut is not None and self.server.side == "client":
            data = data[: self._cut - self.heard]
        self.heard += len(data)
        self._input += data
        self._advance()
        if self._cut is not None and self.server.side == "client" and self.heard >= self._cut:
            self.ended = True

    def receive(self) -> bytes:
        data, self.output = self.output, b""
        assert data or self.ended, f"a client that waits for ever: {self.left[-200:]!r}"
        return data

    def _advance(self) -> None:
        """Let the server read what it has got."""
        while not self.ended:
            try:
                self._parser.send(None)
            except StopIteration:
                self.ended = True
            if not self._moved:
                return

    def _say(self, *replies: str) -> None:
        data = "".join(f"{reply}\r\n" for reply in replies).encode()
        if self._cut is not None and self.server.side == "server":
            data = data[: self._cut - self.said]
        self.said += len(data)
        self.output += data
        if self._cut is not None and self.server.side == "server" and self.said >= self._cut:
            self.ended = True

    # The protocol.

    def _until(self, end: bytes) -> Iterator[None]:
        while end not in self._input:
            if len(self._input) > self.server.most:
                self._say("552 5.3.4 too large")
                self.ended = True
            self._moved = False
            yield
        data, _, self._input = self._input.partition(end)
        self._moved = True
        return data

    def _octets(self, count: int) -> Iterator[None]:
        while len(self._input) < count:
            self._moved = False
            yield
        data, self._input = self._input[:count], self._input[count:]
        self._moved = True
        return data

    def _serve(self) -> Iterator[None]:  # noqa: PLR0912 - one command, one case
        self._moved = True
        yield
        self._say("220 paper.example")
        sender, recipients = None, []
        while not self.ended:
            command = (yield from self._until(b"\r\n")).decode()
            verb, _, argument = command.partition(" ")
            match verb:
                case "EHLO" | "LHLO":
                    first, *rest = ["paper.example", *self.server.keywords][::-1]
                    self._say(*(f"250-{keyword}" for keyword in rest[::-1]), f"250 {first}")
                case "MAIL" if sender is None:
                    sender, recipients = argument, []
                    self._say("250 2.1.0 Ok")
                case "RCPT" if sender is not None and not argument.startswith("TO:<no"):
                    recipients.append(argument.removeprefix("TO:<").removesuffix(">"))
                    self._say("250 2.1.5 Ok")
                case "RCPT" if sender is not None:
                    self._say("550 5.1.1 no")
                case "RSET":
                    sender, recipients = None, []
                    self._say("250 2.0.0 Ok")
                case "DATA" if recipients:
                    self._say("354 Go on")
                    content = (yield from self._until(b"\r\n.\r\n")) + b"\r\n"
                    self._take(content.replace(b"\r\n..", b"\r\n."), recipients)
                    sender, recipients = None, []
                case "BDAT":
                    content = yield from self._octets(int(argument.removesuffix(" LAST")))
                    if recipients:
                        self._take(content, recipients)
                        sender, recipients = None, []
                    else:
                        self._say("503 5.5.1 nobody")
                case "QUIT":
                    self._say("221 2.0.0 Bye")
                    return
                case _:
                    self._say("503 5.5.1 not now")
            if not self._input:
                self._moved = False
                yield

    def _take(self, content: bytes, recipients: list[str]) -> None:
        if self.ended:
            return
        for group in [[one] for one in recipients] if self.server.lmtp else [recipients]:
            if b"spam" in content:
                self._say("554 5.7.1 spam")
                continue
            # Before the reply: what is not told has happened all the same.
            self.server.delivered.update((content, one) for one in group)
            self._say("250 2.0.0 Ok")


class PaperTransport:
    """Answers wants by a paper server; at want *number*, a stroke of *lightning* is raised before it or *behind* it."""

    lightning: type[BaseException] | None = None
    number = 0
    behind = False

    def __init__(self, server: Server, *_: object) -> None:
        self.server = server
        self.line: Line | None = None
        self.deadline = None

    def _count(self, *, behind: bool = False) -> None:
        kind = type(self)
        if not behind:
            kind.number -= 1
            assert kind.number > -PATIENCE, "a client that goes on for ever"
        if kind.number == 0 and kind.lightning is not None and kind.behind == behind:
            raise kind.lightning

    def open(self, endpoint, _patience):
        self._count()
        if len(self.server.lines) >= 20:
            raise ConnectionFailed([(str(endpoint), "Connection refused")])
        self.line = self.server.connect()
        self._count(behind=True)
        return Opened("192.0.2.7")

    def send(self, data):
        assert not self.line.closed
        self._count()
        self.line.send(data)
        self._count(behind=True)

    def receive(self, _patience, **_):
        assert not self.line.closed
        self._count()
        data = self.line.receive()
        self._count(behind=True)
        return data

    def compute(self, function):
        return function()

    def take(self, desk, *, wait):
        self._count()
        job = desk.take(wait=wait)
        self._count(behind=True)
        return job

    def take_time(self):
        pass

    def close(self):
        if self.line is not None:
            self.line.closed = True

    abort = close

    @property
    def is_stale(self):
        return self.line.ended or bool(self.line.output)


class AwaitedPaper(PaperTransport):
    """The same for an event loop; lightning is the cancelling of the task."""

    def _count(self, *, behind: bool = False) -> None:
        try:
            super()._count(behind=behind)
        except asyncio.CancelledError:
            asyncio.current_task().cancel()

    async def open(self, endpoint, _patience):
        opened = super().open(endpoint, _patience)
        await asyncio.sleep(0)
        return opened

    async def send(self, data):
        # Cancelled before it: nothing has left.
        self._count()
        await asyncio.sleep(0)
        self.line.send(data)
        self._count(behind=True)
        await asyncio.sleep(0)

    async def receive(self, _patience, **_):
        self._count()
        await asyncio.sleep(0)
        data = self.line.receive()
        self._count(behind=True)
        await asyncio.sleep(0)
        return data

    async def compute(self, function):
        return function()

    async def take(self, desk, *, wait):
        self._count()
        await asyncio.sleep(0)
        job = await desk.take(wait=wait)
        self._count(behind=True)
        await asyncio.sleep(0)
        return job

    async def close(self):
        super().close()

    def abort(self):
        super().close()
