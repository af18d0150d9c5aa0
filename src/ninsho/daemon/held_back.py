"""Failures held back: released in batches, shuffled, so that neither time nor order tells how far a login got."""

import asyncio
from collections.abc import Callable
from random import SystemRandom

INTERVAL = 0.5  # seconds, as in Dovecot


class Held:
    """One failure on hold."""

    __slots__ = ("_queue", "due", "release")

    def __init__(self, queue: "HeldBack", due: float, release: Callable[[], None]) -> None:
        self._queue = queue
        self.due = due
        self.release = release

    def cancel(self) -> None:
        """Forget it."""
        self._queue.forget(self)


class HeldBack:
    """The failures of all connections; *interval* is the seconds between two batches."""

    def __init__(self, interval: float = INTERVAL) -> None:
        self._interval = interval
        self._held: set[Held] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._random = SystemRandom()

    def hold(self, due: float, release: Callable[[], None]) -> Held:
        """Call *release* with the first batch after the loop's time *due*."""
        held = Held(self, due, release)
        self._held.add(held)
        if self._timer is None:
            self._start()
        return held

    def forget(self, held: Held) -> None:
        """Take one off."""
        self._held.discard(held)

    def _start(self) -> None:
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._release)

    def _release(self) -> None:
        now = asyncio.get_running_loop().time()
        batch = [held for held in self._held if held.due <= now]
        self._held.difference_update(batch)
        self._random.shuffle(batch)
        self._timer = None
        if self._held:
            self._start()
        for held in batch:
            # Each on its own: what goes wrong with one must not keep the others.
            asyncio.get_running_loop().call_soon(held.release)
