"""The face of smtplib: what it does better, and that programs written for smtplib find what they know."""

import importlib
import logging.handlers
import smtplib
import socket
import ssl
import sys
from email.message import EmailMessage

import pytest

from ninsho import like_smtplib
from ninsho.client.errors import OutcomeUnknown
from ninsho.errors import ClientError
from ninsho.like_smtplib import LMTP, SMTP, SMTP_SSL
from ninsho.testing import MailServer

TEXT = "From: a@example.org\nTo: b@example.org\nSubject: hi\n\nhello\n.\n"


@pytest.fixture
def server():
    with MailServer(users={"tim": "tanstaaf"}) as running:
        yield running
        assert running.violations == []


@pytest.fixture(scope="module")
def starttls():
    with MailServer(users={"tim": "tanstaaf"}, tls="starttls") as running:
        yield running


def said(server, connection=-1):
    """What the client has said on a connection, in lines."""
    return server.talks[connection].heard.decode().splitlines()


def trusting(server):
    return ssl.create_default_context(cafile=str(server.ca_file))


def test_a_message_is_sent_in_two_round_trips(server, caplog):
    with caplog.at_level("DEBUG", "ninsho.client"), SMTP("127.0.0.1", server.port) as smtp:
        assert smtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], TEXT) == {}
    marks = [line.split()[:2] for line in caplog.messages if line[0] in "<>"]
    begin = marks.index([">", "mail"])
    assert [mark for mark, _ in marks[begin:-2]] == [*">>>>", *"<<<<", *">>", "<"]
    (received,) = server.messages
    assert received.recipients == ("b@example.org", "c@example.org")
    assert received.content == TEXT.encode().replace(b"\n", b"\r\n")


def test_who_is_refused_is_returned(server):
    server.fail("RCPT", 550, "5.1.1 no such user", when="c@example.org".__eq__)
    with SMTP("127.0.0.1", server.port) as smtp:
        refused = smtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], TEXT)
        assert refused == {"c@example.org": (550, b"5.1.1 no such user")}
        assert smtp.sendmail("a@example.org", "b@example.org", TEXT) == {}
    assert len(server.messages) == 2


@pytest.mark.parametrize(
    ("at", "kind"),
    [
        ("MAIL", smtplib.SMTPSenderRefused),
        ("RCPT", smtplib.SMTPRecipientsRefused),
        ("DATA", smtplib.SMTPDataError),
        ("dot", smtplib.SMTPDataError),
    ],
)
@pytest.mark.parametrize("code", [550, 451])
def test_refusals_are_errors_of_both_kinds_and_the_connection_is_still_good(server, at, kind, code):
    server.fail(at, code, "no")
    with SMTP("127.0.0.1", server.port) as smtp:
        with pytest.raises(kind) as caught:
            smtp.sendmail("a@example.org", "b@example.org", TEXT)
        assert isinstance(caught.value, ClientError)
        assert caught.value.temporary is (code == 451)
        server.forgive()
        assert smtp.sendmail("a@example.org", "b@example.org", TEXT) == {}
    assert len(server.messages) == 1
    assert said(server).count("rset") == 1


def test_a_cut_behind_the_message_is_neither_success_nor_failure(server):
    server.drop(at="dot", taken=True)
    with SMTP("127.0.0.1", server.port) as smtp, pytest.raises(smtplib.SMTPServerDisconnected) as caught:
        smtp.sendmail("a@example.org", "b@example.org", TEXT)
    assert isinstance(caught.value, OutcomeUnknown)


def test_lines_that_smtplib_would_let_through_are_mended(server):
    with SMTP("127.0.0.1", server.port) as smtp:
        smtp.sendmail("a@example.org", "b@example.org", b"Subject: x\r\n\r\nhi\n.\r\nMAIL FROM:<evil@example.org>\r\n")
    (received,) = server.messages
    assert b"hi\r\n.\r\nMAIL FROM" in received.content


def test_a_login_takes_the_best_mechanism(server):
    with SMTP("127.0.0.1", server.port) as smtp:
        assert smtp.login("tim", "tanstaaf")[0] == 235
        smtp.sendmail("a@example.org", "b@example.org", TEXT)
    assert server.messages[0].mechanism == "SCRAM-SHA-512"


def test_a_wrong_password_is_said_once(server):
    with SMTP("127.0.0.1", server.port) as smtp:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            smtp.login("tim", "wrong")
        assert caught.value.smtp_code == 535
        assert "wrong" not in str(caught.value)
    assert sum(line.startswith("AUTH") for line in said(server)) == 1


