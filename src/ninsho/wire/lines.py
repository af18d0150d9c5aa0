"""Whole lines out of bytes, limits kept."""

from collections.abc import Iterable, Iterator

from ninsho.errors import ProtocolError


class Lines:
    """Cuts a stream at its line feeds; a line of *limit* octets or more, its line feed counted, is an error."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> Iterable[bytes]:
        """Give each line that *data* completes, without its line feed; raise ``ProtocolError`` for one too long.

        The lines before a line that is too long come first, however the stream is split.
        """
        data = self._rest + data
        lines = data.split(b"\n")
        self._rest = lines.pop()
        # Where all that there is keeps the limit, each line does.
        return lines if len(data) < self._limit else self._checked(lines)

    def _checked(self, lines: list[bytes]) -> Iterator[bytes]:
        for line in lines:
            self._check(line)
            yield line
        self._check(self._rest)

    def _check(self, line: bytes) -> None:
        if len(line) >= self._limit:
            raise ProtocolError(f"expected lines of at most {self._limit} octets, got one of {len(line)} or more")
