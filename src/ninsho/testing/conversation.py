"""One client's talk with the server: who it is, what it is offered, how replies and faults go out."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event
from typing import Literal, TypeAlias

from ninsho.sasl.mechanism import Mechanism
from ninsho.testing.accounts import Accounts
from ninsho.testing.certificates import Certificate
from ninsho.testing.extensions import UNDER_TLS
from ninsho.testing.faults import Fault, Faults
from ninsho.testing.received import Ledger
from ninsho.testing.stream import Stream
from ninsho.wire.smtp import Reply

TLSMode: TypeAlias = Literal["none", "starttls", "implicit"]
Protocol: TypeAlias = Literal["smtp", "lmtp"]

# RFC 2920 §3.1, and RFC 4954 §4 and RFC 3207 §4 for their own.
LAST_OF_GROUP = frozenset(("EHLO", "HELO", "LHLO", "STARTTLS", "AUTH", "response", "DATA", "VRFY", "NOOP", "QUIT"))
CLOSING = frozenset((221, 421))
# So long a client is silent that waits for a reply, and is not just writing.
SILENCE = 0.1  # seconds
_ENHANCED = re.compile(rb"[245]\.[0-9]{1,3}\.[0-9]{1,3} ?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a server is like; see ``MailServer``."""

    protocol: Protocol = "smtp"
    tls: TLSMode = "none"
    certificate: Certificate | None = None
    accounts: Accounts
    mechanisms: Callable[[bool, bool], Mapping[str, Mechanism]]
    without: frozenset[str] = frozenset()
    extensions: Mapping[str, str] = field(default_factory=dict)
    size_limit: int = 0
    limits: Mapping[str, int] = field(default_factory=dict)
    require_auth: bool = False
    require_tls: bool = False
    protect_passwords: bool = False
    hostname: str = "localhost"


@dataclass(frozen=True, slots=True)
class Site:
    """What all connections of a server share; ``stopping`` is set when it stops."""

    options: Options
    faults: Faults
    ledger: Ledger
    stopping: Event


class Conversation:
    """The talk on one connection; ``hello`` is the client's name, empty until it has said it."""

    def __init__(self, stream: Stream, site: Site, number: int) -> None:
        self.stream = stream
        self.options = site.options
        self.ledger = site.ledger
        self.number = number
        self.hello = ""
        self.extended = False
        self.mechanism: str | None = None
        self.username: str | None = None
        # Whether the client had nothing more to say before it read the reply that refused a chunk.
        self.waited_for = False
        self._faults = site.faults
        self._stopping = site.stopping

    @property
    def mechanisms(self) -> Mapping[str, Mechanism]:
        """The mechanisms that are offered now."""
        tls = self.stream.tls
        certified = tls is not None and bool(tls.getpeercert())
        return self.options.mechanisms(tls is not None, certified)

    def offered(self) -> dict[str, str]:
        """The extensions that are offered now, each with its argument."""
        options, secure = self.options, self.stream.tls is not None
        found = dict.fromkeys(("PIPELINING", "8BITMIME", "SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING"), "")
        found["SIZE"] = str(options.size_limit) if options.size_limit else ""
        if "CHUNKING" not in options.without:
            found["BINARYMIME"] = ""
        if options.tls == "starttls" and not secure:
            found["STARTTLS"] = ""
        if mechanisms := self.mechanisms:
            found["AUTH"] = " ".join(mechanisms)
        if options.limits:
            found["LIMITS"] = " ".join(f"{name}={value}" for name, value in options.limits.items())
        found |= {name: value for name, value in options.extensions.items() if secure or name not in UNDER_TLS}
        return {name: value for name, value in found.items() if name not in options.without}

    def answer(self, event: str, text: str, code: int, *lines: str, effect: Callable[[], None] | None = None) -> int:
        """Reply to an event, or do what a fault says; let *effect* happen if the reply is good. Return its code."""
        self._check_group(event)
        fault = self._faults.match(event, text, self.number)
        reply = _reply(code, lines) if fault is None or not fault.reply else _parsed(fault.reply)
        silenced = fault is not None and (fault.silent or fault.drop == "at")
        happens = fault.taken if fault is not None and silenced else reply.code < 400
        # Before the reply: who has read that may look for what has happened.
        if happens and effect is not None:
            effect()
        if event == "BDAT" and reply.code >= 400:
            self.waited_for = not self.stream.pending(SILENCE)
        if fault is None:
            self.stream.send(self._octets(reply))
        else:
            self._misbehave(fault, self._octets(reply))
        if reply.code in CLOSING:
            self.stream.finish()
        return reply.code

    def strike(self, event: str) -> None:
        """Let a fault strike at an event that has no reply."""
        fault = self._faults.match(event, "", self.number)
        if fault is not None:
            self._misbehave(fault, b"")

    def violation(self, text: str) -> None:
        """Record what the client may not do."""
        self.ledger.violations.append(f"connection {self.number}: {text}")

    def _misbehave(self, fault: Fault, reply: bytes) -> None:
        if fault.delay:
            self._stopping.wait(fault.delay)
        if fault.silent:
            self.stream.silence()
        if fault.drop == "at":
            self.stream.cut(reset=fault.reset)
        self.stream.send(fault.before + (reply if fault.octets is None else fault.octets) + fault.behind)
        if fault.drop == "after":
            self.stream.cut(reset=fault.reset)

    def _check_group(self, event: str) -> None:
        if not self.stream.pending():
            return
        if event == "greeting":
            self.violation("greeting: expected the server to speak first (RFC 5321 §3.1)")
        elif event in LAST_OF_GROUP:
            self.violation(f"{event}: expected the last of a group (RFC 2920 §3.1), got octets behind it")
        elif not self.extended or "PIPELINING" not in self.offered():
            self.violation(f"{event}: octets behind it, and PIPELINING is not offered")

    def _octets(self, reply: Reply) -> bytes:
        lines = reply.lines
        if "ENHANCEDSTATUSCODES" in self.options.without:
            lines = tuple(_ENHANCED.sub(b"", line, count=1) for line in lines)
        *first, last = lines
        return b"".join(b"%d-%b\r\n" % (reply.code, line) for line in first) + b"%d %b\r\n" % (reply.code, last)


def _reply(code: int, lines: tuple[str, ...]) -> Reply:
    return Reply(code, tuple(line.encode() for line in lines) or (b"",))


def _parsed(text: str) -> Reply:
    code, _, rest = text.partition(" ")
    return Reply(int(code), tuple(rest.encode().split(b"\n")))
