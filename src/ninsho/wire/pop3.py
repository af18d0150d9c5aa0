"""POP3 as octets (RFC 1939): responses read as SMTP's replies are, capabilities, APOP's timestamp and its digest.

A response is a ``Reply`` whose code is the one that SMTP would have for it, and whose text begins with the ``+OK`` or
``-ERR`` that was said.
"""

import hashlib
import re
from typing import Final

from ninsho.errors import ProtocolError
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import LINES_LIMIT, REPLY_LIMIT, Replies, Reply, shown

COMMAND_LIMIT = 255  # octets with CRLF (RFC 2449 §4)
# SMTP's words for what POP3 says: a greeting, success at AUTH or anything else, a challenge of it, a wrong password.
GREETING, SUCCESS, CHALLENGE, FAILURE = 220, 235, 334, 535
# RFC 3206 §4, RFC 2449 §8: the same may succeed later, or is not about the password.
_RESPONSE_CODES: Final = {
    b"IN-USE": 450,
    b"LOGIN-DELAY": 450,
    b"SYS/TEMP": 454,
    b"SYS/PERM": 554,
    b"AUTH": FAILURE,
}
_RESPONSE_CODE: Final = re.compile(rb"-ERR \[([A-Z/-]+)", re.IGNORECASE)
# RFC 822 §6.1: msg-id. One with other characters may be made to guess the password by (CVE-2007-1558).
_ATOM: Final = rb"[!#-'*+/-9=?A-Z^-~-]+"
_TIMESTAMP: Final = re.compile(rb"<%b(?:\.%b)*@(?:%b(?:\.%b)*|\[[!-Z^-~]+\])>" % (_ATOM, _ATOM, _ATOM, _ATOM), re.ASCII)


class Responses(Replies):
    """Reads responses out of octets; after ``expect_list`` a positive one has lines, until a lone dot."""

    def __init__(self) -> None:
        super().__init__()
        self._success = GREETING
        self._listing = False

    def expect_list(self) -> None:
        """Take the next response for one of several lines (RFC 1939 §3)."""
        self._listing = True

    def _take(self, line: bytes) -> Reply | None:
        if self._lines:
            return self._listed(line)
        status, _, text = line.partition(b" ")
        match status.upper():
            case b"+":
                return Reply(CHALLENGE, (text,))
            case b"+OK" if self._listing:
                self._lines.append(line)
                return None
            case b"+OK":
                code, self._success = self._success, SUCCESS
                return Reply(code, (line,))
            case b"-ERR":
                self._listing = False
                return Reply(_code(line), (line,))
        raise ProtocolError(f"not a POP3 response: {shown(line[:80])!r}")

    def _listed(self, line: bytes) -> Reply | None:
        if line != b".":
            self._lines.append(line.removeprefix(b"."))
            self._size += len(line)
            if len(self._lines) > LINES_LIMIT or self._size > REPLY_LIMIT:
                raise ProtocolError(f"expected a response of at most {LINES_LIMIT} lines and {REPLY_LIMIT} octets")
            return None
        lines, self._lines, self._size, self._listing = tuple(self._lines), [], 0, False
        return Reply(SUCCESS, lines)


def _code(line: bytes) -> int:
    match = _RESPONSE_CODE.match(line)
    return _RESPONSE_CODES.get(match[1].upper(), FAILURE) if match else FAILURE


def capabilities(reply: Reply) -> Capabilities:
    """Read the response to CAPA (RFC 2449 §5); ``mechanisms`` are those of its SASL line."""
    rows = [shown(line).split() for line in reply.lines[1:]]
    extensions = {row[0].upper(): tuple(row[1:]) for row in rows if row}
    return Capabilities("", extensions, tuple(name.upper() for name in extensions.get("SASL", ())))


def timestamp(greeting: Reply) -> bytes:
    """Return the timestamp of a *greeting*, which APOP needs (RFC 1939 §7); empty where none is there that is good."""
    found = [word for word in greeting.lines[0].split() if word.startswith(b"<")]
    return found[0] if len(found) == 1 and _TIMESTAMP.fullmatch(found[0]) else b""


def digest(stamp: bytes, password: str) -> bytes:
    """Return what APOP sends for a *password* (RFC 1939 §7)."""
    return hashlib.md5(stamp + password.encode(), usedforsecurity=False).hexdigest().encode()
