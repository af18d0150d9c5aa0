"""Accounts held in memory: those of a file or of the environment."""

from collections import Counter
from collections.abc import Iterable, Mapping

from ninsho.stores import hashing
from ninsho.stores.accounts import Account
from ninsho.stores.entries import Entry
from ninsho.stores.names import key_of
from ninsho.stores.reporting import report


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

    def report_unaccepted(self, place: object) -> None:
        """Tell of schemes that no login can use."""
        accepted = {scheme.name for scheme in hashing.schemes()}
        for scheme, count in self.schemes().items():
            if scheme not in accepted:
                report(f"{place}: scheme {scheme} is not accepted: {count} of {len(self)} accounts hold it")
