"""The mail servers that mail clients are tried with: programs that are not ours send mail by them."""

import smtplib
import ssl
import subprocess
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import mail_servers
import pytest
from certificates import Certificates
from mail_server import LmtpServer, MailServer
from mailboxes import arrival

Require = Callable[..., str]
Start = Callable[[str], MailServer]
Msmtp = Callable[..., str]

MESSAGE = b"Subject: \xe8\xaa\x8d\xe8\xa8\xbc\r\n\r\n..two dots\r\n\r\n\xff" + b"x" * 900 + b"\r\n.\r\n..\r\n"

# GNU SASL, by which msmtp logs in, has no SCRAM-SHA-512.
OF_MSMTP = [
    pair
    for offered in (mail_servers.WITH_PASSWORDS, mail_servers.WITH_TOKENS)
    for pair in mail_servers.pairs(offered)
    if pair[1] != "SCRAM-SHA-512"
]

both = pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])


def context(server: MailServer) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=server.ca)


@contextmanager
def session(server: MailServer, tls: ssl.SSLContext, *, implicit: bool) -> Iterator[smtplib.SMTP]:
    kind = smtplib.SMTP_SSL if implicit else smtplib.SMTP
    port, options = (server.tls_port, {"context": tls}) if implicit else (server.port, {})
    # Left to itself it would say QUIT even after TLS has failed, and tell only that this failed.
    with closing(kind(server.host, port, local_hostname="client.example", timeout=20, **options)) as client:
        if not implicit:
            client.starttls(context=tls)
        client.ehlo()
        yield client
        client.quit()


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@both
def test_smtplib_sends_mail_that_arrives_as_it_was(mail_server: MailServer, *, implicit: bool) -> None:
    first, second = mail_server.recipient(), mail_server.recipient()
    with session(mail_server, context(mail_server), implicit=implicit) as client:
        client.login(mail_server.username, mail_server.password)
        client.sendmail("", [first, second], MESSAGE, mail_options=["BODY=8BITMIME"])
    assert mail_server.arrived(first) == [("", first, MESSAGE)]
    assert mail_server.arrived(second) == [("", second, MESSAGE)]


def test_nothing_is_put_right_on_the_way(mail_server: MailServer) -> None:
    head = b"Bcc: somebody@example.test\r\nSubject: x\r\n\r\n"
    messages = [b"\r\nno header\r\n", head + b"\0\1\xff\r\n", head + b"x" * 9000 + b"\r\n", head + b"-\r\n" * 100_000]
    recipients = [mail_server.recipient() for _ in messages]
    with session(mail_server, context(mail_server), implicit=True) as client:
        client.login(mail_server.username, mail_server.password)
        for recipient, message in zip(recipients, messages, strict=True):
            client.sendmail("", recipient, message, mail_options=["BODY=8BITMIME"])
    assert [mail_server.arrived(recipient)[0].message for recipient in recipients] == messages


def test_the_mechanisms_are_those_that_are_offered(mail_server: MailServer) -> None:
    with session(mail_server, context(mail_server), implicit=True) as client:
        offered = set(client.esmtp_features["auth"].split())
    assert offered - {"OREORE"} == {*mail_server.mechanisms, *mail_server.with_tokens}
    assert mail_server.mechanisms == mail_servers.WITH_PASSWORDS[mail_server.name]
    assert mail_server.with_tokens == mail_servers.WITH_TOKENS.get(mail_server.name, ())


def test_nobody_sends_mail_without_a_login(mail_server: MailServer) -> None:
    with session(mail_server, context(mail_server), implicit=True) as client, pytest.raises(smtplib.SMTPException):
        client.sendmail("", [mail_server.recipient()], MESSAGE)


