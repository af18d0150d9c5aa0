"""SMTP as octets (RFC 5321): replies read, command lines written."""

import re
from typing import NamedTuple, cast

from ninsho.errors import ProtocolError

# RFC 5321 §4.5.3.1.5 has 512; real servers put whole paragraphs and base64 challenges on one line.
LINE_LIMIT = 16_384  # octets; RFC 4954 §4 lets a challenge have 12,288
REPLY_LIMIT = 262_144  # octets of one reply, all its lines
LINES_LIMIT = 1024  # of one reply
COMMAND_LIMIT = 512  # octets with CRLF (RFC 5321 §4.5.3.1.4)

# RFC 5321 §4.2: a code, then a space, a hyphen where more follows, or nothing. A tab is seen in the wild.
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ \t-])(.*))?", re.DOTALL)
# RFC 3463 §2: class, subject, detail.
_ENHANCED = re.compile(rb"([245])\.([0-9]{1,3})\.([0-9]{1,3})(?: |$)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_UNSAFE = re.compile(rb"[\x00\r\n]")


class Reply(NamedTuple):
    """A reply: its code, and the text of each of its lines.

    ``text`` is for people: decoded, control characters escaped, lines joined by line feeds.
    """

    code: int
    lines: tuple[bytes, ...] = (b"",)

    @property
    def text(self) -> str:
        """The text as people may see it; what is not UTF-8 or printable is escaped."""
        return "\n".join(shown(line) for line in self.lines)

    @property
    def enhanced_code(self) -> str:
        """The enhanced status code (RFC 2034), such as ``5.7.8``; empty where there is none that fits."""
        found = _ENHANCED.match(self.lines[0])
        if found and found[1] == b"%d" % (self.code // 100):
            return found[0].decode().rstrip()
        return ""

    @property
    def positive(self) -> bool:
        """Whether it is a success (2xx)."""
        return 200 <= self.code < 300

    @property
    def temporary(self) -> bool:
        """Whether the same may succeed later (4xx)."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """Whether the same will fail again (5xx)."""
        return self.code >= 500

    def __str__(self) -> str:
        return f"{self.code} {' '.join(self.text.split(chr(10)))}".rstrip()


class Replies:
    """Reads replies out of octets; what has been fed and not yet read is ``pending``."""

    def __init__(self) -> None:
        self._rest = b""
        self._lines: list[bytes] = []
        self._size = 0
        # Most replies of one line say what others have said: to read one again takes 0.3 µs instead of 1.1.
        self._known: dict[bytes, Reply] = {}

    @property
    def pending(self) -> bool:
        """Whether octets wait here that nobody has read."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> None:
        """Take what the server has sent."""
        self._rest = self._rest + data if self._rest else data

    def next(self) -> Reply | None:
        """Return the next whole reply, None where more octets are needed; raise ``ProtocolError`` for what is none."""
        while True:
            line, feed, rest = self._rest.partition(b"\n")
            if not feed:
                self._check(line)
                return None
            self._rest = rest
            if not self._lines and (known := self._known.get(line)) is not None:
                return known
            self._check(line)
            if (reply := self._take(line.removesuffix(b"\r"))) is not None:
                return reply

    def successes(self, count: int) -> list[Reply] | None:
        """Return the next *count* replies if all have come and each is one, below 400, that has been seen before."""
        *lines, rest = self._rest.split(b"\n", count)
        if len(lines) < count or self._lines:
            return None
        replies = [self._known.get(line) for line in lines]
        # Only the last may be anything but a success: that of DATA.
        if None in replies or any(reply.code >= 300 for reply in cast("list[Reply]", replies[:-1])):
            return None
        self._rest = rest
        return cast("list[Reply]", replies)

    def _take(self, line: bytes) -> Reply | None:
        if (match := _LINE.fullmatch(line)) is None:
            raise ProtocolError(f"not an SMTP reply: {shown(line[:80])!r}")
        code, separator, text = match.groups()
        if separator == b"-":
            self._lines.append(text)
            self._size += len(line)
            if len(self._lines) > LINES_LIMIT or self._size > REPLY_LIMIT:
                raise ProtocolError(f"expected a reply of at most {LINES_LIMIT} lines and {REPLY_LIMIT} octets")
            return None
        # RFC 5321 §4.2.1: all lines have the same code. Where they have not, the last is the one that ends it.
        lines = (*self._lines, text or b"")
        reply = Reply(int(code), lines)
        if self._lines:
            self._lines, self._size = [], 0
        elif reply.code < 400 and len(line) < 64 and len(self._known) < 64:
            self._known[line + b"\r"] = reply
        return reply

    def _check(self, line: bytes) -> None:
        if len(line) > LINE_LIMIT:
            raise ProtocolError(f"expected reply lines of at most {LINE_LIMIT} octets, got one of {len(line)} or more")


def command(verb: str, *arguments: str) -> bytes:
    """Return a command line; raise ``ValueError`` for what would become more than one (CR, LF, NUL)."""
    line = " ".join((verb, *(argument for argument in arguments if argument))).encode()
    if _UNSAFE.search(line):
        raise ValueError(f"{verb}: expected no CR, LF or NUL in an argument, got one")
    return line + b"\r\n"


def shown(octets: bytes) -> str:
    """Return what a server sent as text that can be printed: one line, control characters escaped."""
    text = octets.decode("utf-8", "backslashreplace")
    return text if text.isprintable() else _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)
