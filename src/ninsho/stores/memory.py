"""Remembering verified passwords: the phone that logs in each minute shall not cost a hash each time."""

from collections.abc import Callable
from hashlib import blake2b
from secrets import token_bytes
from time import monotonic

from ninsho.stores.accounts import Account


class Memory:
    """Verified passwords, for *seconds* each and at most *size* of them.

    What is kept is a keyed digest over the account's name, the stored form and the password; the key is made anew with
    each process. As the account is read afresh at each login, a changed password no longer meets its digest, and a
    disabled account is seen as such.
    """

    def __init__(self, seconds: float, *, size: int = 100_000, clock: Callable[[], float] = monotonic) -> None:
        self.seconds = seconds
        self._size = size
        self._clock = clock
        self._key = token_bytes(32)
        self._until: dict[bytes, float] = {}

    def digest(self, account: Account, stored: str, password: str) -> bytes:
        """The name under which a password is remembered; NUL, which none of the parts holds, keeps them apart."""
        return blake2b(f"{account.name}\0{stored}\0{password}".encode(), key=self._key, digest_size=16).digest()

    def __contains__(self, digest: bytes) -> bool:
        until = self._until.get(digest)
        if until is None:
            return False
        if until <= self._clock():
            del self._until[digest]
            return False
        return True

    def remember(self, digest: bytes) -> None:
        """Keep *digest*; where there are too many, the oldest is forgotten."""
        if self.seconds <= 0:
            return
        self._until.pop(digest, None)
        self._until[digest] = self._clock() + self.seconds
        if len(self._until) > self._size:
            del self._until[next(iter(self._until))]
