"""What leaves in one write."""


class Bundle:
    """Octets that leave in one write, and what the transcript has of them."""

    __slots__ = ("_parts", "_shown", "size")

    def __init__(self, *, watched: bool) -> None:
        self._parts: list[bytes] = []
        self._shown: list[bytes] | None = [] if watched else None
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

    def taken(self) -> tuple[bytes, bytes | None]:
        """Return all of it, and as it is shown; be empty again."""
        data, shown = b"".join(self._parts), None if self._shown is None else b"".join(self._shown)
        self._parts.clear()
        if self._shown is not None:
            self._shown.clear()
        self.size = 0
        return data, shown
