"""Runs that meet the world: slow callers, impatient servers, forks, several event loops, accidents, early leave."""

import asyncio
import gc
import os
import pickle
import threading
import time
from collections.abc import Iterator

import pytest

from ninsho import AsyncClient, Client, Submission
from ninsho.client.errors import AuthenticationFailed, ClientError, ConnectionFailed, OutcomeUnknown, RecipientsRefused
from ninsho.errors import ConfigurationError
from ninsho.testing import MailServer
from ninsho.wire.smtp import Reply

each_way = pytest.mark.parametrize("without", ["PIPELINING,CHUNKING", "CHUNKING", None])
BOTH_SIZES = pytest.mark.parametrize("connections", [1, 2])


def message(number: int) -> Submission:
    return Submission(b"Subject: %d\r\n\r\nx\r\n" % number, "a@example.com", ["b@example.org"])


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


def hang_up_soon(server: MailServer) -> None:
    # The server loses its patience while the client waits for something else.
    threading.Timer(0.1, server.hang_up).start()


def with_a_pause(server: MailServer) -> Iterator[Submission]:
    yield message(1)
    yield message(2)
    hang_up_soon(server)
    time.sleep(0.4)
    yield message(3)


@each_way
def test_a_server_that_goes_while_the_next_message_is_waited_for_costs_nothing(server: MailServer, without):
    with Client(server.url, without=without) as client:
        receipts = list(client.send_many(with_a_pause(server)))
    assert [receipt.ok for receipt in receipts] == [True] * 3
    assert len(server.messages) == 3


@each_way
def test_a_server_that_goes_while_the_rate_is_kept_costs_nothing(server: MailServer, without):
    with Client(server.url, without=without, rate="2/s") as client:
        run = client.send_many([message(number) for number in range(3)])
        receipts = [next(run), next(run)]
        hang_up_soon(server)
        receipts += run
    assert [receipt.ok for receipt in receipts] == [True] * 3


def test_a_server_that_goes_while_receipts_are_looked_at_costs_nothing(server: MailServer):
    receipts = []
    with Client(server.url, without="CHUNKING") as client:
        for receipt in client.send_many(iter([message(1), message(2), message(3)])):
            receipts.append(receipt)
            if len(receipts) == 1:
                server.hang_up()
                time.sleep(0.2)
    assert [receipt.ok for receipt in receipts] == [True] * 3


@BOTH_SIZES
def test_progress_that_raises_is_heard_of_behind_all_receipts(server: MailServer, connections: int):
    def progress(_: object) -> None:
        raise KeyError("mine")

    receipts = []
    with Client(server.url, connections=connections) as client, pytest.raises(KeyError, match="mine"):
        receipts.extend(client.send_many([message(number) for number in range(9)], progress=progress))
    assert len(receipts) == len(server.messages) == 9


@BOTH_SIZES
def test_a_message_that_breaks_is_refused_and_the_others_go(server: MailServer, connections: int, tmp_path):
    with (tmp_path / "closed").open("w+b") as closed:
        pass
    broken = Submission(closed, "a@example.com", ["b@example.org"])
    with Client(server.url, connections=connections) as client:
        receipts = list(client.send_many([message(1), broken, message(3)]))
    assert [receipt.ok for receipt in receipts] == [True, False, True]
    assert "cannot be made ready" in str(receipts[1].error)
    assert receipts[1].fates[0].recipient == "b@example.org"


def test_progress_counts_each_message_once(server: MailServer):
    seen = []
    with Client(server.url) as client:
        list(client.send_many([message(number) for number in range(5)], progress=seen.append))
    assert [(one.done, one.accepted, one.total) for one in seen] == [(n, n, 5) for n in range(1, 6)]


def test_leaving_a_run_of_several_connections_waits_for_nobody(server: MailServer):
    server.silence("dot", skip=1)
    with Client(server.url, connections=3) as client:
        begin = time.monotonic()
        for _ in client.send_many([message(number) for number in range(9)], order="completed"):
            break
        assert time.monotonic() - begin < 5


def test_receipts_that_nobody_reads_hold_up_the_run(server: MailServer, monkeypatch):
    monkeypatch.setattr("ninsho.client.outbox.BACKLOG", 10)
    taken = []

    def endless() -> Iterator[Submission]:
        for number in range(200):
            taken.append(number)
            yield message(number)

    with Client(server.url, connections=2) as client:
        run = client.send_many(endless())
        next(run)
        time.sleep(0.5)
        assert len(taken) < 100
        assert sum(receipt.ok for receipt in run) == 199


def test_a_client_serves_one_event_loop_after_the_other(server: MailServer):
    client = AsyncClient(server.url)

    async def send(number: int) -> bool:
        async with client:
            return (await client.send(message(number))).ok

    async def send_and_stay(number: int) -> bool:
        return (await client.send(message(number))).ok

    assert asyncio.run(send(1))

    def stay_and_come_back() -> None:
        assert asyncio.run(send_and_stay(2))
        assert asyncio.run(send(3))
        gc.collect()

    # Python's own words for a connection that was open when its loop ended.
    with pytest.warns(ResourceWarning):
        stay_and_come_back()
    assert len(server.messages) == 3


def test_a_forked_process_makes_connections_of_its_own(server: MailServer):
    with Client(server.url) as client:
        assert client.send(message(0)).ok
        child = os.fork()
        if not child:
            good = all(client.send(message(number)).ok for number in range(1, 6))
            client.close()
            os._exit(0 if good else 1)
        assert all(client.send(message(number)).ok for number in range(6, 11))
        assert os.waitpid(child, 0)[1] == 0
    assert len({received.content for received in server.messages}) == len(server.messages) == 11
    assert not server.violations


def test_connecting_is_tried_as_often_as_a_message(server: MailServer):
    server.fail("greeting", 421, "later", times=2)
    with Client(server.url, attempts=3) as client:
        assert client.send(message(1)).ok
    with MailServer() as other, Client(other.url, attempts=1) as client:
        other.fail("greeting", 421, "later")
        with pytest.raises(ClientError) as raised:
            client.send(message(1))
    assert raised.value.receipt.fates[0].recipient == "b@example.org"


@pytest.mark.parametrize(
    "error",
    [
        ConnectionFailed([("h:25", "nothing listens there")]),
        AuthenticationFailed("AUTH PLAIN", Reply(535, (b"5.7.8 no",)), mechanism="PLAIN"),
        RecipientsRefused({"a@example.com": Reply(550, (b"no",))}),
        OutcomeUnknown("cut"),
        ConfigurationError(["url: one", "port: two"]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_come_back_from_another_process(error: Exception):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), str(error))
    assert getattr(again, "temporary", None) == getattr(error, "temporary", None)


def test_a_receipt_shows_nothing_of_its_message(server: MailServer):
    with Client(server.url) as client:
        receipt = client.send(Submission(b"Subject: secret link\r\n\r\nx\r\n", "a@example.com", ["b@example.org"]))
    assert "secret link" not in repr(receipt)
    assert "b@example.org: accepted" in repr(receipt)
