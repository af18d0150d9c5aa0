"""The client cut at every octet of a session, from either side, and stopped at every want: the receipts are true."""

import asyncio
import gc
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial

import pytest

from ninsho import AsyncClient, Client, Submission
from ninsho.client.receipt import Outcome, Receipt
from ninsho.errors import ClientError
from paper_server import AwaitedPaper, PaperTransport, Server


@dataclass(frozen=True)
class Style:
    name: str
    keywords: tuple[str, ...]
    lmtp: bool = False
    parameters: str = ""

    def server(self, **cut) -> Server:
        return Server(self.keywords, self.lmtp, **cut)

    @property
    def url(self) -> str:
        return f"{'lmtp' if self.lmtp else 'smtp'}://paper.example:25?tls=none&{self.parameters}"


STYLES = [
    Style("DATA in turns", ()),
    Style("BDAT in turns", ("CHUNKING",)),
    Style("the next behind the dot", ("PIPELINING",)),
    Style("BDAT in flight", ("PIPELINING", "CHUNKING")),
    Style("LMTP by DATA", ("PIPELINING",), lmtp=True),
    Style("LMTP by BDAT", ("PIPELINING", "CHUNKING"), lmtp=True),
]
every_style = pytest.mark.parametrize("style", STYLES, ids=lambda style: style.name)
BOTH = ["b@example.org", "c@example.org"]
MESSAGES = [
    Submission(b"Subject: 1\r\n\r\n.one\r\n", "a@example.org", BOTH),
    Submission(b"Subject: 2\r\n\r\ntwo\r\n", "a@example.org", ["no@example.org", "c@example.org"]),
    Submission(b"Subject: 3\r\n\r\nspam\r\n", "a@example.org", BOTH),
    Submission(b"Subject: 4\r\n\r\nfour\r\n", "a@example.org", ["no@example.org"]),
    Submission(b"Subject: 5\r\n\r\nfive\r\n", "a@example.org", BOTH),
]

LARGE = Submission(b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 30_000, "a@example.org", BOTH)


@pytest.fixture
def paper(monkeypatch):
    """Clients reach a server on paper."""

    class Blocking(PaperTransport):
        pass

    class Awaited(AwaitedPaper):
        pass

    def install(server):
        monkeypatch.setattr("ninsho.client.sync.SocketTransport", partial(Blocking, server))
        monkeypatch.setattr("ninsho.client.aio.StreamTransport", partial(Awaited, server))
        Blocking.number = Awaited.number = 0
        return Blocking, Awaited

    return install


def client_of(style):
    return Client(style.url, ehlo_name="client.example")


def send(style, receipts=None, messages=MESSAGES):
    """The receipts of all messages, blocking."""
    receipts = [] if receipts is None else receipts
    with client_of(style) as client:
        receipts.extend(iter(client.send_many(messages)))
    return receipts


def send_awaited(style, receipts=None, messages=MESSAGES):
    """The receipts of all messages, in an event loop."""
    receipts = [] if receipts is None else receipts

    async def run():
        async with AsyncClient(style.url, ehlo_name="client.example") as client:
            async for receipt in client.send_many(messages):
                receipts.append(receipt)

    asyncio.run(run())
    return receipts


def check_receipts(server: Server, receipts: list[Receipt]) -> None:
    """Compare what the receipts say with what the server has."""
    assert [receipt.submission for receipt in receipts] == MESSAGES
    for receipt in receipts:
        for fate in receipt.fates:
            count = server.delivered[receipt.submission.message, fate.recipient]
            match fate.outcome:
                case Outcome.ACCEPTED:
                    assert count == 1, receipt
                case Outcome.UNKNOWN:
                    assert count <= 1, receipt
                    assert has_left(server, receipt.submission.message), receipt
                case _:
                    assert count == 0, receipt


def has_left(server: Server, message: bytes) -> bool:
    """Whether a client has sent all of *message*, and what ends it."""
    return b"%d LAST\r\n%b" % (len(message), message) in server.left or (
        message.replace(b"\r\n.", b"\r\n..") + b".\r\n" in server.left
    )


def check_lines(server: Server) -> None:
    assert all(line.closed for line in server.lines)
    assert len(server.lines) < 15


