"""What the accounts of a site's stores hold: how many, which schemes, and who."""

import inspect
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple, Protocol, TypeVar, runtime_checkable

from ninsho.stores.accounts import Answer, Store

T = TypeVar("T")


class Holder(NamedTuple):
    """An account's name, and the stored form of the scheme in question."""

    name: str
    stored: str


@runtime_checkable
class Countable(Protocol):
    """A store that can say what its accounts hold."""

    def schemes(self) -> Answer[Mapping[str, int]]:
        """How many accounts hold which scheme."""

    def lacking(self, schemes: Collection[str]) -> Answer[int]:
        """How many accounts that may log in now hold none of these *schemes*."""

    def holders(self, scheme: str, limit: int, every: int = 1) -> Answer[Sequence[Holder]]:
        """Accounts that hold *scheme*, at most *limit*: the first ones, or only about one of *every* so many."""


async def schemes_held(stores: Iterable[Store]) -> dict[str, int]:
    """How many accounts of all *stores* hold which scheme, as far as the stores can say."""
    held: dict[str, int] = {}
    for store in _countable(stores):
        for scheme, accounts in (await _settled(store.schemes())).items():
            held[scheme] = held.get(scheme, 0) + accounts
    return held


async def lacking(stores: Iterable[Store], schemes: Collection[str]) -> int:
    """How many accounts of all *stores* that may log in now hold none of these *schemes*, as far as they can say."""
    return sum([await _settled(store.lacking(schemes)) for store in _countable(stores)])


async def holders(stores: Iterable[Store], scheme: str, limit: int, every: int = 1) -> list[Holder]:
    """Accounts of all *stores* that hold *scheme*, at most *limit*: the first ones, or about one of *every* so many."""
    found = [holder for store in _countable(stores) for holder in await _settled(store.holders(scheme, limit, every))]
    return list(islice(found, limit))


def _countable(stores: Iterable[Store]) -> list[Countable]:
    return [store for store in stores if isinstance(store, Countable)]


async def _settled(answer: Answer[T]) -> T:
    return await answer if inspect.isawaitable(answer) else answer
