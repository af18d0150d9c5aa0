"""Both clients with mail servers that are not ours: every way to log in, every way to send, and what then arrives."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from ssl import PEM_cert_to_DER_cert

import mail_servers
import pytest
from certificates import Certificates
from mail_server import USER, LmtpServer, MailServer

from ninsho import AsyncClient, Client
from ninsho.client.errors import AuthenticationFailed, RecipientsRefused, TLSFailed
from ninsho.client.receipt import Receipt
from ninsho.mail.message import Submission
from ninsho.sasl.exchange import Credentials, Steps
from ninsho.sasl.mechanism import Mechanism

Start = Callable[[str], MailServer]
Messages = Sequence[Submission]

LINE = b"x" * 70 + b"\r\n"
STRANGER = "nobody@example.org"
HEAD = b"Subject: greetings\r\n\r\n"

SHAPES = {
    "dots": HEAD + b".\r\n..\r\n.dot\r\nno dot.\r\n",
    "eight-bit": HEAD + "認証\r\n".encode() + b"\xff\xfe\r\n",
    "large": HEAD + b"0123456789\r\n" * 300_000,
    "long lines": HEAD + (b"x" * 998 + b"\r\n") * 3,
    "header alone": HEAD,
    "blank lines": HEAD + b"\r\n" * 5_000,
    "own Received": b"X-Mark: 1\r\nReceived: from here by there\r\n" + HEAD,
}

# The ways in which transactions follow each other.
WAYS = {"chunking": None, "pipelining": ["CHUNKING"], "one by one": ["CHUNKING", "PIPELINING"]}

both_kinds = pytest.mark.parametrize("kind", [Client, AsyncClient])
both_ports = pytest.mark.parametrize("tls", ["starttls", "implicit"])
each_way = pytest.mark.parametrize("without", WAYS.values(), ids=WAYS)


def place(server: MailServer, tls: str = "implicit") -> dict[str, object]:
    """The keywords that say where to submit, and whom to believe."""
    port = server.tls_port if tls == "implicit" else server.port
    return {"host": server.host, "port": port, "tls": tls, "ca": server.ca}


def login(server: MailServer, mechanism: str | None = None, *, secret: str | None = None) -> dict[str, object]:
    """The keywords that say who logs in, and how."""
    if mechanism in server.with_tokens:
        return {"username": server.username, "token": secret or server.token(), "auth": mechanism}
    return {"username": server.username, "password": secret or server.password, "auth": mechanism}


def submit(kind: type, messages: Iterable[Submission], **keywords: object) -> list[Receipt]:
    """What becomes of *messages* that one of the clients submits."""
    if kind is Client:
        with Client(**keywords) as client:
            return list(client.send_many(messages))

    async def submitted() -> list[Receipt]:
        async with AsyncClient(**keywords) as client:
            return [receipt async for receipt in client.send_many(messages)]

    return asyncio.run(submitted())


def message(text: str, *recipients: str) -> Submission:
    return Submission(HEAD + text.encode() + b"\r\n", USER, recipients)


# Logging in


@both_kinds
@both_ports
@pytest.mark.parametrize(
    ("name", "mechanism"),
    [*mail_servers.pairs(mail_servers.WITH_PASSWORDS), *mail_servers.pairs(mail_servers.WITH_TOKENS)],
)
def test_each_mechanism_logs_in_and_sends(
    start_mail_server: Start, name: str, mechanism: str, tls: str, kind: type
) -> None:
    server = start_mail_server(name)
    recipient = server.recipient()
    one = message(mechanism, recipient)
    [receipt] = submit(kind, [one], **place(server, tls), **login(server, mechanism))
    assert receipt.ok
    assert receipt.via.mechanism == mechanism
    assert receipt.via.tls == "TLSv1.3"
    assert receipt.queue_id
    assert server.arrived(recipient) == [(USER, recipient, one.message)]


@both_kinds
@pytest.mark.parametrize(
    ("name", "mechanism"),
    [*mail_servers.pairs(mail_servers.WITH_PASSWORDS), *mail_servers.pairs(mail_servers.WITH_TOKENS)],
)
def test_the_wrong_password_is_refused(start_mail_server: Start, name: str, mechanism: str, kind: type) -> None:
    server = start_mail_server(name)
    with pytest.raises(AuthenticationFailed) as raised:
        submit(kind, [message("x", USER)], **place(server), **login(server, mechanism, secret="tanstaaftanstaaf"))
    assert raised.value.smtp_code == 535
    assert raised.value.permanent
    assert mechanism in str(raised.value)
    assert "tanstaaf" not in str(raised.value)


@both_kinds
def test_left_to_itself_it_takes_the_best_mechanism(mail_server: MailServer, kind: type) -> None:
    expected = {"postfix+ninsho": "SCRAM-SHA-512", "exim": "PLAIN"}.get(mail_server.name, "SCRAM-SHA-256")
    [receipt] = submit(kind, [message("x", mail_server.recipient())], **place(mail_server), **login(mail_server))
    assert receipt.via.mechanism == expected


@both_kinds
@pytest.mark.parametrize("mechanism", ["OAUTHBEARER", "XOAUTH2"])
@pytest.mark.parametrize("name", mail_servers.WITH_TOKENS)
def test_a_token_that_is_refused_is_asked_for_once_more(
    start_mail_server: Start, name: str, mechanism: str, kind: type
) -> None:
    server = start_mail_server(name)
    asked = []

    def token(*, refresh: bool = False) -> str:
        asked.append(refresh)
        return server.token() if refresh else "stale"

    keywords = {"username": server.username, "token": token, "auth": mechanism}
    [receipt] = submit(kind, [message("x", server.recipient())], **place(server), **keywords)
    assert receipt.ok
    assert asked == [False, True]


@both_kinds
@both_ports
def test_a_certificate_logs_in(start_mail_server: Start, certificates: Certificates, tls: str, kind: type) -> None:
    server = start_mail_server("exim")
    keywords = {"certificate": certificates.client, "authzid": server.username, "auth": "EXTERNAL"}
    [receipt] = submit(kind, [message("x", server.recipient())], **place(server, tls), **keywords)
    assert receipt.ok
    assert receipt.via.mechanism == "EXTERNAL"


def says_a_name(credentials: Credentials) -> Steps:
    yield credentials.username.encode()


@both_kinds
def test_a_mechanism_of_ones_own_logs_in(start_mail_server: Start, kind: type) -> None:
    server = start_mail_server("postfix+ninsho")
    oreore = Mechanism("OREORE", server=lambda _: None, client=says_a_name)
    keywords = {"username": "hogehoge", "password": "x", "auth": "OREORE", "mechanisms": [oreore]}
    [receipt] = submit(kind, [message("x", server.recipient())], **place(server), **keywords)
    assert receipt.via.mechanism == "OREORE"


# What arrives


@both_kinds
@each_way
@pytest.mark.parametrize("name", mail_servers.STARTED)
def test_messages_arrive_as_they_are(
    start_mail_server: Start, name: str, without: list[str] | None, kind: type
) -> None:
    server = start_mail_server(name)
    sent = {server.recipient(): shape for shape in SHAPES.values()}
    messages = [Submission(shape, USER, [recipient]) for recipient, shape in sent.items()]
    receipts = submit(kind, messages, **place(server), **login(server), without=without)
    assert [receipt.ok for receipt in receipts] == [True] * len(sent)
    assert {recipient: server.arrived(recipient)[0].message for recipient in sent} == sent


@both_kinds
@each_way
def test_an_empty_message_is_no_accident(mail_server: MailServer, without: list[str] | None, kind: type) -> None:
    recipient, after = mail_server.recipient(), mail_server.recipient()
    messages = [Submission(b"", "", [recipient]), message("x", after)]
    receipts = submit(kind, messages, **place(mail_server), **login(mail_server), without=without)
    assert [receipt.ok for receipt in receipts] == [True, True]
    [empty] = mail_server.arrived(recipient)
    # Exim ends the header that the others leave open.
    assert (empty.sender, empty.message.strip()) == ("", b"")
    assert mail_server.arrived(after) == [(USER, after, messages[1].message)]


@both_kinds
def test_blind_copies_are_blind(mail_server: MailServer, kind: type) -> None:
    seen, blind = mail_server.recipient(), mail_server.recipient()
    text = f"From: {USER}\r\nTo: {seen}\r\nBcc: {blind}\r\nSubject: x\r\n\r\nhello\r\n"
    [receipt] = submit(kind, [Submission(text.encode())], **place(mail_server), **login(mail_server))
    assert receipt.accepted == (seen, blind)
    for recipient in (seen, blind):
        [arrived] = mail_server.arrived(recipient)
        assert arrived.sender == USER
        assert arrived.message == text.replace(f"Bcc: {blind}\r\n", "").encode()


# Many messages


def numbered(recipient: str, count: int) -> list[Submission]:
    """Messages of all sizes, each different."""
    return [
        Submission(b"Subject: %d\r\n\r\n.\r\n..\r\n%b" % (number, LINE * (number * 37 % 100)), USER, [recipient])
        for number in range(count)
    ]


def assert_each_arrived_once(server: MailServer, recipient: str, messages: Messages) -> None:
    arrived = Counter(one.message for one in server.arrived(recipient, count=len(messages)))
    sent = Counter(one.message for one in messages)
    assert [lost[:20] for lost in sent - arrived] == []
    assert [doubled[:20] for doubled in arrived - sent] == []


@both_kinds
@each_way
@pytest.mark.parametrize("name", mail_servers.STARTED)
def test_of_hundreds_none_is_lost_or_doubled(
    start_mail_server: Start, name: str, without: list[str] | None, kind: type
) -> None:
    server = start_mail_server(name)
    recipient = server.recipient()
    messages = numbered(recipient, 300)
    receipts = submit(kind, messages, **place(server), **login(server), without=without)
    assert [receipt.submission for receipt in receipts] == messages
    assert all(receipt.ok for receipt in receipts)
    assert_each_arrived_once(server, recipient, messages)


@both_kinds
def test_they_go_by_several_connections(mail_server: MailServer, kind: type) -> None:
    recipient = mail_server.recipient()
    messages = numbered(recipient, 200)
    receipts = submit(kind, messages, **place(mail_server), **login(mail_server), connections=5)
    assert [receipt.submission for receipt in receipts] == messages
    assert all(receipt.ok for receipt in receipts)
    assert_each_arrived_once(mail_server, recipient, messages)


@both_kinds
@each_way
@pytest.mark.parametrize("name", mail_servers.STARTED)
def test_the_refused_do_not_harm_the_others(
    start_mail_server: Start, name: str, without: list[str] | None, kind: type
) -> None:
    # A server may count what it refuses: Exim by default no more than ten such messages on a connection.
    server = start_mail_server(name)
    recipient = server.recipient()
    messages = numbered(recipient, 90)
    for number in range(0, 90, 3):
        others = [STRANGER] if number % 2 else [STRANGER, recipient]
        messages[number] = replace(messages[number], recipients=others)
    receipts = submit(kind, messages, **place(server), **login(server), without=without)
    for one, receipt in zip(messages, receipts, strict=True):
        assert receipt.accepted == tuple(address for address in one.recipients if address == recipient)
        assert [fate.recipient for fate in receipt.refused] == [each for each in one.recipients if each == STRANGER]
        assert receipt.unknown == ()
    assert_each_arrived_once(server, recipient, [one for one in messages if recipient in one.recipients])


def test_a_message_for_nobody_is_an_error(mail_server: MailServer) -> None:
    with (
        Client(**place(mail_server), **login(mail_server)) as client,
        pytest.raises(RecipientsRefused, match=STRANGER) as raised,
    ):
        client.send(HEAD, sender=USER, recipients=[STRANGER])
    assert raised.value.permanent
    assert raised.value.recipients[STRANGER][0] == 550
    [fate] = raised.value.receipt.refused
    assert fate.reply.code == 550


def test_a_connection_serves_message_after_message(mail_server: MailServer) -> None:
    recipient = mail_server.recipient()
    with Client(**place(mail_server), **login(mail_server)) as client:
        for number in range(5):
            assert client.send(HEAD + b"%d\r\n" % number, sender=USER, recipients=[recipient]).ok
    assert len(mail_server.arrived(recipient, count=5)) == 5


# Whom to believe


REASONS = {
    "expired": "has expired",
    "wrong_name": "another name",
    "unknown_authority": "an authority that is not known here",
}


@both_kinds
@both_ports
@pytest.mark.parametrize("name", REASONS)
def test_a_bad_certificate_is_explained(
    untrustworthy: Mapping[str, MailServer], name: str, tls: str, kind: type
) -> None:
    server = untrustworthy[name]
    with pytest.raises(TLSFailed, match=REASONS[name]) as raised:
        submit(kind, [message("x", USER)], **place(server, tls), **login(server))
    assert raised.value.permanent
    assert str(server.tls_port if tls == "implicit" else server.port) in str(raised.value)


@both_kinds
@both_ports
@pytest.mark.parametrize("name", REASONS)
def test_a_pinned_certificate_is_good_whatever_it_says(
    untrustworthy: Mapping[str, MailServer], certificates: Certificates, name: str, tls: str, kind: type
) -> None:
    server = untrustworthy[name]
    keywords = {**place(server, tls), **login(server), "ca": None}
    recipient = server.recipient()
    one = message("x", recipient)
    [receipt] = submit(kind, [one], **keywords, fingerprint=fingerprint(getattr(certificates, name)))
    assert receipt.ok
    assert server.arrived(recipient) == [(USER, recipient, one.message)]
    with pytest.raises(TLSFailed):
        submit(kind, [one], **keywords, fingerprint=fingerprint(certificates.good))


def fingerprint(path: Path) -> str:
    """The SHA-256 of the first certificate in a PEM file."""
    text = path.read_text()
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    first = text[text.index(begin) : text.index(end) + len(end)]
    return sha256(PEM_cert_to_DER_cert(first)).hexdigest()


@both_kinds
def test_another_name_may_be_expected(mail_server: MailServer, kind: type) -> None:
    keywords = {**place(mail_server), **login(mail_server)}
    [receipt] = submit(kind, [message("x", mail_server.recipient())], **keywords, server_name="mail.example.test")
    assert receipt.ok
    with pytest.raises(TLSFailed):
        submit(kind, [message("x", USER)], **keywords, server_name="mail.example.org")


# LMTP


@both_kinds
@each_way
@pytest.mark.parametrize("way", ["port", "socket"])
def test_lmtp_has_a_verdict_for_each_recipient(
    lmtp_server: LmtpServer, way: str, without: list[str] | None, kind: type
) -> None:
    where = {"host": lmtp_server.host, "port": lmtp_server.port} if way == "port" else {"path": lmtp_server.socket}
    everybody = (lmtp_server.known[0], lmtp_server.full, lmtp_server.unknown, *lmtp_server.known[1:])
    messages = [Submission(HEAD + b"%d %a %a\r\n" % (n, way, without), USER, everybody) for n in range(20)]
    before = {known: len(lmtp_server.arrived(known, count=0)) for known in lmtp_server.known}
    receipts = submit(kind, messages, **where, protocol="lmtp", tls="none", without=without)
    for receipt in receipts:
        assert receipt.accepted == lmtp_server.known
        full, unknown = receipt.refused
        assert (full.recipient, full.reply.code, full.stage.value) == (lmtp_server.full, 552, "DATA")
        assert (unknown.recipient, unknown.reply.code, unknown.stage.value) == (lmtp_server.unknown, 550, "RCPT")
    for known, count in before.items():
        arrived = Counter(one.message for one in lmtp_server.arrived(known, count=count + 20))
        assert {one.message for one in messages} <= arrived.keys()
    assert lmtp_server.arrived(lmtp_server.full, count=0) == []
