"""Remembering accepted tokens: a mail client shows the same one again and again until it ends."""

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes

from ninsho.sasl.dialogue import Inspection

SIZE = 100_000  # tokens


class Remembered:
    """What accepted tokens said, at most *size* of them; *clock* gives Unix time.

    A token is kept as a keyed digest, whose key is made anew with each process, and what is known of it is whose it
    is: whoever shows it is told the owner's name, never the one that they asked for (CVE-2025-30189).
    """

    def __init__(self, clock: Callable[[], float], *, size: int = SIZE) -> None:
        self._clock = clock
        self._size = size
        self._key = token_bytes(32)
        self._known: dict[bytes, tuple[Inspection, float]] = {}

    def digest(self, token: str) -> bytes:
        """The name under which *token* is remembered."""
        return blake2b(token.encode(errors="surrogatepass"), key=self._key, digest_size=16).digest()

    def find(self, digest: bytes) -> Inspection | None:
        """What the token said; None if that is not known, or no longer."""
        known = self._known.get(digest)
        if known is None:
            return None
        if known[1] <= self._clock():
            del self._known[digest]
            return None
        return known[0]

    def keep(self, digest: bytes, inspection: Inspection, until: float) -> None:
        """Remember until a Unix time; where there are too many, the oldest is forgotten."""
        if until <= self._clock():
            return
        self._known.pop(digest, None)
        self._known[digest] = inspection, until
        if len(self._known) > self._size:
            del self._known[next(iter(self._known))]
