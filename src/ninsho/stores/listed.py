"""Accounts held in memory: those of a file or of the environment."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from itertools import islice
from time import time

from ninsho.stores import hashing
from ninsho.stores.accounts import Account
from ninsho.stores.census import Holder
from ninsho.stores.entries import Entry
from ninsho.stores.names import key_of


class Listed:
    """A store of *entries*, which have been read to their end once this is made."""

    immediate = True

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._accounts = {entry.key: entry.account() for entry in entries}

    def __len__(self) -> int:
        return len(self._accounts)

    def find(self, username: str) -> Account | None:
        """Return the account of *username*, None if there is none."""
        return self._accounts.get(key_of(username))

    def schemes(self) -> Mapping[str, int]:
        """How many accounts hold which scheme."""
        held = Counter[str]()
        for account in self._accounts.values():
            held.update({hashing.scheme_of(secret) for secret in account.secrets})
        return held

    def lacking(self, schemes: Collection[str]) -> int:
        """How many accounts that may log in now hold none of these *schemes*."""
        wanted, now = {*schemes}, time()
        usable = (one for one in self._accounts.values() if not one.disabled and (one.expires or now + 1) > now)
        return sum(wanted.isdisjoint(map(hashing.scheme_of, one.secrets)) for one in usable)

    def holders(self, scheme: str, limit: int, every: int = 1) -> list[Holder]:
        """Accounts that hold *scheme*, at most *limit*: the first ones, or only one of *every* so many."""
        found = (Holder(one.name, stored) for one in self._accounts.values() for stored in one.secrets)
        holding = (holder for holder in found if hashing.scheme_of(holder.stored) == scheme)
        return list(islice(holding, 0, limit * every, every))
