"""What shall go wrong: faults, each at an event of the talk, and cuts, each at an octet."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias, TypedDict, Unpack

EVENTS = frozenset(
    (
        "greeting",  # the connection is open
        *("EHLO", "HELO", "LHLO", "STARTTLS", "MAIL", "RCPT", "DATA", "BDAT", "RSET", "NOOP", "VRFY", "HELP", "QUIT"),
        "AUTH",  # the command, with the initial response if there is one
        "response",  # a client's answer to a challenge
        "content",  # the first octets behind DATA, to which there is no reply
        # The end of a message: the final dot, or in place of BDAT its last chunk; with LMTP once for each recipient.
        "dot",
        "unknown",  # a command that the server does not know
        "any",  # each of these to which there is a reply
    )
)
_REPLY = re.compile(r"([2-5][0-9]{2})(?: |$)")

When: TypeAlias = Callable[[str], bool]
Side: TypeAlias = Literal["client", "server"]


class Matching(TypedDict, total=False):
    """Which events a fault is for.

    ``when`` is told the address (MAIL, RCPT; at the dot the sender, or with LMTP the recipient), the mechanism (AUTH,
    response) or the command's argument. The first ``skip`` events pass, then ``times`` are faulty (None: all).
    ``connection`` is the number of one connection, counted from 1.
    """

    when: When | None
    skip: int
    times: int | None
    connection: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong at an event of ``EVENTS``; see ``Matching`` for which.

    ``reply`` (code, a space, text; several lines of text with line feeds) is sent in place of the server's own, and
    what the command asks for happens if its code is below 400. ``octets`` are sent in place of any reply, ``before``
    and ``behind`` around it, all in one write. ``delay`` is how many seconds the reply waits. ``silent``: there is no
    reply, and the connection stays open. ``drop`` hangs up ``at`` the event, in place of the reply, or ``after`` it;
    with ``reset`` by RST. ``taken``: what the command asked for has happened though nobody was told.
    """

    at: str
    reply: str = ""
    octets: bytes | None = None
    before: bytes = b""
    behind: bytes = b""
    delay: float = 0
    silent: bool = False
    drop: Literal["", "at", "after"] = ""
    reset: bool = False
    taken: bool = False
    when: When | None = None
    skip: int = 0
    times: int | None = None
    connection: int | None = None

    def __post_init__(self) -> None:
        if self.at not in EVENTS:
            raise ValueError(f"fault: expected an event, one of {', '.join(sorted(EVENTS))}, got {self.at!r}")
        if self.reply and not _REPLY.match(self.reply):
            raise ValueError(f"fault at {self.at}: expected a reply such as '452 4.5.3 too many', got {self.reply!r}")
        if self.reply and self.at == "content":
            raise ValueError("fault at content: expected none that replies, as nothing there is replied to")

    def fits(self, event: str, text: str, connection: int) -> bool:
        """Whether it is for this event, how often that may have come aside."""
        return (
            (self.at == event or (self.at == "any" and event != "content"))
            and self.connection in {None, connection}
            and (self.when is None or self.when(text))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """The connection breaks once *after* octets of one side have passed, TLS taken off; see ``Matching`` for which."""

    after: int
    of: Side = "client"
    reset: bool = False
    skip: int = 0
    times: int | None = None
    connection: int | None = None


class _Armed:
    """A fault or a cut, and how often it has still to wait and to strike."""

    def __init__(self, what: Fault | Cut) -> None:
        self.what = what
        self._skip = what.skip
        self._left = what.times

    def strikes(self) -> bool:
        if self._skip:
            self._skip -= 1
            return False
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0


class Faults:
    """The faults of a server; of several for one event, the one that was added first strikes."""

    def __init__(self) -> None:
        self._armed: list[_Armed] = []
        self._lock = Lock()

    def add(self, what: Fault | Cut) -> None:
        """Add a fault or a cut, from now on."""
        with self._lock:
            self._armed.append(_Armed(what))

    def fail(self, at: str, code: int, text: str = "", *, delay: float = 0, **which: Unpack[Matching]) -> None:
        """Reply with *code* and *text* at an event; what was asked for happens if the code is below 400."""
        self.add(Fault(at=at, reply=f"{code} {text}", delay=delay, **which))

    def drop(
        self, *, at: str = "", after: str = "", taken: bool = False, reset: bool = False, **which: Unpack[Matching]
    ) -> None:
        """Hang up *at* an event, before its reply (*taken*: with its effect all the same), or *after* its reply."""
        if bool(at) == bool(after):
            raise ValueError("drop: expected either at= or after=")
        self.add(Fault(at=at or after, drop="at" if at else "after", taken=taken, reset=reset, **which))

    def delay(self, at: str, seconds: float, **which: Unpack[Matching]) -> None:
        """Let the reply wait."""
        self.add(Fault(at=at, delay=seconds, **which))

    def silence(self, at: str, *, taken: bool = False, **which: Unpack[Matching]) -> None:
        """Never reply, and leave the connection open."""
        self.add(Fault(at=at, silent=True, taken=taken, **which))

    def garble(
        self,
        at: str,
        *,
        before: bytes = b"",
        instead: bytes | None = None,
        behind: bytes = b"",
        **which: Unpack[Matching],
    ) -> None:
        """Send octets that are no reply, or that nobody asked for; at STARTTLS those *behind* are clear text."""
        self.add(Fault(at=at, octets=instead, before=before, behind=behind, **which))

    def cut(
        self,
        *,
        after: int,
        of: Side = "client",
        reset: bool = False,
        times: int | None = None,
        connection: int | None = None,
    ) -> None:
        """Break connections that are opened from now on, once *after* octets of one side have passed."""
        self.add(Cut(after=after, of=of, reset=reset, times=times, connection=connection))

    def forgive(self) -> None:
        """Let nothing go wrong any more."""
        with self._lock:
            self._armed.clear()

    def match(self, event: str, text: str, connection: int) -> Fault | None:
        """The fault that strikes at this event; it has struck once more then."""
        with self._lock:
            for armed in self._armed:
                fault = armed.what
                if isinstance(fault, Fault) and fault.fits(event, text, connection) and armed.strikes():
                    return fault
        return None

    def cut_of(self, side: Side, connection: int) -> Cut | None:
        """The cut that a new connection is to suffer; it has struck once more then."""
        with self._lock:
            for armed in self._armed:
                cut = armed.what
                if isinstance(cut, Cut) and cut.of == side and cut.connection in {None, connection} and armed.strikes():
                    return cut
        return None
