"""Dialogue files: conversations of the authentication protocol, which one can read aloud and which run as tests.

::

    == LOGIN answers both prompts (26)
    minor 2                     the client speaks protocol 1.2 (default: 1.0, as Postfix and Exim)
    handshake 1.3               the server greets with 1.3 (default: 1.2)
    masters                     masters may act as others
    C: AUTH 1 LOGIN service=smtp
    S: CONT 1 VXNlcm5hbWU6
    wait 2.5                    time goes by
    down                        the store cannot tell; `slow`: it takes time; `muddled`: it breaks; `up`: as before
    settle                      a slow answer arrives
    S: closed                   the server has closed the connection
    C: closed                   the client has

A space stands for a tab, ``\\_`` for a space, ``""`` at the end for an empty last field; ``\\xNN`` are octets.
``S: nothing`` says that the server is silent.
"""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple

from ninsho.daemon.connection import Connection
from ninsho.daemon.journal import Journal
from ninsho.daemon.judgement import Rules
from ninsho.daemon.policy import Desk, Policy
from ninsho.errors import StoreUnavailable
from ninsho.sasl.registry import mechanisms
from ninsho.stores.accounts import Account
from ninsho.stores.memory import Memory
from ninsho.stores.passwords import Passwords
from ninsho.stores.user_base import UserBase

ACCOUNTS = {
    account.name: account
    for account in (
        Account("u", ("{PLAIN}p",)),
        Account("tim", ("{PLAIN}tanstaaftanstaaf",)),
        Account("Ali Baba", ("{PLAIN}Open, Sesame",)),
        Account("hashed", ("{SSHA}aqpvaR1vZ2pR1yZ3nYJ8bbWSUYFzYWx0",)),
        Account("disabled", ("{PLAIN}p",), disabled=True),
        Account("expired", ("{PLAIN}p",), expires=1.0),
        Account("local", ("{PLAIN}p",), networks=(ip_network("192.0.2.0/24"),)),
        Account("broken", ("{NONSENSE}p",)),
        Account("keyless"),
        Account("mixed", ("{NONSENSE}x", "{PLAIN}tanstaaftanstaaf")),
        Account("boss", ("{PLAIN}p",), master=True),
        Account("exboss", ("{PLAIN}p",), master=True, disabled=True),
        # RFC 5802 §5.
        Account(
            "user",
            ("{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",),
        ),
    )
}


class Line(NamedTuple):
    number: int
    verb: str
    text: str


@dataclass
class Dialogue:
    name: str
    place: str
    lines: list[Line] = field(default_factory=list)


def read(path: Path) -> Iterator[Dialogue]:
    """The dialogues of a file."""
    dialogue = None
    for number, raw in enumerate(path.read_text().splitlines(), 1):
        line = raw.split("  # ")[0].strip()
        if line.startswith("=="):
            if dialogue is not None:
                yield dialogue
            dialogue = Dialogue(line[2:].strip(), f"{path.name}:{number}")
        elif line and not line.startswith("#"):
            assert dialogue is not None, f"{path.name}:{number}: expected == and a name first"
            verb, _, text = line.partition(" ")
            dialogue.lines.append(Line(number, verb, text))
    if dialogue is not None:
        yield dialogue


def wire(text: str) -> bytes:
    """A line of a dialogue as the octets that are sent."""
    line = re.sub(r'(^| )""$', r"\1", text).replace(" ", "\t").replace("\\_", " ")
    return re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), line.encode())


class FakeTimer:
    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class FakeShell:
    """A world in which time goes by only when told."""

    def __init__(self) -> None:
        self.sent = b""
        self.writes: list[bytes] = []
        self.closed = False
        self.time = 1000.0
        self.held: list[tuple[float, Callable[[], None], FakeTimer]] = []
        self.waiting: list[tuple[Awaitable[Any], float, Callable[[Any, BaseException | None], None], FakeTimer]] = []

    def now(self) -> float:
        return self.time

    def send(self, data: bytes) -> None:
        assert not self.closed, f"sent after close: {data!r}"
        self.sent += data
        self.writes.append(data)

    def close(self) -> None:
        self.closed = True

    def wait(self, awaitable, seconds, done) -> FakeTimer:
        timer = FakeTimer()
        self.waiting.append((awaitable, self.time + seconds, done, timer))
        return timer

    def hold(self, due, release) -> FakeTimer:
        timer = FakeTimer()
        self.held.append((due, release, timer))
        return timer

    def elapse(self, seconds: float) -> None:
        self.time += seconds
        due = [entry for entry in self.held if entry[0] <= self.time]
        self.held = [entry for entry in self.held if entry[0] > self.time]
        for _, release, timer in due:
            if not timer.cancelled:
                release()
        for entry in [entry for entry in self.waiting if entry[1] <= self.time]:
            self.waiting.remove(entry)
            entry[0].close()
            if not entry[3].cancelled:
                entry[2](None, TimeoutError())

    def settle(self) -> None:
        awaitable, _, done, timer = self.waiting.pop(0)
        result, error = None, None
        try:
            awaitable.send(None)
        except StopIteration as end:
            result = end.value
        except Exception as problem:  # noqa: BLE001 - whatever the store raises
            error = problem
        if not timer.cancelled:
            done(result, error)