def length(style: Style, side: str, paper) -> int:
    """How many octets one side says where nothing goes wrong."""
    server = style.server()
    paper(server)
    receipts = send(style)
    check_receipts(server, receipts)
    assert [[fate.outcome.value[0] for fate in receipt.fates] for receipt in receipts] == [
        ["a", "a"],
        ["r", "a"],
        ["r", "r"],
        ["r"],
        ["a", "a"],
    ]
    assert len(server.lines) == 1
    return server.lines[0].said if side == "server" else server.lines[0].heard


@every_style
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize(
    ("way", "rude"), [(send, False), (send, True), (send_awaited, True)], ids=["silently", "rudely", "in a loop"]
)
def test_the_first_connection_is_cut_at_every_octet(style, side, rude, way, paper):
    for cut in range(1, length(style, side, paper)):
        server = style.server(side=side, cut=cut, rude=rude)
        paper(server)
        receipts: list[Receipt] = []
        try:
            way(style, receipts)
        except ClientError:
            # There was no connection to be had.
            assert b"MAIL" not in server.left
            continue
        check_receipts(server, receipts)
        check_lines(server)
        # There is a second connection, where nothing is cut.
        unsent = [receipt for receipt in receipts if any(fate.outcome is Outcome.UNSENT for fate in receipt.fates)]
        assert not unsent, (cut, unsent)


@every_style
@pytest.mark.parametrize("side", ["server", "client"])
@pytest.mark.parametrize("rude", [False, True], ids=["silently", "rudely"])
def test_each_connection_is_cut_at_every_octet(style, side, rude, paper):
    for cut in range(1, length(style, side, paper)):
        server = style.server(side=side, cut=cut, cuts=100, rude=rude)
        paper(server)
        receipts: list[Receipt] = []
        try:
            send(style, receipts)
        except ClientError:
            # No connection was of any use: then the receipts are those of the messages that had been taken.
            assert all(len(line.left) < 200 for line in server.lines[-1:])
        told = {receipt.submission.message for receipt in receipts}
        check_receipts(Told(server, told), [*receipts, *untold(receipts)])
        assert not [pair for pair, count in server.delivered.items() if count > 1]
        check_lines(server)


class Told:
    """A server, of which only the messages *told* of count."""

    def __init__(self, server: Server, told: set[bytes]) -> None:
        self.left = server.left
        self.delivered = server.delivered
        unheard = [pair for pair in server.delivered if pair[0] not in told]
        assert not unheard, f"delivered, and nobody was told: {unheard}"


def untold(receipts: list[Receipt]) -> list[Receipt]:
    """Empty receipts for those messages that were not begun."""
    return [Receipt(message, "", "", ()) for message in MESSAGES[len(receipts) :]]


@every_style
@pytest.mark.parametrize("behind", [False, True], ids=["before it", "behind it"])
def test_a_blocking_client_is_interrupted_at_every_want_71(style, behind, paper):
    for number in range(1, 200):
        server = style.server()
        blocking, _ = paper(server)
        blocking.lightning, blocking.number, blocking.behind = KeyboardInterrupt, number, behind
        receipts: list[Receipt] = []
        with client_of(style) as client:
            try:
                receipts.extend(iter(client.send_many(MESSAGES)))
            except KeyboardInterrupt:
                check_stopped(server)
                blocking.lightning = None
                # The client is as good as new.
                assert client.send(b"Subject: 6\r\n\r\nsix\r\n", sender="a@example.org", recipients=BOTH).ok
                check_not_mixed(server)
            else:
                blocking.lightning = None
                break
    else:
        pytest.fail("expected a session of fewer wants")
    assert number > 10


@every_style
@pytest.mark.parametrize("behind", [False, True], ids=["before it", "behind it"])
def test_a_task_is_cancelled_at_every_want_71(style, behind, paper):
    async def run(number):
        server = style.server()
        _, awaited = paper(server)
        async with AsyncClient(style.url, ehlo_name="client.example") as client:
            task = asyncio.create_task(all_of(client))
            awaited.lightning, awaited.number, awaited.behind = asyncio.CancelledError, number, behind
            try:
                await task
            except asyncio.CancelledError:
                check_stopped(server)
                awaited.lightning = None
                sent = await client.send(b"Subject: 6\r\n\r\nsix\r\n", sender="a@example.org", recipients=BOTH)
                assert sent.ok
                check_not_mixed(server)
                return True
            awaited.lightning = None
        return False

    number = 1
    while asyncio.run(run(number)):
        number += 1
        assert number < 200
    assert number > 10