def test_a_password_is_not_said_in_clear_but_on_this_machine():
    with (
        MailServer(users={"tim": "tanstaaf"}, mechanisms=["PLAIN"]) as server,
        SMTP("127.0.0.1", server.port) as smtp,
    ):
        smtp.allow_cleartext = False
        with pytest.raises(smtplib.SMTPNotSupportedError, match="PLAIN: no TLS"):
            smtp.login("tim", "tanstaaf")
        smtp.allow_cleartext = None
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_an_initial_response_can_be_done_without():
    with MailServer(users={"tim": "tanstaaf"}, mechanisms=["PLAIN"]) as server:
        with SMTP("127.0.0.1", server.port) as smtp:
            smtp.login("tim", "tanstaaf", initial_response_ok=False)
        assert "AUTH PLAIN" in said(server)


def test_a_mechanism_of_ones_own():
    with MailServer(tokens={"t0ken": "tim"}) as server, SMTP("127.0.0.1", server.port) as smtp:
        smtp.ehlo()
        assert smtp.auth("xoauth2", lambda _=None: "user=tim\1auth=Bearer t0ken\1\1")[0] == 235
        with pytest.raises(smtplib.SMTPAuthenticationError, match="503"):
            smtp.auth("xoauth2", lambda _=None: "again")


def test_a_certificate_is_verified_unless_a_context_says_otherwise(starttls):
    with SMTP("localhost", starttls.port) as smtp, pytest.raises(ssl.SSLCertVerificationError) as caught:
        smtp.starttls()
    assert "authority that is not known here" in str(caught.value)
    assert isinstance(caught.value, ClientError)
    with SMTP("localhost", starttls.port) as smtp:
        smtp.starttls(context=trusting(starttls))
        assert not smtp.esmtp_features
        smtp.login("tim", "tanstaaf")
        assert not smtp.has_extn("starttls")
        assert isinstance(smtp.sock, ssl.SSLSocket)
    blind = ssl.create_default_context()
    blind.check_hostname, blind.verify_mode = False, ssl.CERT_NONE
    with SMTP("localhost", starttls.port) as smtp:
        assert smtp.starttls(context=blind)[0] == 220


def test_tls_that_the_server_does_not_begin(starttls):
    starttls.fail("STARTTLS", 454, "4.7.0 not now")
    try:
        with SMTP("localhost", starttls.port) as smtp:
            with pytest.raises(smtplib.SMTPResponseException) as caught:
                smtp.starttls()
            assert caught.value.smtp_code == 454
            assert smtp.noop()[0] == 250
    finally:
        starttls.forgive()


def test_tls_that_is_not_offered(server):
    with SMTP("127.0.0.1", server.port) as smtp, pytest.raises(smtplib.SMTPNotSupportedError):
        smtp.starttls()


def test_tls_from_the_start():
    with MailServer(users={"tim": "tanstaaf"}, tls="implicit") as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            SMTP_SSL("localhost", server.port)
        with SMTP_SSL("localhost", server.port, context=trusting(server)) as smtp:
            smtp.login("tim", "tanstaaf")
            smtp.sendmail("a@example.org", "b@example.org", TEXT)
        assert server.messages[0].tls


def test_lmtp_tells_of_each_recipient(tmp_path):
    with MailServer(protocol="lmtp", path=tmp_path / "lmtp") as server:
        server.fail("dot", 552, "5.2.2 no room", when="c@example.org".__eq__)
        with LMTP(str(tmp_path / "lmtp")) as lmtp:
            refused = lmtp.sendmail("a@example.org", ["b@example.org", "c@example.org"], TEXT)
        assert refused == {"c@example.org": (552, b"5.2.2 no room")}


def test_where_nothing_listens_is_an_error_of_the_system():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionRefusedError) as caught:
        SMTP("127.0.0.1", port)
    assert "is the port right" in str(caught.value)
    assert isinstance(caught.value, ClientError)
    with pytest.raises(socket.gaierror):
        SMTP("no such host", port)
    with pytest.raises(OSError, match="port: expected a number"):
        SMTP("localhost:smtp")


def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(smtplib.SMTPServerDisconnected):
        SMTP(*listener.getsockname(), timeout=0.05)


def test_a_greeting_that_refuses():
    with MailServer() as server:
        server.fail("greeting", 554, "5.7.1 go away")
        with pytest.raises(smtplib.SMTPConnectError) as caught:
            SMTP("127.0.0.1", server.port)
        assert (caught.value.smtp_code, caught.value.smtp_error) == (554, b"5.7.1 go away")
        smtp = SMTP()
        assert smtp.connect("127.0.0.1", server.port) == (554, b"5.7.1 go away")
        smtp.close()
        server.forgive()
        assert smtp.connect("127.0.0.1", server.port)[0] == 220
        smtp.close()


def test_an_error_within_is_not_hidden_by_one_at_the_end(server):
    server.fail("QUIT", 500, "what?")
    with pytest.raises(smtplib.SMTPResponseException), SMTP("127.0.0.1", server.port):
        pass
    with pytest.raises(KeyError), SMTP("127.0.0.1", server.port):
        raise KeyError


