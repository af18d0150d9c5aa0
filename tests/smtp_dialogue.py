"""Dialogue files of the submission client: conversations which one can read aloud, and what the caller sees at the end.

::

    == one recipient is refused (59)
    url smtp://u:p@mail.example.com:587?tls=starttls    the client's settings (default: no login, no TLS)
    message Subject: hi\\n\\nhello\\n   the next message (default: this one); `\\n` stands for CRLF
    from a@example.org                 its sender, and who gets it (defaults: these)
    to b@example.org c@example.org
    options auth=c@example.org         its options
    singly                             each message by `send`; `many`, `generator`: by `send_many`; `connect`: none
    overlapping                        the client may speak before it has read all replies
    whole                              replies arrive in one piece, never in several

    hello PIPELINING AUTH:PLAIN        greeting, EHLO, and the reply to it
    C: MAIL FROM:<a@example.org>       what the client says: in one go until the server's next line
    content                            the message's own lines, as DATA has them
    S: 250 2.1.0 Ok                    what the server answers
    TLS                                the handshake; `TLS refused`, `TLS bound` (with channel binding)
    rest                               what follows happens while the connection rests
    S: closed                          the server closes; `reset`: roughly; `silent 300`: never answers, for so long
    bye                                QUIT, and its reply
    connection mail2.example.com:25    the next connection, and where to; `connection refused`

    receipt accepted refused           what becomes of the first message, for each recipient
    raises AuthenticationFailed        or what is raised instead; a `receipt` behind it is the error's own
    reply 550 5.1.1 no                 the receipt's, or the error's, reply; `says`: a part of the error
    temporary                          or `permanent`; `queue 4XyZ`, `attempts 2`, `mechanism PLAIN`, `tls TLSv1.3`
    log > AUTH PLAIN (hidden)          a line of the transcript; `unlogged secret`: in no line, nor in what is raised

``\\xNN`` are octets; ``S>`` and ``C>`` have no line end.
"""

import asyncio
import re
import traceback
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NoReturn

import pytest

from dialogue import Dialogue, Line
from ninsho import AsyncClient, Client, Submission
from ninsho.client import names
from ninsho.client.errors import ClientError, ConnectionFailed, TLSFailed
from ninsho.client.options import Options
from ninsho.client.receipt import Receipt
from ninsho.client.secured import Secured
from ninsho.client.session import Opened
from ninsho.client.settings import Settings, TLSMode
from ninsho.client.transcript import Recorder
from ninsho.sasl.digest_md5 import DIGEST_MD5, digest_md5_client
from ninsho.sasl.scram import SCRAM_SHA_1, SCRAM_SHA_256

URL = "smtp://mail.example.com:25?tls=none"
MESSAGE = b"Subject: hi\r\n\r\nhello\r\n"
OURS = "192.0.2.7"
SETTINGS = frozenset(("url", "message", "from", "to", "options", "overlapping", "whole", "nameless"))
WAYS = frozenset(("singly", "many", "generator", "connect"))
TALK = frozenset(("C:", "C>", "S:", "S>", "TLS", "rest", "connection"))
ENDS = frozenset((("S:", "closed"), ("S:", "reset")))
SECURED = Secured("TLSv1.3", "TLS_AES_256_GCM_SHA384")
RESULTS = frozenset(("receipt", "raises"))
CHECKS = frozenset(
    ("reply", "says", "temporary", "permanent", "queue", "attempts", "mechanism", "tls", "log", "unlogged", "sender")
)


def octets(text: str) -> bytes:
    """A text of a dialogue as what is sent."""
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode())


