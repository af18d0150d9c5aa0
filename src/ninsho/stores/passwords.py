"""Checking a password against an account's stored form: at once where that is cheap or remembered, else in a thread."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from hashlib import blake2b
from secrets import token_bytes
from typing import Any, Protocol, TypeVar

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import Password, ScramKeys
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Asking
from ninsho.stores.decoys import Decoys
from ninsho.stores.memory import Memory
from ninsho.text import password_candidates

T = TypeVar("T")

# Nobody gets in with it, as the result is not looked at. DES-CRYPT makes nothing from more than 8 octets.
DECOY_PASSWORD = "nobody's"  # noqa: S105

DERIVED_LIMIT = 10_000  # accounts whose keys for SCRAM are kept once they are computed; 23 ms each


class Pool(Protocol):
    """Where hashes are computed."""

    def submit(self, function: Callable[..., T], /, *arguments: Any) -> Awaitable[T]:  # noqa: ANN401 - the function's
        """Run *function* elsewhere; raise ``StoreUnavailable`` if too many wait already."""


class Passwords:
    """Checks passwords; an unknown user costs what the last known one did whose password took a hash.

    *decoy* is a stored form like those of the site, to begin with; without one it is made when it is needed. *decoys*
    make the keys of those who have none. *permitted* are the weak schemes that are accepted. Without a *pool* every
    hash is computed in place, which suits a process that serves one login at a time. All that is asked here may raise
    ``MalformedSecret`` for a broken stored form.
    """

    def __init__(
        self,
        memory: Memory,
        pool: Pool | None = None,
        *,
        decoy: str | None = None,
        decoys: Decoys | None = None,
        permitted: frozenset[str] = hashing.NONE,
    ) -> None:
        self._memory = memory
        self._pool = pool
        self._decoy = decoy
        self._key = token_bytes(32)
        self._decoys = decoys or Decoys(self._key)
        self._permitted = permitted
        self._derived: dict[bytes, ScramKeys] = {}

    def at_once(self, account: Account, password: str) -> bool | None:
        """Is *password* the account's? None where only a dear hash can tell."""
        if not account.secrets:
            return None
        stored = hashing.best(account.secrets, self._permitted)
        matches = hashing.verify_if_cheap(stored, password, account.name, permitted=self._permitted)
        if matches is None and self._memory.digest(account, stored, password) in self._memory:
            return True
        return matches

    def hashed(self, account: Account, password: str) -> Asking[bool]:
        """Is *password* the account's? Raises ``StoreUnavailable`` if too many hashes wait."""
        if not account.secrets:
            yield from self.check_nobody(password)
            return False
        stored = hashing.best(account.secrets, self._permitted)
        matches = yield from self._hash(stored, password, account.name)
        # Only now: a form that is broken is nobody's decoy.
        self._decoy = stored
        if matches:
            self._memory.remember(self._memory.digest(account, stored, password))
        return matches

    def check_nobody(self, password: str) -> Asking[None]:
        """Take as long as for a known user."""
        if self._decoy is None:
            self._decoy = hashing.make(DECOY_PASSWORD)
        yield from self._hash(self._decoy, password, "nobody")

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

    def decoy(self, username: str, kind: type[ScramKeys]) -> ScramKeys:
        """Return what a user who is not known has in place of keys."""
        return self._decoys.keys(username, kind)

    def derive(self, password: Password, form: ScramKeys) -> Asking[ScramKeys]:
        """Return the keys of *password*, of the kind of *form* and with its salt and iterations."""
        parts = (form.name.encode(), b"%d" % form.iterations, form.salt.hex().encode(), password.text)
        name = blake2b(b"\0".join(parts), key=self._key).digest()
        keys = self._derived.pop(name, None)
        if keys is None:
            keys = yield from self.compute(_derive, (password, form))
        # The one used last stands last.
        self._derived[name] = keys
        if len(self._derived) > DERIVED_LIMIT:
            del self._derived[next(iter(self._derived))]
        return keys

    def compute(self, function: Callable[..., T], arguments: tuple[object, ...]) -> Asking[T]:
        """Return the result of *function*, computed in the pool."""
        if self._pool is None:
            return function(*arguments)
        result: T = yield self._pool.submit(function, *arguments)
        return result

    def _hash(self, stored: str, password: str, username: str) -> Asking[bool]:
        verify = partial(hashing.verify, stored, password, username, permitted=self._permitted)
        if hashing.is_cheap(stored, permitted=self._permitted):
            return verify()
        return (yield from self.compute(verify, ()))


def _derive(password: Password, form: ScramKeys) -> ScramKeys:
    text = password_candidates(password.text.decode())[0]
    return form.of(text.encode(), salt=form.salt, iterations=form.iterations)


def decoy_like(held: Mapping[str, int], scheme: str, permitted: frozenset[str] = hashing.NONE) -> str:
    """Make a form that costs an unknown user what most accounts, which *held* counts by scheme, cost to check.

    Where there are none, it is of the *scheme* for new passwords. Takes as long as a hash.
    """
    accepted = {one.name: one for one in hashing.schemes(permitted)}
    dear = {name: count for name, count in held.items() if name in accepted and not accepted[name].cheap}
    if held and not dear:
        return hashing.make(DECOY_PASSWORD, "PLAIN")
    return hashing.make(
        DECOY_PASSWORD, max(dear, key=dear.__getitem__) if dear else scheme, "nobody", permitted=permitted
    )
