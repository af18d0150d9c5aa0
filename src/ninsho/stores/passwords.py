"""Checking a password against an account's stored form: at once where that is cheap or remembered, else in a thread."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Asking
from ninsho.stores.memory import Memory


class Pool(Protocol):
    """Where hashes are computed."""

    def submit(self, function: Callable[[str, str], bool], stored: str, password: str, /) -> Awaitable[bool]:
        """Run *function* elsewhere; raise ``StoreUnavailable`` if too many wait already."""


class Passwords:
    """Checks passwords; an unknown user costs what the last known one did.

    Without a *pool* every hash is computed in place, which suits a process that serves one login at a time. All that
    is asked here may raise ``MalformedSecret`` for a broken stored form.
    """

    def __init__(self, memory: Memory, pool: Pool | None = None) -> None:
        self._memory = memory
        self._pool = pool
        # The form that an unknown user is checked against: the last one that a known user was.
        self._decoy: str | None = None

    def at_once(self, account: Account, password: str) -> bool | None:
        """Is *password* the account's? None where only a dear hash can tell."""
        if not account.secrets:
            return None
        stored = account.secrets[0]
        matches = hashing.verify_if_cheap(stored, password)
        if matches is None and self._memory.digest(account, stored, password) in self._memory:
            matches = True
        if matches is not None:
            self._decoy = stored
        return matches

    def hashed(self, account: Account, password: str) -> Asking[bool]:
        """Is *password* the account's? Raises ``StoreUnavailable`` if too many hashes wait."""
        if not account.secrets:
            yield from self.check_nobody(password)
            return False
        stored = account.secrets[0]
        matches = yield from self._hash(stored, password)
        # Only now: a form that is broken is nobody's decoy.
        self._decoy = stored
        if matches:
            self._memory.remember(self._memory.digest(account, stored, password))
        return matches

    def check_nobody(self, password: str) -> Asking[None]:
        """Take as long as for a known user."""
        if self._decoy is None:
            self._decoy = hashing.make("no user has this password")
        yield from self._hash(self._decoy, password)

    def secret(self, account: Account, kinds: tuple[type, ...]) -> object | None:
        """Return the first of the account's secrets that is one of *kinds*."""
        for stored in account.secrets:
            if (secret := hashing.secret_in(stored, kinds)) is not None:
                return secret
        return None

    def _hash(self, stored: str, password: str) -> Asking[bool]:
        if self._pool is None or hashing.is_cheap(stored):
            return hashing.verify(stored, password)
        matches: bool = yield self._pool.submit(hashing.verify, stored, password)
        return matches
