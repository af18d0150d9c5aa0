"""Iterables that never make anybody wait."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


class AtHand(Iterator[T]):
    """A promise that the next of *items* is there, or is made, at once: it waits for nobody, least of all for receipts.

    A client may then take the next message before it has finished the one before, as it does with those of a list.
    """

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)

    def __next__(self) -> T:
        return next(self._items)
