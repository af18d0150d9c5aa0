"""Stores around stores, which let somebody hear what is asked and answered."""

import time
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeAlias, TypeVar

from ninsho.cli.auth.outcome import Testimony
from ninsho.cli.user.records import scheme
from ninsho.errors import StoreUnavailable
from ninsho.stores.accounts import Account, Answer, Checked, PasswordVerifier, Request, SecretStore, Store
from ninsho.stores.growth import SecretWriter

T = TypeVar("T")


class Found(NamedTuple):
    """An account, and whether its store can take other stored forms while it serves."""

    account: Account
    grows: bool


class Hearing:
    """Hears what each store says about users; ``found`` are the accounts that are known."""

    def __init__(self) -> None:
        self.testimonies: list[Testimony] = []
        self.found: list[Found] = []

    async def hear(
        self,
        store: str,
        name: str,
        ask: Callable[[], Answer[T]],
        account_in: Callable[[T], Account | None],
        *,
        grows: bool = False,
    ) -> T:
        """Ask about the user called *name*, write down what is said, and hand the answer on."""
        start = time.perf_counter()
        try:
            answer = ask()
            value = await answer if isinstance(answer, Awaitable) else answer
        except StoreUnavailable:
            self._note(Testimony(store, name, "cannot tell", (), time.perf_counter() - start))
            raise
        account = account_in(value)
        if account is None:
            self._note(Testimony(store, name, "unknown", (), time.perf_counter() - start))
        else:
            self.found.append(Found(account, grows))
            schemes = tuple(map(scheme, account.secrets))
            self._note(Testimony(store, name, "known", schemes, time.perf_counter() - start))
        return value

    def _note(self, testimony: Testimony) -> None:
        self.testimonies.append(testimony)


class SecretWitness:
    """Stands before a store that hands out stored secrets."""

    def __init__(self, store: SecretStore, name: str, hearing: Hearing) -> None:
        self._store = store
        self._name = name
        self._hearing = hearing

    async def find(self, username: str) -> Account | None:
        """Ask the store."""
        return await self._hearing.hear(
            self._name,
            username,
            lambda: self._store.find(username),
            lambda account: account,
            grows=isinstance(self._store, SecretWriter),
        )


class VerifierWitness:
    """Stands before a store that only verifies passwords."""

    def __init__(self, store: PasswordVerifier, name: str, hearing: Hearing) -> None:
        self._store = store
        self._name = name
        self._hearing = hearing

    async def verify(self, username: str, password: str, request: Request) -> Checked:
        """Ask the store."""
        return await self._hearing.hear(
            self._name,
            username,
            lambda: self._store.verify(username, password, request),
            lambda checked: checked.account,
        )


Witness: TypeAlias = SecretWitness | VerifierWitness


def witness(store: Store, name: str, hearing: Hearing) -> Witness:
    """Put the witness before *store* that its ability asks for."""
    if isinstance(store, SecretStore):
        return SecretWitness(store, name, hearing)
    return VerifierWitness(store, name, hearing)
