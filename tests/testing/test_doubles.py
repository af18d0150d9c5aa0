"""The clients that send nothing have a client's face, and tell the truth."""

import asyncio
import inspect
import io
import mailbox
from email.message import EmailMessage

import pytest

from ninsho import AsyncClient, Client
from ninsho.client.errors import RecipientsRefused
from ninsho.mail.message import Submission
from ninsho.mail.options import Options, Recipient
from ninsho.mail.unsendable import Unsendable
from ninsho.testing import (
    AsyncEchoClient,
    AsyncMaildirClient,
    AsyncMboxClient,
    AsyncMemoryClient,
    EchoClient,
    MaildirClient,
    MailServer,
    MboxClient,
    MemoryClient,
)

RAW = b"From: a@example.org\nTo: B <b@example.org>\nBcc: c@example.org\nMessage-ID: <1@example.org>\n\n.hello\n"
SENT = b"From: a@example.org\r\nTo: B <b@example.org>\r\nMessage-ID: <1@example.org>\r\n\r\n.hello\r\n"


def composed():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "多謝"
    message.set_content("多謝\n")
    return message


def test_memory_keeps_messages_with_their_envelope():
    with MemoryClient() as client:
        receipt = client.send(RAW)
    (received,) = client.messages
    assert (received.sender, received.recipients) == ("a@example.org", ("b@example.org", "c@example.org"))
    assert received.content == SENT
    assert receipt.ok
    assert receipt.accepted == ("b@example.org", "c@example.org")
    assert receipt.message_id == "<1@example.org>"
    assert receipt.queue_id == received.queue_id
    client.clear()
    assert client.messages == []


def test_what_was_composed_is_kept():
    client = MemoryClient()
    client.send(composed())
    assert client.messages[0].message["Subject"] == "多謝"
    assert client.messages[0].message.get_content() == "多謝\n"


def test_an_envelope_may_be_given():
    client = MemoryClient()
    recipients = [Recipient("d@example.org", notify=["DELAY"])]
    client.send(RAW, sender="", recipients=recipients, options=Options(envid="QQ314159", hold_for=60))
    (received,) = client.messages
    assert (received.sender, received.recipients) == ("", ("d@example.org",))
    assert received.mail_parameters == {"SIZE": str(len(SENT)), "ENVID": "QQ314159", "HOLDFOR": "60"}
    assert received.rcpt_parameters == {"d@example.org": {"NOTIFY": "DELAY"}}


def test_some_recipients_are_refused():
    client = MemoryClient(refuse={"c@example.org": "550 5.1.1 no such user"})
    receipt = client.send(RAW)
    assert receipt.accepted == ("b@example.org",)
    (fate,) = receipt.refused
    assert (fate.recipient, str(fate.reply), fate.permanent) == ("c@example.org", "550 5.1.1 no such user", True)
    assert client.messages[0].recipients == ("b@example.org",)


def test_all_recipients_are_refused():
    client = MemoryClient(refuse={"c@example.org": "451 4.3.0 later"})
    with pytest.raises(RecipientsRefused, match=r"c@example.org: 451 4\.3\.0 later") as caught:
        client.send(RAW, recipients=["c@example.org"])
    assert caught.value.temporary
    assert client.messages == []


ODD = [
    "a..b@docomo.ne.jp",
    "a.@docomo.ne.jp",
    "a@my_host.local",
    f"{'x' * 70}@example.org",
    '"a> b"@example.org',
    "root",
]


@pytest.mark.parametrize("address", ODD)
def test_what_a_client_sends_is_taken(address):
    client = MemoryClient()
    options = Options(auth="<>", ret="HDRS", mail_parameters=["XVERP", "XVERP"])
    assert client.send(RAW, sender=address, recipients=[Recipient(address, orcpt="c@example.org")], options=options).ok
    (received,) = client.messages
    assert (received.sender, received.recipients) == (address, (address,))
    assert received.mail_parameters == {"RET": "HDRS", "AUTH": "<>", "XVERP": "", "SIZE": str(len(SENT))}
    assert received.rcpt_parameters == {address: {"ORCPT": "rfc822;c@example.org"}}


@pytest.mark.parametrize("address", ODD[:-1])
def test_a_server_takes_it_as_well(address):
    with MailServer() as server, Client(server.url) as client:
        assert client.send(RAW, sender=address, recipients=[address]).ok
        assert (server.messages[0].sender, server.messages[0].recipients) == (address, (address,))
        assert server.violations == []