async def all_of(client):
    return [receipt async for receipt in client.send_many(MESSAGES)]


def check_stopped(server: Server) -> None:
    """Nothing was delivered but what was sent whole; the connection is closed."""
    assert all(line.closed for line in server.lines)
    whole = {message.message for message in MESSAGES}
    for (content, _), count in server.delivered.items():
        assert content in whole
        assert count == 1


def check_not_mixed(server: Server) -> None:
    """What was sent afterwards has its own recipients, and nobody else got anything more."""
    got = sorted(recipient for content, recipient in server.delivered if b"six" in content)
    assert got == BOTH
    assert max(server.delivered.values()) == 1


@every_style
@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_whoever_stops_reading_receipts_stops_the_run_71(style, count, paper):
    server = style.server()
    paper(server)
    with client_of(style) as client:
        receipts = client.send_many(MESSAGES)
        for _ in range(count):
            next(receipts)
        receipts.close()
        check_stopped(server)
        assert client.send(b"Subject: 6\r\n\r\nsix\r\n", sender="a@example.org", recipients=BOTH).ok
    check_not_mixed(server)


@every_style
@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("orderly", [True, False], ids=["closed", "dropped"])
def test_whoever_stops_reading_receipts_stops_the_run_in_a_loop_71(style, count, orderly, paper):
    async def run(server):
        async with AsyncClient(style.url, ehlo_name="client.example") as client:
            receipts = client.send_many(MESSAGES)
            if orderly:
                async with aclosing(receipts):
                    await some_of(receipts, count)
                check_stopped(server)
            else:
                await some_of(receipts, count)
                del receipts
                gc.collect()
            sent = await client.send(b"Subject: 6\r\n\r\nsix\r\n", sender="a@example.org", recipients=BOTH)
            assert sent.ok

    server = style.server()
    paper(server)
    asyncio.run(run(server))
    check_not_mixed(server)


async def some_of(receipts, count):
    async for _ in receipts:
        count -= 1
        if not count:
            break


def test_an_error_of_the_caller_is_not_replaced_71(paper):
    """``with`` ends, whatever QUIT comes to."""
    server = STYLES[0].server()
    paper(server)

    def fall_over():
        with client_of(STYLES[0]) as client:
            client.connect()
            server.lines[0].ended = True
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fall_over()


def test_two_coroutines_take_turns_on_one_connection_70(paper):
    async def run():
        async with AsyncClient(STYLES[2].url, ehlo_name="client.example") as client:
            return await asyncio.gather(*(client.send(message) for message in (MESSAGES[0], MESSAGES[4])))

    server = STYLES[2].server()
    paper(server)
    assert all(receipt.ok for receipt in asyncio.run(run()))
    assert len(server.lines) == 1


@pytest.mark.parametrize("way", [send, send_awaited])
@pytest.mark.parametrize("side", ["server", "client"])
@every_style
def test_several_connections_are_cut(style, side, way, paper):
    style = replace(style, parameters="connections=3")
    for cut in range(150, 700, 25):
        server = style.server(side=side, cut=cut, cuts=2, rude=True)
        paper(server)
        receipts = way(style, [])
        check_receipts(server, receipts)
        check_lines(server)


@pytest.mark.parametrize("way", [send, send_awaited])
def test_what_a_server_says_before_it_hangs_up_is_heard_65(way, paper):
    style = STYLES[2]
    server = style.server(most=500_000, rude=True)
    paper(server)
    (receipt,) = way(style, [], [LARGE])
    assert [str(fate.reply) for fate in receipt.refused] == ["552 5.3.4 too large"] * 2
    assert receipt.attempts == len(server.lines) == 1


@pytest.mark.parametrize("way", [send, send_awaited])
@every_style
def test_a_large_message_that_was_cut_was_not_sent_64(style, way, paper):
    server = style.server(side="client", cut=500_000, rude=True)
    paper(server)
    (receipt,) = way(style, [], [LARGE])
    assert receipt.ok
    assert receipt.attempts == len(server.lines) == 2
