"""The server's side of an SMTP dialogue: what it says and expects, and the transports by which a client reaches it."""

import asyncio
import re
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from dialogue import Line
from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.secured import Secured
from ninsho.client.session import Opened
from ninsho.client.settings import Settings, TLSMode

if TYPE_CHECKING:
    from smtp_dialogue import Plan

OURS = "192.0.2.7"
ENDS = frozenset((("S:", "closed"), ("S:", "reset")))
SECURED = Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384")


def octets(text: str) -> bytes:
    """A text of a dialogue as what is sent."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())


class Stage:
    """The server's side of all connections of one plan; replies are handed out in pieces of *size* octets (0: whole)."""

    def __init__(self, plan: "Plan", size: int) -> None:
        self.plan = plan
        self.size = 0 if plan.whole else size
        self.talks: list[Talk] = []
        self.failure: AssertionError | None = None

    def begin(self) -> "Talk":
        """The next connection."""
        number = len(self.talks)
        if number == len(self.plan.connections):
            self.fail(f"{self.plan.place}: expected {number} connections, got one more")
        self.talks.append(Talk(self, self.plan.connections[number]))
        return self.talks[-1]

    def fail(self, problem: str) -> NoReturn:
        """Tell what is wrong: at once, and at the end, should the client have swallowed it."""
        self.failure = self.failure or AssertionError(problem)
        raise self.failure

    def finish(self) -> None:
        """Fail where something was left unsaid, or a connection open."""
        if self.failure is not None:
            raise self.failure
        for talk in self.talks:
            assert talk.closed, f"{self.plan.place}: a connection was left open"
            if (line := talk.next) is not None and (line.verb, line.text) not in ENDS:
                talk.fail("the end")
        made, told = len(self.talks), len(self.plan.connections)
        assert made == told, f"{self.plan.place}: expected {told} connections, got {made}"


class Talk:
    """One connection, as its lines have it: what is ``heard`` of the client, and ``unread`` by it."""

    def __init__(self, stage: Stage, lines: list[Line]) -> None:
        self.stage, self.lines, self.position = stage, lines, 0
        self.heard = b""
        self.unread = b""
        self.ended = self.closed = False

    @property
    def next(self) -> Line | None:
        """The line that has not come yet."""
        return self.lines[self.position] if self.position < len(self.lines) else None

    def fail(self, got: object) -> NoReturn:
        """Tell that something else should have come."""
        line = self.next or Line(0, "the end of", "the dialogue")
        self.stage.fail(f"{self.stage.plan.at(line)}: expected {line.verb} {line.text}, got {got!r}")

    def passed(self, verb: str) -> str | None:
        """The text of the next line, which has come with this; None if it is another."""
        if (line := self.next) is None or line.verb != verb:
            return None
        self.position += 1
        return line.text

    def say(self, data: bytes) -> None:
        """Take what the client says, and say what comes then."""
        self.go_on()
        if self.ended:
            raise BrokenPipeError(32, "Broken pipe")
        if self.stage.plan.strict and self.unread:
            self.fail(f"{data!r}, with {self.unread!r} unread")
        self.heard += data
        self.go_on()

    def hear(self, patience: float) -> bytes:
        """What the client reads next."""
        self.go_on()
        if self.unread:
            size = self.stage.size or len(self.unread)
            piece, self.unread = self.unread[:size], self.unread[size:]
            return piece
        match self.next:
            case Line(_, "S:", "closed"):
                return b""
            case Line(_, "S:", "reset"):
                raise ConnectionResetError(104, "Connection reset by peer")
            case Line(_, "S:", text) if text in ("silent", f"silent {patience:g}"):
                self.position += 1
                raise TimeoutError
        return self.fail(f"(waiting {patience:g} s for a reply, with {self.heard!r} said)")

    def go_on(self) -> None:
        """Compare what the client has said, and say all that comes then."""
        while (line := self.next) is not None and self._comes(line):
            self.position += 1

    def _comes(self, line: Line) -> bool:
        """Whether *line* is over with this."""
        whole = octets(line.text) + b"\r\n" * line.verb.endswith(":")
        match line.verb:
            case "C:" | "C>":
                if not self.heard.startswith(whole):
                    return self._is_awaited(whole)
                self.heard = self.heard[len(whole) :]
            case "S:" if line.text in ("closed", "reset"):
                # It stays so: whoever asks is told again.
                self.ended = True
                return False
            case "S:" | "S>" if not line.text.startswith("silent"):
                if self.stage.plan.strict and self.heard:
                    self.fail(f"{self.heard!r} before the reply")
                self.unread += whole
            case _:
                return False
        return True

    def _is_awaited(self, whole: bytes) -> bool:
        if not whole.startswith(self.heard):
            self.fail(self.heard)
        return False


class FakeTransport:
    """Answers wants as the dialogue has it, without a socket and without time."""

    def __init__(self, stage: Stage, settings: Settings, *_: object) -> None:
        self.stage, self.settings = stage, settings
        self.deadline = None
        self.talk: Talk | None = None

    def open(self, endpoint, _patience):
        self.endpoint = endpoint
        self.talk = self.stage.begin()
        place = self.talk.passed("connection")
        if place == "refused":
            self.talk.closed = True
            raise ConnectionFailed([(str(endpoint), "Connection refused")])
        if place not in (None, "", str(endpoint)):
            self.talk.fail(f"a connection to {endpoint}")
        return Opened(OURS, SECURED if self.settings.tls is TLSMode.IMPLICIT else None)

    def send(self, data):
        assert not self.talk.closed, f"sent after the end: {data!r}"
        self.talk.say(data)

    def receive(self, patience, **_):
        assert not self.talk.closed, "asked for more after the end"
        return self.talk.hear(patience)

    def start_tls(self, _patience):
        if self.talk.unread:
            raise TLSFailed(f"{self.endpoint}: the server, or somebody in between, sent more before TLS began")
        match self.talk.passed("TLS"):
            case "refused":
                raise TLSFailed(f"{self.endpoint}: the certificate is not believed")
            case "bound":
                return replace(SECURED, bindings={"tls-exporter": b"channel"})
            case None:
                self.talk.fail("a handshake")
        return SECURED

    def compute(self, function):
        return function()

    def take(self, desk, *, wait):
        return desk.take(wait=wait)

    def take_time(self):
        pass

    def close(self):
        if self.talk is not None:
            self.talk.closed = True

    abort = close

    @property
    def is_stale(self):
        self.talk.passed("rest")
        self.talk.go_on()
        return bool(self.talk.unread) or self.talk.ended


class AwaitedTransport(FakeTransport):
    """The same for an event loop."""

    async def open(self, endpoint, _patience):
        return super().open(endpoint, _patience)

    async def send(self, data):
        super().send(data)

    async def receive(self, patience, **_):
        await asyncio.sleep(0)
        return super().receive(patience)

    async def start_tls(self, _patience):
        return super().start_tls(_patience)

    async def compute(self, function):
        return super().compute(function)

    async def take(self, desk, *, wait):
        return await desk.take(wait=wait)

    async def close(self):
        super().close()

    def abort(self):
        super().close()