def test_a_domain_is_as_a_server_sees_it():
    client = MemoryClient(refuse={"c@example.org": "550 no"})
    client.send(RAW, sender="", recipients=["b@bücher.example", "c@example.org"])
    assert client.messages[0].recipients == ("b@xn--bcher-kva.example",)
    assert list(client.messages[0].rcpt_parameters) == ["b@xn--bcher-kva.example"]


@pytest.mark.parametrize("client", [MemoryClient(), AsyncMemoryClient()])
def test_there_are_settings(client):
    assert client.settings.endpoints[0].host == "localhost"
    assert client.settings.limits.connections == 1


def test_a_refusal_is_a_reply():
    with pytest.raises(ValueError, match=r"expected a reply such as '550 5\.1\.1 no such user', got '250 ok'"):
        MemoryClient(refuse={"c@example.org": "250 ok"})


def test_what_cannot_be_sent_is_told():
    client = MemoryClient()
    with pytest.raises(Unsendable):
        client.send(b"Subject: to nobody\n\n")
    (receipt,) = client.send_many([b"Subject: to nobody\n\n"])
    assert not receipt.ok
    assert isinstance(receipt.error, Unsendable)


def test_many_messages_have_a_receipt_each():
    seen = []
    client = MemoryClient(refuse={"x@example.org": "550 no"})
    messages = [RAW, Submission(RAW, recipients=["x@example.org"]), RAW]
    receipts = list(client.send_many(messages, progress=seen.append))
    assert [receipt.ok for receipt in receipts] == [True, False, True]
    assert [(one.done, one.accepted, one.total) for one in seen] == [(1, 1, 3), (2, 1, 3), (3, 2, 3)]
    assert len({receipt.queue_id for receipt in receipts if receipt.ok}) == 2


def test_an_mbox_grows(tmp_path):
    path = tmp_path / "mbox"
    for _ in range(2):
        with MboxClient(path) as client:
            assert client.send(RAW).ok
    box = mailbox.mbox(path)
    assert len(box) == 2
    assert box[0]["Return-Path"] == "<a@example.org>"
    assert box[0]["X-Envelope-To"] == "<b@example.org>,\n <c@example.org>"
    assert "Bcc" not in box[1]
    assert box[1].get_payload() == ".hello\n"
    box.close()


def test_a_maildir_fills(tmp_path):
    with MaildirClient(tmp_path / "mail") as client:
        list(client.send_many([RAW, composed()]))
    assert len(list((tmp_path / "mail" / "new").iterdir())) == 2


def test_an_echo_is_readable(capsys):
    EchoClient().send(RAW.replace(b"hello", b"h\x1b[31m"))
    assert capsys.readouterr().out.splitlines() == [
        f"MAIL FROM:<a@example.org> SIZE={len(SENT) + 1}",
        "RCPT TO:<b@example.org>",
        "RCPT TO:<c@example.org>",
        *SENT.decode().replace("hello", r"h\x1b[31m").split("\r\n"),
    ]
    stream = io.StringIO()
    EchoClient(stream).send(RAW)
    assert stream.getvalue().endswith(".hello\n\n")


def parameters(method):
    return {name: (one.kind, one.default) for name, one in inspect.signature(method).parameters.items()}


@pytest.mark.parametrize(("double", "client"), [(MemoryClient, Client), (AsyncMemoryClient, AsyncClient)])
@pytest.mark.parametrize("name", ["send", "send_many", "connect", "close"])
def test_the_face_is_the_clients(double, client, name):
    assert parameters(getattr(double, name)) == parameters(getattr(client, name))


def asynchronous(tmp_path):
    return [
        AsyncMemoryClient(),
        AsyncMboxClient(tmp_path / "mbox"),
        AsyncMaildirClient(tmp_path / "mail"),
        AsyncEchoClient(io.StringIO()),
    ]


def test_the_same_without_blocking(tmp_path):
    async def stream():
        yield RAW
        yield RAW

    async def send(client):
        async with client:
            assert (await client.send(RAW)).ok
            return [receipt.ok async for receipt in client.send_many([RAW])] + [
                receipt.ok async for receipt in client.send_many(stream())
            ]

    for client in asynchronous(tmp_path):
        assert asyncio.run(send(client)) == [True] * 3


@pytest.mark.parametrize("client", [MemoryClient(), AsyncMemoryClient()])
def test_an_order_that_is_none(client):
    with pytest.raises(ValueError, match=r"^order: expected \"submitted\" or \"completed\", got 'complete'$"):
        client.send_many([RAW], order="complete")
    assert client.messages == []