@dataclass
class Plan:
    """What a dialogue says: settings and messages, one list of talk for each connection, what comes of it."""

    place: str
    url: str = URL
    way: str = ""
    strict: bool = True
    whole: bool = False
    nameless: bool = False
    messages: list[Submission] = field(default_factory=list)
    connections: list[list[Line]] = field(default_factory=lambda: [[]])
    checks: list[Line] = field(default_factory=list)

    @classmethod
    def of(cls, dialogue: Dialogue) -> "Plan":
        """Sort the lines of *dialogue*."""
        plan = cls(dialogue.place.partition(":")[0])
        for line in dialogue.lines:
            plan._take(line)
        if not plan.messages and plan.way == "":
            plan.messages = [Submission(MESSAGE, "a@example.org", ["b@example.org"])]
        plan.connections = [talk for talk in plan.connections if talk]
        plan.way = plan.way or ("singly" if len(plan.messages) == 1 else "many")
        return plan

    def at(self, line: Line) -> str:
        return f"{self.place}:{line.number}"

    def _take(self, line: Line) -> None:  # noqa: PLR0912 - one verb, one case
        match line.verb, line.text:
            case "url", url:
                self.url = url
            case "overlapping", _:
                self.strict = False
            case ("whole" | "nameless") as name, _:
                setattr(self, name, True)
            case "message", text:
                content = octets(text.replace("\\n", "\r\n")) if text else MESSAGE
                self.messages.append(Submission(content, "a@example.org", ["b@example.org"]))
            case ("from" | "to" | "options"), _:
                self._describe(line)
            case way, _ if way in WAYS:
                self.way = way
            case "connection", _ if self.connections != [[]]:
                self.connections.append([line])
            case verb, _ if verb in TALK:
                self.connections[-1].append(line)
            case ("hello" | "bye" | "content"), _:
                self.connections[-1] += [Line(line.number, *pair) for pair in self._macro(line)]
            case verb, _ if verb in RESULTS or verb in CHECKS:
                self.checks.append(line)
            case verb, _:
                raise AssertionError(f"{self.at(line)}: unknown verb {verb}")

    def _describe(self, line: Line) -> None:
        """What else there is to say about the last message."""
        if not self.messages:
            self.messages.append(Submission(MESSAGE, "a@example.org", ["b@example.org"]))
        given = {"from": {"sender": line.text}, "to": {"recipients": [octets(word).decode() for word in line.text.split()]}}
        if line.verb == "options":
            given["options"] = {"options": Options(**dict(pair.split("=", 1) for pair in line.text.split()))}
        elif line.verb == "to" and line.text == "header":
            given["to"] = {"recipients": None}
        self.messages[-1] = replace(self.messages[-1], **given[line.verb])

    def _macro(self, line: Line) -> Iterator[tuple[str, str]]:
        if line.verb == "hello":
            yield from (("S:", "220 mail.example.com ESMTP"), ("C:", "EHLO client.example"))
            *more, last = ["mail.example.com", *(word.replace(":", " ") for word in line.text.split())]
            yield from (("S:", f"250-{one}") for one in more)
            yield "S:", f"250 {last}"
        elif line.verb == "bye":
            yield from (("C:", "QUIT"), ("S:", "221 2.0.0 Bye"))
        else:
            yield from (("C:", text) for text in MESSAGE.decode().splitlines())


class Stage:
    """The server's side of all connections of one plan; replies are handed out in pieces of *size* octets (0: whole)."""

    def __init__(self, plan: Plan, size: int) -> None:
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

    def hear(self, timeout: float) -> bytes:
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
            case Line(_, "S:", text) if text.startswith("silent"):
                if text.removeprefix("silent") not in ("", f" {timeout:g}"):
                    self.fail(f"patience for {timeout:g} s")
                self.position += 1
                raise TimeoutError
        self.fail(f"(waiting for a reply, with {self.heard!r} said)")

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
            case ("S:" | "S>") if not line.text.startswith("silent"):
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

    def open(self, endpoint, timeout):
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

    def receive(self, timeout):
        assert not self.talk.closed, "asked for more after the end"
        return self.talk.hear(timeout)

    def start_tls(self, timeout):
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

    async def open(self, endpoint, timeout):
        return super().open(endpoint, timeout)

    async def send(self, data):
        super().send(data)

    async def receive(self, timeout):
        await asyncio.sleep(0)
        return super().receive(timeout)

    async def start_tls(self, timeout):
        return super().start_tls(timeout)

    async def compute(self, function):
        return super().compute(function)

    async def take(self, desk, *, wait):
        return await desk.take(wait=wait)

    async def close(self):
        super().close()

    def abort(self):
        super().close()


@dataclass
class Played:
    """What the caller saw: receipts and errors in their order; and the transcript."""

    results: list[Receipt | ClientError]
    lines: list[str]


def play(plan: Plan, size: int, *, awaited: bool, watched: bool = True) -> Played:
    """Have the conversation by one of the drivers; check that the client says what it must."""
    stage, recorder = Stage(plan, size), Recorder()
    place, kind = "ninsho.client.aio.StreamTransport", AwaitedTransport
    if not awaited:
        place, kind = "ninsho.client.sync.SocketTransport", FakeTransport
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, partial(kind, stage))
        patch.setattr(names, "_known_name", lambda *_: None)
        settings = settings_of(plan)
        results: list[Receipt | ClientError] = []
        if awaited:
            asyncio.run(call_awaited(plan, AsyncClient(settings, transcript=recorder if watched else None), results))
        else:
            call(plan, Client(settings, transcript=recorder if watched else None), results)
    stage.finish()
    return Played(results, recorder.lines)


