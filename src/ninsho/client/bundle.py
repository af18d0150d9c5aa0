"""What leaves in one write."""

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ninsho.client.job import Transaction


class Write(NamedTuple):
    """Octets to send, as they are shown, and where in them the content of each transaction is complete."""

    data: bytes
    shown: bytes | None
    complete: "list[tuple[int, Transaction]]"


class Bundle:
    """Octets that leave in one write, and what the transcript has of them."""

    __slots__ = ("_complete", "_parts", "_shown", "size")

    def __init__(self, *, watched: bool) -> None:
        self._parts: list[bytes] = []
        self._shown: list[bytes] | None = [] if watched else None
        self._complete: list[tuple[int, Transaction]] = []
        self.size = 0

    def command(self, lines: bytes) -> None:
        """Add command lines."""
        self._parts.append(lines)
        self.size += len(lines)
        if self._shown is not None:
            self._shown.append(lines)

    def content(self, octets: bytes) -> None:
        """Add octets of a message."""
        self._parts.append(octets)
        self.size += len(octets)
        if self._shown is not None:
            self._shown.append(b"(%d octets of the message)\r\n" % len(octets))

    def complete(self, transaction: "Transaction") -> None:
        """Take note that what has been added ends the content of *transaction*."""
        self._complete.append((self.size, transaction))

    def taken(self) -> Write:
        """Return all of it; be empty again."""
        shown = None if self._shown is None else b"".join(self._shown)
        write = Write(b"".join(self._parts), shown, self._complete)
        self._parts.clear()
        if self._shown is not None:
            self._shown.clear()
        self._complete, self.size = [], 0
        return write
