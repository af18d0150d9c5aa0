"""What a POP3 server sends of a maildrop (RFC 1939 §5): contents in octets as they are, listings."""

import re
from typing import Final

from ninsho.errors import ProtocolError
from ninsho.wire.pop3 import Responses
from ninsho.wire.smtp import shown

_END: Final = b"\r\n.\r\n"
_EMPTY: Final = b".\r\n"
_SIZE: Final = re.compile(rb"([0-9]{1,10}) +([0-9]{1,15})(?: .*)?")
# RFC 1939 §7: one to seventy characters of 0x21 to 0x7E.
_UID: Final = re.compile(rb"([0-9]{1,10}) +([!-~]{1,70}) *")


class Contents(Responses):
    """Reads responses, and behind those to RETR and TOP what may be megabytes with lines of any length."""

    def __init__(self) -> None:
        super().__init__()
        self._taken: bytearray | None = None
        self._limit = self._looked = 0

    @property
    def pending(self) -> bool:
        """Whether octets wait here that nobody has read."""
        return super().pending or bool(self._taken)

    def feed(self, data: bytes) -> None:
        """Take what the server has sent."""
        if self._taken is None:
            super().feed(data)
        else:
            self._taken += data

    def expect_content(self, limit: int) -> None:
        """Take what follows for content of at most *limit* octets, until a lone dot."""
        self._taken, self._rest = bytearray(self._rest), b""
        self._limit, self._looked = limit, 0

    def content(self) -> bytes | None:
        """Return the content once it is whole; raise ``ProtocolError`` for one that is too long."""
        taken = self._taken if self._taken is not None else bytearray()
        if taken.startswith(_EMPTY):
            return self._cut(0, len(_EMPTY))
        # A long one is looked through once, however many pieces it comes in.
        end = taken.find(_END, self._looked)
        if end >= 0:
            return self._cut(end + 2, end + len(_END))
        if len(taken) > self._limit:
            raise ProtocolError(f"expected at most {self._limit} octets, got more")
        self._looked = max(0, len(taken) - len(_END) + 1)
        return None

    def _cut(self, end: int, behind: int) -> bytes:
        taken = bytes(self._taken or b"")
        self._taken, self._rest = None, taken[behind:]
        # Each line that begins with a dot was sent with one more (RFC 1939 §3).
        return taken[:end].removeprefix(b".").replace(b"\r\n.", b"\r\n")


def sizes(listing: bytes) -> dict[int, int]:
    """Read the response to LIST: the octets of each message, by its number."""
    return {int(number): int(size) for number, size in (_read(_SIZE, line) for line in listing.splitlines())}


def uids(listing: bytes) -> dict[int, str]:
    """Read the response to UIDL: what each message is called for as long as it is there, by its number."""
    return {int(number): uid.decode() for number, uid in (_read(_UID, line) for line in listing.splitlines())}


def _read(pattern: re.Pattern[bytes], line: bytes) -> tuple[bytes, bytes]:
    if not (found := pattern.fullmatch(line)):
        raise ProtocolError(f"not a line of a POP3 listing: {shown(line[:80])!r}")
    return found[1], found[2]
