"""A bounded pool of threads for hashing, which leaves the event loop its turn."""

import asyncio
import os
import sys
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import get_native_id
from types import TracebackType
from typing import Any, Self, TypeVar, TypeVarTuple

from ninsho.errors import StoreUnavailable

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

QUEUE = 100  # calls; with two threads and 0.15 s a hash the last one waits 7.5 s, less than our limit of 8
NICENESS = 10
PATIENCE = 5.0  # seconds


class HashingPool:
    """Runs functions in *threads* of low priority, one for each usable processor unless told otherwise.

    At most *queue* calls wait for a thread. An async context manager, to be used from one event loop.
    """

    def __init__(self, *, threads: int | None = None, queue: int = QUEUE) -> None:
        self._threads = threads or usable_processors()
        self._queue = queue
        # The executor is only given what its threads can start at once. What waits is kept here, where it can leave.
        self._executor = ThreadPoolExecutor(self._threads, "hashing", initializer=lower_priority)
        self._waiting: OrderedDict[asyncio.Future[Any], Callable[[], Any]] = OrderedDict()
        self._running = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether another call would have to wait."""
        return self._running == self._threads

    def submit(self, function: Callable[[*Arguments], T], *args: *Arguments) -> asyncio.Future[T]:
        """Run *function* in a thread; raise ``StoreUnavailable`` if too many calls wait already, or the pool is closed.

        A future that is cancelled before its turn leaves the queue.
        """
        if self._closed:
            raise StoreUnavailable("the hashing pool is closed")
        if self._running == self._threads and len(self._waiting) >= self._queue:
            raise StoreUnavailable(f"the hashing queue is full: {len(self._waiting)} calls wait already")
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        future.add_done_callback(self._leave)
        self._waiting[future] = partial(function, *args)
        self._start()
        return future

    async def close(self, *, patience: float = PATIENCE) -> None:
        """Fail what waits, and give what runs *patience* seconds to end; a call that takes longer is left alone."""
        self._closed = True
        while self._waiting:
            future, _ = self._waiting.popitem()
            if not future.done():
                future.set_exception(StoreUnavailable("the hashing pool is closed"))
        self._executor.shutdown(wait=False)
        with suppress(TimeoutError):
            await asyncio.wait_for(self._idle.wait(), patience)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _start(self) -> None:
        while self._waiting and self._running < self._threads:
            future, function = self._waiting.popitem(last=False)
            if future.done():
                continue
            try:
                call = self._executor.submit(function)
            except RuntimeError:
                # The system gives no more threads.
                future.set_exception(StoreUnavailable("no thread can be started"))
                continue
            self._running += 1
            self._idle.clear()
            call.add_done_callback(partial(self._report, future))

    def _report(self, future: asyncio.Future[Any], call: Future[Any]) -> None:
        # Called in the thread; the loop may be gone where close() lost its patience.
        with suppress(RuntimeError):
            future.get_loop().call_soon_threadsafe(self._finish, future, call)

    def _finish(self, future: asyncio.Future[Any], call: Future[Any]) -> None:
        self._running -= 1
        self._start()
        if not self._running:
            self._idle.set()
        if future.done():
            return
        if error := call.exception():
            future.set_exception(error)
        else:
            future.set_result(call.result())

    def _leave(self, future: asyncio.Future[Any]) -> None:
        self._waiting.pop(future, None)


def usable_processors() -> int:
    """Count the processors that this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def lower_priority() -> None:
    """Make the calling thread nicer, so that the event loop runs first; only Linux can do that for one thread."""
    if sys.platform == "linux":
        # A service manager may forbid it, as systemd does by SystemCallFilter=~@resources.
        with suppress(OSError):
            nice = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, get_native_id(), nice + NICENESS)
