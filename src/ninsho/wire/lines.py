"""Whole lines out of bytes, limits kept."""

from collections.abc import Iterator

from ninsho.errors import ProtocolError


class Lines:
    """Cuts a stream at its line feeds; a line of *limit* octets or more, its line feed counted, is an error."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield each line that *data* completes, without its line feed; raise ``ProtocolError`` for one too long.

        The lines before a line that is too long are yielded first, however the stream is split.
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._check(line)
            yield line
        self._check(self._rest)

    def _check(self, line: bytes) -> None:
        if len(line) >= self._limit:
            raise ProtocolError(f"expected lines of at most {self._limit} octets, got one of {len(line)} or more")
