"""Checking a password against an account's stored form: at once where that is cheap or remembered, else in a thread."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from ninsho.errors import MalformedSecret
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Asking
from ninsho.stores.memory import Memory

DECOY_PASSWORD = "no user has this password"  # noqa: S105 - and nobody gets in with it: the result is not looked at


class Pool(Protocol):
    """Where hashes are computed."""

    def submit(self, function: Callable[[str, str], bool], stored: str, password: str, /) -> Awaitable[bool]:
        """Run *function* elsewhere; raise ``StoreUnavailable`` if too many wait already."""


class Passwords:
    """Checks passwords; an unknown user costs what the last known one did whose password took a hash.

    *decoy* is a stored form like those of the site, to begin with; without one it is made when it is needed. Without a
    *pool* every hash is computed in place, which suits a process that serves one login at a time. All that
    is asked here may raise ``MalformedSecret`` for a broken stored form.
    """

    def __init__(self, memory: Memory, pool: Pool | None = None, *, decoy: str | None = None) -> None:
        self._memory = memory
        self._pool = pool
        self._decoy = decoy

    def at_once(self, account: Account, password: str) -> bool | None:
        """Is *password* the account's? None where only a dear hash can tell."""
        if not account.secrets:
            return None
        stored = account.secrets[0]
        matches = hashing.verify_if_cheap(stored, password)
        if matches is None and self._memory.digest(account, stored, password) in self._memory:
            return True
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
            self._decoy = hashing.make(DECOY_PASSWORD)
        yield from self._hash(self._decoy, password)

    def secret(self, account: Account, kinds: tuple[type, ...]) -> object | None:
        """Return the first of the account's secrets that is one of *kinds*."""
        trouble: MalformedSecret | None = None
        for stored in account.secrets:
            try:
                secret = hashing.secret_in(stored, kinds)
            except MalformedSecret as error:
                # Another form may serve.
                trouble = error
                continue
            if secret is not None:
                return secret
        if trouble is not None:
            raise trouble
        return None

    def _hash(self, stored: str, password: str) -> Asking[bool]:
        if self._pool is None or hashing.is_cheap(stored):
            return hashing.verify(stored, password)
        matches: bool = yield self._pool.submit(hashing.verify, stored, password)
        return matches


def decoy_like(held: Mapping[str, int], scheme: str) -> str:
    """Make a form that costs an unknown user what most accounts, which *held* counts by scheme, cost to check.

    Where there are none, it is of the *scheme* for new passwords. Takes as long as a hash.
    """
    accepted = {one.name: one for one in hashing.schemes()}
    dear = {name: count for name, count in held.items() if name in accepted and not accepted[name].cheap}
    if held and not dear:
        return hashing.make(DECOY_PASSWORD, "PLAIN")
    return hashing.make(DECOY_PASSWORD, max(dear, key=dear.__getitem__) if dear else scheme)
