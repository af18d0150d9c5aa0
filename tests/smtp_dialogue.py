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
    nameless                           nobody knows what this machine is called

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
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import pytest

from dialogue import Dialogue, Line
from ninsho import AsyncClient, Client, Submission
from ninsho.client import names
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Retry, Settings
from ninsho.client.transcript import Recorder
from ninsho.errors import ClientError
from ninsho.mail.options import Options
from ninsho.sasl.digest_md5 import DIGEST_MD5, digest_md5_client
from ninsho.sasl.scram import SCRAM_SHA_1, SCRAM_SHA_256
from smtp_stage import AwaitedTransport, FakeTransport, Stage, octets

URL = "smtp://mail.example.com:25?tls=none"
MESSAGE = b"Subject: hi\r\n\r\nhello\r\n"
WAYS = frozenset(("singly", "many", "generator", "connect"))
TALK = frozenset(("C:", "C>", "S:", "S>", "TLS", "rest", "connection"))
RESULTS = frozenset(("receipt", "raises"))
CHECKS = frozenset(
    ("reply", "says", "temporary", "permanent", "queue", "attempts", "mechanism", "tls", "log", "unlogged", "sender")
)


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

    def _take(self, line: Line) -> None:
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
            case (("from" | "to" | "options"), _):
                self._describe(line)
            case way, _ if way in WAYS:
                self.way = way
            case "connection", _ if self.connections != [[]]:
                self.connections.append([line])
            case verb, _ if verb in TALK:
                self.connections[-1].append(line)
            case (("hello" | "bye" | "content"), _):
                self.connections[-1] += [Line(line.number, *pair) for pair in self._macro(line)]
            case verb, _ if verb in RESULTS or verb in CHECKS:
                self.checks.append(line)
            case verb, _:
                raise AssertionError(f"{self.at(line)}: unknown verb {verb}")

    def _describe(self, line: Line) -> None:
        """What else there is to say about the last message."""
        if not self.messages:
            self.messages.append(Submission(MESSAGE, "a@example.org", ["b@example.org"]))
        given = {
            "from": {"sender": line.text},
            "to": {"recipients": [octets(word).decode() for word in line.text.split()]},
        }
        if line.verb == "options":
            pairs = (pair.split("=", 1) for pair in line.text.split())
            options = {name: int(value) if value.isdigit() else value for name, value in pairs}
            given["options"] = {"options": Options(**options)}
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
    keywords: dict[str, object] = {}
    if not (plan.nameless or "ehlo_name" in plan.url):
        keywords["ehlo_name"] = "client.example"
    own = [
        replace(SCRAM_SHA_1, client=partial(SCRAM_SHA_1.client, nonce=lambda: b"fyko+d2lbbFgONRv9qkxdawL")),
        replace(SCRAM_SHA_256, client=partial(SCRAM_SHA_256.client, nonce=lambda: b"rOprNGfwEbeRWgbNEkqO")),
        replace(DIGEST_MD5, client=partial(digest_md5_client, nonce=lambda: b"OA6MHXh6VqTrRk")),
    ]
    # Nobody waits for long.
    keywords["retry"] = Retry(first_delay=0.001)
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
                    results.append(receipt)  # noqa: PERF401 - those before an error count
        except ClientError as error:
            results.append(error)
        for message in plan.messages if plan.way == "singly" else ():
            try:
                results.append(await client.send(message))
            except ClientError as error:
                results.append(error)
