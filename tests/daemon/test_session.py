"""The asyncio shell: who may stay connected, and what is awaited for how long."""

import asyncio

import pytest

from dialogue import Scene
from ninsho.daemon import session
from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.policy import Desk
from ninsho.errors import StoreUnavailable


async def connected(path, hello=b""):
    """A connection to a server of its own, and what it says within 0.4 s after the greeting; None: it stays open."""
    desk = Desk(Scene().policy)
    server = await asyncio.get_running_loop().create_unix_server(
        lambda: session.Session(desk, HeldBack(), set()), str(path)
    )
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(hello)
    await reader.readuntil(b"DONE\n")
    try:
        return await asyncio.wait_for(reader.read(), 0.4)
    except TimeoutError:
        return None
    finally:
        writer.close()
        server.close()


def test_a_client_that_never_says_who_it_is_is_sent_away_14(tmp_path, monkeypatch):
    assert session.ESTABLISH_LIMIT >= 60
    monkeypatch.setattr(session, "ESTABLISH_LIMIT", 0.1)
    assert asyncio.run(connected(tmp_path / "auth")) == b""


def test_a_client_that_said_who_it_is_may_be_idle_14(tmp_path, monkeypatch):
    monkeypatch.setattr(session, "ESTABLISH_LIMIT", 0.1)
    assert asyncio.run(connected(tmp_path / "auth", b"VERSION\t1\t0\nCPID\t7\n")) is None


async def waited(awaitable, seconds=5.0, *, cancel=False):
    told = asyncio.get_running_loop().create_future()
    wait = session.Wait(
        asyncio.get_running_loop(), awaitable, seconds, lambda result, error: told.set_result(error or result)
    )
    if cancel:
        wait.cancel()
        await asyncio.sleep(0.01)
        return told.done()
    return await asyncio.wait_for(told, 5)


async def value():
    return 42


async def stubborn():
    try:
        await asyncio.sleep(60)
    finally:
        await asyncio.sleep(0.5)


async def cancelled():
    raise asyncio.CancelledError


def test_a_result_is_told():
    assert asyncio.run(waited(value())) == 42


def test_what_resists_is_given_up_in_time():
    assert isinstance(asyncio.run(waited(stubborn(), 0.05)), TimeoutError)


def test_a_store_that_cancels_itself_is_unavailable():
    assert isinstance(asyncio.run(waited(cancelled())), StoreUnavailable)


@pytest.mark.parametrize("awaitable", [value, stubborn])
def test_what_is_called_off_is_not_told(awaitable):
    assert asyncio.run(waited(awaitable(), cancel=True)) is False
