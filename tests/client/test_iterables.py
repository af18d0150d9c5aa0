"""What messages are taken from: lists, generators, what raises in the middle, what is no message at all."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from ninsho import AsyncClient, AtHand, Client, Submission
from ninsho.client.transcript import Transcript
from ninsho.testing import MailServer


class OutOfPaper(Exception):
    pass


def message(number: int) -> Submission:
    return Submission(b"Subject: %d\r\n\r\nx\r\n" % number, "a@example.com", ["b@example.org"])


def three_then_trouble() -> Iterator[Submission]:
    yield from map(message, range(3))
    raise OutOfPaper


async def three_then_trouble_later() -> AsyncIterator[Submission]:
    for one in three_then_trouble():
        yield one


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as server:
        yield server


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("without", ["", "CHUNKING", "PIPELINING,CHUNKING"])
def test_what_an_iterable_raises_comes_behind_all_receipts(server: MailServer, connections: int, without: str):
    receipts = []
    told = {"without": without} if without else {}
    with Client(server.url, connections=connections, **told) as client, pytest.raises(OutOfPaper):
        receipts.extend(client.send_many(three_then_trouble()))
    assert [receipt.ok for receipt in receipts] == [True] * 3
    assert len(server.messages) == 3


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("source", [three_then_trouble, three_then_trouble_later])
def test_what_an_iterable_raises_comes_behind_all_receipts_in_an_event_loop(
    server: MailServer, connections: int, source
):
    receipts = []

    async def main() -> None:
        async with AsyncClient(server.url, connections=connections) as client:
            async for receipt in client.send_many(source()):
                receipts.append(receipt)  # noqa: PERF401 - those before the trouble are wanted

    with pytest.raises(OutOfPaper):
        asyncio.run(main())
    assert [receipt.ok for receipt in receipts] == [True] * 3
    assert len(server.messages) == 3


def test_what_is_no_message_stops_the_run_behind_what_came_before(server: MailServer):
    receipts = []
    messages = [message(1), "Subject: 2\r\n\r\n", message(3)]
    with Client(server.url) as client, pytest.raises(TypeError, match=r"expected a message, bytes, .* got str"):
        receipts.extend(client.send_many(messages))
    assert [receipt.ok for receipt in receipts] == [True]


def test_none_is_no_end(server: MailServer):
    with Client(server.url) as client, pytest.raises(TypeError, match="got NoneType"):
        list(client.send_many([None]))


def test_a_text_is_no_message(server: MailServer):
    with Client(server.url) as client, pytest.raises(TypeError, match="got str"):
        client.send("Subject: x\r\n\r\n")
    assert not server.talks


@pytest.mark.parametrize(
    ("source", "together"),
    [(AtHand, True), (list, True), (lambda messages: (one for one in messages), False)],
    ids=["at hand", "a list", "a generator"],
)
def test_what_is_at_hand_leaves_with_the_end_of_the_message_before(server: MailServer, source, together):
    lines: list[str] = []
    with Client(server.url, without="CHUNKING", transcript=Transcript(lines.append)) as client:
        assert all(receipt.ok for receipt in client.send_many(source(map(message, range(3)))))
    after_first_dot = lines[lines.index("> .") + 1]
    assert after_first_dot.startswith(">" if together else "< 250"), lines


@pytest.mark.parametrize("connections", [1, 3])
def test_what_raises_though_it_is_at_hand_comes_behind_all_receipts(server: MailServer, connections: int):
    receipts = []
    with Client(server.url, connections=connections) as client, pytest.raises(OutOfPaper):
        receipts.extend(client.send_many(AtHand(three_then_trouble())))
    assert [receipt.ok for receipt in receipts] == [True] * 3
