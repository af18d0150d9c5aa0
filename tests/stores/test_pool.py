"""The threads in which hashes are computed."""

import asyncio
import gc
import os
import sys
import threading
import time
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

import pytest

from ninsho.errors import StoreUnavailable
from ninsho.stores import hashing, pool
from ninsho.stores.pool import HashingPool

WAIT = 10.0  # seconds; a test that needs them has failed


def in_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(asyncio.wait_for(test(), WAIT))

    return run


class Gate:
    """A call that stays in its thread until it is told to end."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self.entered = threading.Event()

    def __call__(self) -> str:
        self.entered.set()
        self._open.wait(WAIT)
        return "passed"

    def open(self) -> None:
        self._open.set()


@in_a_loop
async def test_a_call_gives_its_result_or_its_error() -> None:
    async with HashingPool() as hashes:
        assert await hashes.submit(hashing.verify, "{PLAIN}test", "test") is True
        assert await hashes.submit(divmod, 7, 2) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            await hashes.submit(divmod, 7, 0)


@in_a_loop
async def test_calls_run_in_other_threads_and_in_their_order() -> None:
    order: list[int] = []

    def note(number: int) -> int:
        order.append(number)
        return threading.get_ident()

    async with HashingPool(threads=1) as hashes:
        threads = await asyncio.gather(*(hashes.submit(note, number) for number in range(9)))
    assert order == list(range(9))
    assert threading.get_ident() not in threads


@in_a_loop
async def test_a_full_queue_refuses_and_takes_calls_again_when_there_is_room() -> None:
    gate = Gate()
    async with HashingPool(threads=1, queue=2) as hashes:
        calls = [hashes.submit(gate) for _ in range(3)]
        with pytest.raises(StoreUnavailable, match=r"^the hashing queue is full: 2 calls wait already$"):
            hashes.submit(gate)
        gate.open()
        assert await asyncio.gather(*calls) == ["passed"] * 3
        assert await hashes.submit(gate) == "passed"


@in_a_loop
async def test_no_queue_still_leaves_the_threads() -> None:
    gate = Gate()
    async with HashingPool(threads=1, queue=0) as hashes:
        call = hashes.submit(gate)
        with pytest.raises(StoreUnavailable):
            hashes.submit(gate)
        gate.open()
        assert await call == "passed"


@in_a_loop
async def test_a_cancelled_waiter_leaves_the_queue_and_never_runs() -> None:
    gate = Gate()
    ran: list[str] = []
    async with HashingPool(threads=1, queue=1) as hashes:
        running = hashes.submit(gate)
        waiting = hashes.submit(ran.append, "cancelled")
        waiting.cancel()
        await asyncio.sleep(0)
        successor = hashes.submit(ran.append, "successor")
        gate.open()
        await asyncio.gather(running, successor)
    assert ran == ["successor"]


@in_a_loop
async def test_a_call_cancelled_while_it_runs_keeps_its_thread_until_it_ends() -> None:
    gate = Gate()
    async with HashingPool(threads=1, queue=0) as hashes:
        running = hashes.submit(gate)
        await asyncio.to_thread(gate.entered.wait, WAIT)
        running.cancel()
        await asyncio.sleep(0)
        with pytest.raises(StoreUnavailable):
            hashes.submit(gate)
        gate.open()
        while True:
            try:
                assert await hashes.submit(gate) == "passed"
            except StoreUnavailable:
                await asyncio.sleep(0.001)
            else:
                break


@in_a_loop
async def test_closing_fails_what_waits_and_lets_end_what_runs() -> None:
    gate = Gate()
    hashes = HashingPool(threads=1)
    running, waiting = hashes.submit(gate), hashes.submit(gate)
    closing = asyncio.create_task(hashes.close())
    with pytest.raises(StoreUnavailable, match=r"^the hashing pool is closed$"):
        await waiting
    assert not closing.done()
    gate.open()
    await closing
    assert await running == "passed"
    with pytest.raises(StoreUnavailable, match=r"^the hashing pool is closed$"):
        hashes.submit(gate)


@in_a_loop
async def test_closing_does_not_wait_for_ever() -> None:
    gate = Gate()
    hashes = HashingPool(threads=1)
    running = hashes.submit(gate)
    await hashes.close(patience=0.01)
    assert not running.done()
    gate.open()
    assert await running == "passed"


def test_a_call_that_outlives_its_loop_is_let_go(caplog: pytest.LogCaptureFixture) -> None:
    gate = Gate()

    async def leave() -> None:
        hashes = HashingPool(threads=1)
        hashes.submit(gate)
        await hashes.close(patience=0.01)

    asyncio.run(leave())
    gate.open()
    for thread in threading.enumerate():
        if thread.name.startswith("hashing"):
            thread.join(WAIT)
    gc.collect()
    assert not caplog.records


@in_a_loop
async def test_the_event_loop_goes_on_while_a_hash_is_computed() -> None:
    stored = "$6$rounds=500000$saltsalt$" + 86 * "a"
    async with HashingPool(threads=1) as hashes:
        began, turns = time.perf_counter(), 0
        call = hashes.submit(hashing.verify, stored, "test")
        while not call.done():
            await asyncio.sleep(0.001)
            turns += 1
        assert time.perf_counter() - began > 0.05
    # A library that kept the interpreter's lock would leave it one or two.
    assert turns > 20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives each thread its own priority")
@in_a_loop
async def test_threads_lower_their_own_priority_and_nobody_else_s() -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    async with HashingPool(threads=1) as hashes:
        assert await hashes.submit(os.getpriority, os.PRIO_PROCESS, 0) == min(19, before + pool.NICENESS)
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


@in_a_loop
async def test_a_system_that_forbids_priorities_still_hashes() -> None:
    def forbid(*_: object) -> None:
        raise PermissionError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "setpriority", forbid)
        async with HashingPool(threads=1) as hashes:
            assert await hashes.submit(divmod, 7, 2) == (3, 1)


def test_there_is_a_thread_for_each_usable_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pool.usable_processors() >= 1
    if sys.platform == "linux":
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 5})
        assert pool.usable_processors() == 3