def settings_of(plan: Plan) -> Settings:
    """The plan's settings: the nonces of mechanisms are those of the RFCs' examples."""
    keywords = {} if plan.nameless or "ehlo_name" in plan.url else {"ehlo_name": "client.example"}
    own = [
        replace(SCRAM_SHA_1, client=partial(SCRAM_SHA_1.client, nonce=lambda: b"fyko+d2lbbFgONRv9qkxdawL")),
        replace(SCRAM_SHA_256, client=partial(SCRAM_SHA_256.client, nonce=lambda: b"rOprNGfwEbeRWgbNEkqO")),
        replace(DIGEST_MD5, client=partial(digest_md5_client, nonce=lambda: b"OA6MHXh6VqTrRk")),
    ]
    return Settings.of(plan.url, mechanisms=own if "@" in plan.url or "token=" in plan.url else None, **keywords)


def call(plan: Plan, client: Client, results: list[Receipt | ClientError]) -> None:
    """What a caller does, blocking."""
    with client:
        try:
            if plan.way == "connect":
                client.connect()
            elif plan.way != "singly":
                messages = plan.messages if plan.way == "many" else iter(plan.messages)
                results.extend(iter(client.send_many(messages)))
        except ClientError as error:
            results.append(error)
        for message in plan.messages if plan.way == "singly" else ():
            try:
                results.append(client.send(message))
            except ClientError as error:
                results.append(error)


async def call_awaited(plan: Plan, client: AsyncClient, results: list[Receipt | ClientError]) -> None:
    """The same in an event loop."""
    async with client:
        try:
            if plan.way == "connect":
                await client.connect()
            elif plan.way != "singly":
                messages = plan.messages if plan.way == "many" else iter(plan.messages)
                async for receipt in client.send_many(messages):
                    results.append(receipt)
        except ClientError as error:
            results.append(error)
        for message in plan.messages if plan.way == "singly" else ():
            try:
                results.append(await client.send(message))
            except ClientError as error:
                results.append(error)


def check(plan: Plan, played: Played) -> None:
    """Compare what the caller saw with what the dialogue says."""
    results = list(played.results)
    seen: Receipt | ClientError | None = None
    for line in plan.checks:
        if line.verb == "raises" or (line.verb == "receipt" and not _is_its_own(seen)):
            assert results, f"{plan.at(line)}: expected {line.verb} {line.text}, got nothing more"
            seen = results.pop(0)
        _check(plan, line, seen, played)
        if line.verb == "receipt" and isinstance(seen, ClientError):
            seen = seen.receipt
    assert not results, f"{plan.place}: more than expected: {[*map(picture, results)]}"


def _is_its_own(seen: Receipt | ClientError | None) -> bool:
    return isinstance(seen, ClientError) and seen.receipt is not None


def _check(plan: Plan, line: Line, seen: Receipt | ClientError | None, played: Played) -> None:
    place, receipt = plan.at(line), getattr(seen, "receipt", None) or seen
    found: object
    match line.verb:
        case "raises":
            found = type(seen).__name__ if isinstance(seen, ClientError) else picture(seen)
        case "receipt":
            assert isinstance(receipt, Receipt), f"{place}: {picture(seen)}"
            found = " ".join(fate.outcome.value for fate in receipt.fates)
        case "reply":
            found = str(seen.reply)
        case "temporary" | "permanent":
            assert getattr(seen, line.verb), f"{place}: {picture(seen)}"
            found = line.text
        case "queue":
            found = receipt.queue_id
        case "attempts" | "sender":
            found = str(getattr(receipt, line.verb))
        case "mechanism" | "tls":
            found = getattr(receipt.via, line.verb)
        case "says":
            assert line.text in str(seen), f"{place}: {seen}"
            return
        case "log":
            assert line.text in played.lines, f"{place}: expected {line.text!r}, got {played.lines}"
            return
        case "unlogged":
            assert line.text not in everything(played), f"{place}: {everything(played)}"
            return
    assert found == line.text, f"{place}: expected {line.verb} {line.text}, got {found}: {picture(seen)}"


def picture(result: Receipt | ClientError | None) -> tuple[object, ...]:
    """All there is to see in a result, to be compared."""
    if isinstance(result, Receipt):
        fates = [(fate.recipient, fate.outcome.value, str(fate.reply), fate.stage.value) for fate in result.fates]
        flags = {name for name in ("ok", "temporary", "permanent") if getattr(result, name)}
        return (fates, flags, tuple(result.via), result.attempts, repr(result.error))
    if result is None:
        return ()
    return (type(result).__name__, str(result), result.temporary, picture(result.receipt))


def everything(played: Played) -> str:
    """All that may come to be seen by others than the caller."""
    shown = [*played.lines]
    for result in played.results:
        error = result.error if isinstance(result, Receipt) else result
        shown += [repr(result), str(result)]
        shown += traceback.format_exception(error) if error else []
    return "\n".join(shown)


def secrets_of(settings: Settings) -> list[str]:
    """What must never be seen."""
    login = settings.login
    words = [word for word in (login and login.password, login and login.token) if isinstance(word, str) and word]
    return [form for word in words for form in (word, b64encode(word.encode()).decode())]
