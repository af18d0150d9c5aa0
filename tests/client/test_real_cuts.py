"""Connections of sockets that are cut, and tasks that are cancelled while a server is silent: the receipts are true."""

import asyncio
import gc

import pytest

from ninsho import AsyncClient, Client, Submission
from ninsho.client.transcript import Recorder
from ninsho.errors import ClientError
from ninsho.testing import MailServer

BOTH = ["b@example.org", "c@example.org"]
MESSAGES = [
    Submission(b"Subject: 1\r\n\r\n.one\r\n", "a@example.org", BOTH),
    Submission(b"Subject: 2\r\n\r\ntwo\r\n", "a@example.org", BOTH),
]


@pytest.fixture(scope="module")
def mail_server():
    with MailServer() as server:
        yield server


def sent_over(server, *, without):
    with Client(f"{server.url}&without={without}&timeout=10s") as client:
        return [*client.send_many(MESSAGES)]


def sent_over_awaited(server, *, without):
    async def run():
        async with AsyncClient(f"{server.url}&without={without}&timeout=10s") as client:
            return [receipt async for receipt in client.send_many(MESSAGES)]

    return asyncio.run(run())


@pytest.mark.parametrize("without", ["PIPELINING,CHUNKING", "CHUNKING", "SIZE"], ids=["DATA", "pipelined", "BDAT"])
@pytest.mark.parametrize("of", ["client", "server"])
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
@pytest.mark.parametrize("way", [sent_over, sent_over_awaited])
def test_a_real_connection_is_cut(mail_server, without, of, reset, way):
    mail_server.clear()
    way(mail_server, without=without)
    talk = mail_server.talks[-1]
    whole = len(talk.heard if of == "client" else talk.said)
    # Every octet is cut at on paper; here the places move from one run to the next.
    for cut in range(1 + len(without) % 7, whole, 7):
        mail_server.clear()
        mail_server.cut(after=cut, of=of, reset=reset, times=1)
        try:
            receipts = way(mail_server, without=without)
        except ClientError:
            receipts = []
        got = [(one.content, recipient) for one in mail_server.messages for recipient in one.recipients]
        assert len(got) == len(set(got))
        for receipt in receipts:
            taken = {recipient for content, recipient in got if content == receipt.submission.message}
            assert set(receipt.accepted) <= taken, (cut, receipt)
            assert taken <= {*receipt.accepted, *receipt.unknown}, (cut, receipt)
        assert not mail_server.violations


class Ear(Recorder):
    """Tells when the client has said something."""

    def __init__(self, verb: str) -> None:
        super().__init__()
        self.verb, self.said = verb, asyncio.Event()

    def sent(self, data: bytes | str) -> None:
        super().sent(data)
        if self.lines[-1].startswith(f"> {self.verb}"):
            self.said.set()

    def noted(self, text: str, *, error: bool = False) -> None:
        super().noted(text, error=error)
        if not self.verb:
            self.said.set()


@pytest.mark.parametrize(
    ("event", "line"),
    [("EHLO", "EHLO"), ("AUTH", "AUTH"), ("MAIL", "MAIL"), ("RCPT", "RCPT"), ("DATA", "DATA"), ("dot", "."), ("", "")],
)
@pytest.mark.filterwarnings("error")
def test_a_task_that_waits_for_a_silent_server_is_cancelled_71(event, line):
    async def run(server):
        ear = Ear(line)
        url = server.url_for("alice") + "&without=PIPELINING,CHUNKING"
        async with AsyncClient(url, transcript=ear) as client:
            task = asyncio.create_task(client.send(MESSAGES[0]))
            await asyncio.wait_for(ear.said.wait(), 10)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            return await client.send(MESSAGES[1])

    with MailServer(users={"alice": "secret-word"}) as server:
        server.silence(event or "greeting", connection=1)
        assert asyncio.run(run(server)).ok
        gc.collect()
        (message,) = server.messages
        assert message.content == MESSAGES[1].message