class FakeStore:
    """A store that can be slow, or down."""

    def __init__(self) -> None:
        self.mode = "up"
        self.asked: list[str] = []

    def find(self, username: str) -> "Account | Awaitable[Account | None] | None":
        self.asked.append(username)
        if self.mode == "slow":
            return self._slowly(username)
        return self._now(username)

    async def _slowly(self, username: str) -> Account | None:
        return self._now(username)

    def _now(self, username: str) -> Account | None:
        if self.mode == "down":
            raise StoreUnavailable("the store is down")
        if self.mode == "muddled":
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "the store's own text")
        return ACCOUNTS.get(username)


class Scene:
    """A connection with the world around it."""

    def __init__(self, *, own=(), **policy) -> None:
        self.shell = FakeShell()
        self.store = FakeStore()
        self.log: list[str] = []
        user_base = UserBase([self.store], Passwords(Memory(60)))
        self.policy = Policy(mechanisms(own), user_base, Journal(self.log.append), **policy)
        self.connection = Connection(self.shell, Desk(self.policy))
        self.connection.opened()
        self.greeting, self.shell.sent = self.shell.sent, b""

    def say(self, data: bytes, chunk: int = 0) -> None:
        for start in range(0, len(data), chunk or len(data)):
            if not self.shell.closed:
                self.connection.received(data[start : start + (chunk or len(data))])

    def hear(self) -> list[bytes]:
        sent, self.shell.sent = self.shell.sent, b""
        return sent.split(b"\n")[:-1] if sent else []


def play(dialogue: Dialogue, chunk: int = 0, **scene_options) -> Scene:  # noqa: PLR0912 - one verb, one case
    """Run a dialogue, its client's lines cut into pieces of *chunk* octets (0: those in a row are sent at once)."""
    settings = {line.verb: line.text for line in dialogue.lines}
    if "handshake" in settings:
        scene_options["minor"] = int(settings["handshake"].partition(".")[2])
    if "masters" in settings:
        scene_options["rules"] = Rules(masters=True)
    scene = Scene(**scene_options)
    if not any(line.text.startswith("VERSION") for line in dialogue.lines):
        scene.say(b"VERSION\t1\t%s\nCPID\t7\n" % settings.get("minor", "0").encode(), chunk)
        scene.greeting += scene.shell.sent
        scene.shell.sent = b""
    heard: list[bytes] = []
    unsaid = b""
    for line in dialogue.lines:
        place = f"{dialogue.place.partition(':')[0]}:{line.number}"
        if line.verb == "C:" and line.text != "closed":
            unsaid += wire(line.text) + b"\n"
            continue
        if line.verb == "C>":
            unsaid += wire(line.text)
            continue
        if unsaid:
            scene.say(unsaid, chunk)
            unsaid = b""
        heard += scene.hear()
        match line.verb, line.text:
            case "minor" | "handshake" | "masters", _:
                pass
            case "C:", "closed":
                scene.connection.lost()
            case "S:", "closed":
                assert scene.shell.closed, f"{place}: expected a closed connection, heard {heard}"
            case "S:", "nothing":
                assert not heard, f"{place}: expected silence, heard {heard}"
                assert not scene.shell.closed, f"{place}: the connection was closed"
            case "S:", text:
                assert heard, f"{place}: expected {wire(text)!r}, heard nothing"
                assert heard.pop(0) == wire(text), place
            case "wait", seconds:
                scene.shell.elapse(float(seconds))
            case "settle", _:
                scene.shell.settle()
            case ("up" | "down" | "slow" | "muddled") as mode, _:
                scene.store.mode = mode
            case verb, _:
                raise AssertionError(f"{place}: unknown verb {verb}")
    if unsaid:
        scene.say(unsaid, chunk)
    heard += scene.hear()
    assert not heard, f"{dialogue.place}: more than expected: {heard}"
    return scene