@pytest.fixture
def msmtp(require: Require, tmp_path: Path) -> Msmtp:
    """Return what sends ``MESSAGE`` by msmtp, and returns all that it said."""
    program = require("msmtp")

    def send(server: MailServer, mechanism: str, secret: str, recipient: str, *, implicit: bool = True) -> str:
        given = tmp_path / "secret"
        given.write_text(f"{secret}\n")
        port = server.tls_port if implicit else server.port
        where = [f"--host={server.host}", f"--port={port}", "--domain=client.example"]
        tls = ["--tls=on", f"--tls-starttls={'off' if implicit else 'on'}", f"--tls-trust-file={server.ca}"]
        known = [f"--auth={mechanism.lower()}", f"--user={server.username}", f"--passwordeval=cat {given}"]
        return subprocess.run(
            [program, "--debug", *where, *tls, *known, f"--from={server.username}", recipient],
            input=MESSAGE.replace(b"\r\n", b"\n").decode("latin-1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="latin-1",
            env={"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            check=False,
            timeout=60,
        ).stdout

    return send


@both
@pytest.mark.parametrize(("name", "mechanism"), OF_MSMTP)
def test_msmtp_logs_in_by_each_mechanism(
    msmtp: Msmtp, start_mail_server: Start, name: str, mechanism: str, *, implicit: bool
) -> None:
    server = start_mail_server(name)
    recipient = server.recipient()
    secret = server.token() if mechanism in server.with_tokens else server.password
    said = msmtp(server, mechanism, secret, recipient, implicit=implicit)
    assert "<-- 235 " in said
    [arrived] = server.arrived(recipient)
    assert arrived.message.endswith(MESSAGE[-20:])


@pytest.mark.parametrize(("name", "mechanism"), OF_MSMTP)
def test_the_wrong_password_is_refused(msmtp: Msmtp, start_mail_server: Start, name: str, mechanism: str) -> None:
    server = start_mail_server(name)
    assert "<-- 535 " in msmtp(server, mechanism, "wrong", server.recipient())


def test_oreore_lets_in_whoever_says_a_name(start_mail_server: Start) -> None:
    server = start_mail_server("postfix+ninsho")
    with session(server, context(server), implicit=True) as client:
        assert client.docmd("AUTH", f"OREORE {encoded('hogehoge')}")[0] == 235


def test_a_certificate_logs_in_at_exim(start_mail_server: Start, certificates: Certificates) -> None:
    server = start_mail_server("exim")
    tls = context(server)
    tls.load_cert_chain(certificates.client)
    with session(server, tls, implicit=False) as client:
        assert "EXTERNAL" in client.esmtp_features["auth"].split()
        assert client.docmd("AUTH", f"EXTERNAL {encoded('ann@example.test')}")[0] == 535
        assert client.docmd("AUTH", f"EXTERNAL {encoded(server.username)}")[0] == 235


def test_a_certificate_of_another_authority_does_not(start_mail_server: Start, certificates: Certificates) -> None:
    server = start_mail_server("exim")
    tls = context(server)
    tls.load_cert_chain(certificates.forged_client)
    with session(server, tls, implicit=False) as client:
        assert "EXTERNAL" not in client.esmtp_features["auth"].split()


@both
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired", "certificate has expired"),
        ("wrong_name", "Hostname mismatch"),
        ("unknown_authority", "unable to get local issuer certificate"),
    ],
)
def test_bad_certificates_are_bad(
    untrustworthy: Mapping[str, MailServer], name: str, reason: str, *, implicit: bool
) -> None:
    server = untrustworthy[name]
    with (
        pytest.raises(ssl.SSLCertVerificationError, match=reason),
        session(server, context(server), implicit=implicit),
    ):
        pass


def verdicts(client: smtplib.LMTP, server: LmtpServer) -> list[int]:
    """What becomes of a message to all of the users: the codes after each RCPT, then those after the message."""
    client.ehlo_or_helo_if_needed()
    client.mail("")
    codes = [client.rcpt(recipient)[0] for recipient in (*server.known, server.full, server.unknown)]
    codes.append(client.data(MESSAGE)[0])
    return [*codes, *(client.getreply()[0] for _ in (*server.known[1:], server.full))]


@pytest.mark.parametrize("way", ["port", "socket"])
def test_lmtp_has_a_verdict_for_each_recipient(lmtp_server: LmtpServer, way: str) -> None:
    host, port = (lmtp_server.host, lmtp_server.port) if way == "port" else (str(lmtp_server.socket), 0)
    before = [len(lmtp_server.arrived(recipient, count=0)) for recipient in lmtp_server.known]
    with smtplib.LMTP(host, port, local_hostname="client.example") as client:
        assert verdicts(client, lmtp_server) == [250, 250, 250, 550, 250, 250, 552]
    for recipient, count in zip(lmtp_server.known, before, strict=True):
        assert lmtp_server.arrived(recipient, count=count + 1)[-1] == ("", recipient, MESSAGE)
    assert lmtp_server.arrived(lmtp_server.full, count=0) == []


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (
            b"Return-Path: <a@b>\nDelivered-To: c@d\nReceived: from x\n\tby y\nA: 1\n\nb\n",
            ("a@b", "c@d", b"A: 1\r\n\r\nb\r\n"),
        ),
        (b"Delivered-To: <c@d>\nReturn-Path: <>\n", ("", "c@d", b"")),
        (
            b"Return-path: <a@b>\nEnvelope-to: C@d\n\nDelivered-To: not here\n",
            ("a@b", "C@d", b"\r\nDelivered-To: not here\r\n"),
        ),
    ],
)
def test_an_envelope_is_read_from_above_the_message(stored: bytes, expected: tuple[str, str, bytes]) -> None:
    assert arrival(stored) == expected