def test_a_message_object_is_sent_as_it_should_be(server):
    message = EmailMessage()
    message["From"] = "Tim <tim@example.org>"
    message["To"] = "b@bücher.example"
    message["Bcc"] = "c@example.org"
    message["Subject"] = "挨拶"
    message.set_content("こんにちは\n")
    with SMTP("127.0.0.1", server.port) as smtp:
        assert smtp.send_message(message) == {}
    (received,) = server.messages
    assert received.sender == "tim@example.org"
    assert received.recipients == ("b@xn--bcher-kva.example", "c@example.org")
    assert received.message["Bcc"] is None
    assert message["Bcc"] == "c@example.org"
    assert received.message.get_content() == "こんにちは\n"


def test_what_is_debugged_hides_what_is_secret(server, capsys):
    with SMTP("127.0.0.1", server.port) as smtp:
        smtp.set_debuglevel(1)
        smtp.user, smtp.password = "tim", "tanstaaf"
        smtp.ehlo()
        smtp.auth("plain", smtp.auth_plain)
    shown = capsys.readouterr().err
    assert "send: AUTH PLAIN (hidden)\n" in shown
    assert "reply: 235 " in shown
    assert "dGltAHRhbnN0YWFm" not in shown


def test_commands_by_hand(server):
    smtp = SMTP("127.0.0.1", server.port)
    smtp.ehlo("client.example")
    assert smtp.mail("a@example.org", ["BODY=8BITMIME"])[0] == 250
    assert smtp.rcpt("b@example.org", ["NOTIFY=NEVER"])[0] == 250
    assert smtp.data("hi\n.\n")[0] == 250
    assert smtp.docmd("NOOP")[0] == 250
    smtp.putcmd("NOOP")
    assert smtp.getreply()[0] == 250
    with pytest.raises(ValueError, match="prohibited newline"):
        smtp.docmd("NOOP", "a\rb")
    with pytest.raises(ValueError, match="prohibited newline"):
        smtp.sendmail("a@example.org>\r\nRCPT TO:<evil@example.org", "b@example.org", TEXT)
    assert smtp.quit()[0] == 221
    assert smtp.sock is None
    with pytest.raises(smtplib.SMTPServerDisconnected, match="connect"):
        smtp.noop()
    assert server.messages[0].content == b"hi\r\n.\r\n"


def test_it_can_stand_in_for_the_module(server, monkeypatch):
    monkeypatch.setitem(sys.modules, "smtplib", like_smtplib)
    assert importlib.import_module("smtplib") is like_smtplib
    handler = logging.handlers.SMTPHandler(
        ("127.0.0.1", server.port), "a@example.org", ["b@example.org"], "trouble", credentials=("tim", "tanstaaf")
    )
    handler.handleError = pytest.fail
    handler.emit(logging.makeLogRecord({"msg": "it is late"}))
    handler.close()
    (received,) = server.messages
    assert received.message.get_content() == "it is late\n"
    assert received.username == "tim"


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("a", None), ("", ""), ("a", "\0"), ("a", "\udc80")])
def test_a_login_that_cannot_be_is_an_error_of_both_kinds(server, user, password):
    with SMTP("127.0.0.1", server.port) as smtp:
        with pytest.raises(smtplib.SMTPException) as caught:
            smtp.login(user, password)
        assert isinstance(caught.value, ClientError)
        assert caught.value.permanent
        assert smtp.noop()[0] == 250


@pytest.mark.parametrize("domain", ["exa\u3000mple.com", "good\uff20evil.com"])
def test_a_domain_that_is_none_is_an_error_of_both_kinds(server, domain):
    with SMTP("127.0.0.1", server.port) as smtp:
        for sender, recipient in ((f"a@{domain}", "b@example.org"), ("a@example.org", f"b@{domain}")):
            with pytest.raises(smtplib.SMTPException) as caught:
                smtp.sendmail(sender, recipient, TEXT)
            assert isinstance(caught.value, ClientError)
        smtp.ehlo()
        with pytest.raises(smtplib.SMTPException):
            smtp.mail(f"a@{domain}")
        with pytest.raises(smtplib.SMTPException):
            smtp.rcpt(f"a@{domain}")
        assert smtp.sendmail("a@example.org", "b@example.org", TEXT) == {}


def test_what_cannot_be_set_is_an_error_of_both_kinds(starttls, tmp_path):
    def begun(**told):
        with SMTP("127.0.0.1", starttls.port) as smtp:
            smtp.starttls(**told)

    missing = str(tmp_path / "missing.pem")
    for attempt in (
        lambda: SMTP("127.0.0.1", 99999),
        lambda: SMTP("127.0.0.1", starttls.port, timeout=-1),
        lambda: begun(keyfile=missing, certfile=missing),
        lambda: SMTP_SSL("127.0.0.1", certfile=missing),
    ):
        with pytest.raises(smtplib.SMTPException) as caught:
            attempt()
        assert isinstance(caught.value, ClientError)
        assert caught.value.permanent
