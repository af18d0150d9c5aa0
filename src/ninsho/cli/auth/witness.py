"""Stores around stores, which let somebody hear what is asked and answered."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeAlias, TypeVar

from ninsho.cli.auth.outcome import Testimony
from ninsho.errors import MalformedSecret, StoreUnavailable
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Answer, Checked, PasswordVerifier, Request, SecretStore, Store

T = TypeVar("T")


class Hearing:
    """Hears what each store says about a user; *account* is the one that was found last."""

    def __init__(self) -> None:
        self.testimonies: list[Testimony] = []
        self.account: Account | None = None

    async def hear(self, store: str, ask: Callable[[], Answer[T]], account_in: Callable[[T], Account | None]) -> T:
        """Ask, write down what is said, and hand the answer on."""
        start = time.perf_counter()
        try:
            answer = ask()
            value = await answer if isinstance(answer, Awaitable) else answer
        except StoreUnavailable:
            self._note(Testimony(store, "cannot tell", None, time.perf_counter() - start))
            raise
        account = account_in(value)
        if account is None:
            self._note(Testimony(store, "unknown", None, time.perf_counter() - start))
        else:
            self.account = account
            self._note(Testimony(store, "known", _scheme(account), time.perf_counter() - start))
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
        return await self._hearing.hear(self._name, lambda: self._store.find(username), lambda account: account)


class VerifierWitness:
    """Stands before a store that only verifies passwords."""

    def __init__(self, store: PasswordVerifier, name: str, hearing: Hearing) -> None:
        self._store = store
        self._name = name
        self._hearing = hearing

    async def verify(self, username: str, password: str, request: Request) -> Checked:
        """Ask the store."""
        return await self._hearing.hear(
            self._name, lambda: self._store.verify(username, password, request), lambda checked: checked.account
        )


Witness: TypeAlias = SecretWitness | VerifierWitness


def witness(store: Store, name: str, hearing: Hearing) -> Witness:
    """Put the witness before *store* that its ability asks for."""
    if isinstance(store, SecretStore):
        return SecretWitness(store, name, hearing)
    return VerifierWitness(store, name, hearing)


def _scheme(account: Account) -> str | None:
    """Name the scheme of the form that a password is checked against."""
    if not account.secrets:
        return None
    try:
        return hashing.scheme_of(account.secrets[0])
    except MalformedSecret:
        return "a form that is broken"
