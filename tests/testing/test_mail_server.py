"""The server for tests speaks SMTP and LMTP as the RFCs have it."""

import os
import resource
import select
import smtplib
import socket
import time
from email.message import EmailMessage

import pytest
from line_talk import CONTENT, ENVELOPE, HELLO, MAIL, RCPT, LineTalk

from ninsho.testing import MailServer


@pytest.fixture
def server():
    with MailServer() as running:
        yield running


def extensions(reply):
    return [line[4:] for line in reply.split(" / ")[1:]]


def test_what_was_sent_is_there_when_the_client_has_been_told(server):
    with LineTalk(server) as talk:
        assert talk.greeting == "220 localhost ESMTP ninsho.testing"
        assert talk.send().startswith("250 2.0.0 Ok: queued as ")
        (received,) = server.messages
        assert (received.sender, received.recipients) == ("a@example.org", ("b@example.org",))
        assert received.content == CONTENT
        assert received.message["Subject"] == "greetings"
        assert (received.mechanism, received.username, received.tls) == (None, None, None)
        assert received.hello == "client.example"
        assert received.connection == 1
    assert server.violations == []


def test_it_offers_what_a_client_may_use():
    with (
        MailServer(users={"tim": "tanstaaf"}, size_limit=1000, limits={"RCPTMAX": 2}) as server,
        LineTalk(server) as talk,
    ):
        assert extensions(talk.ask(HELLO)) == [
            "PIPELINING",
            "8BITMIME",
            "SMTPUTF8",
            "DSN",
            "ENHANCEDSTATUSCODES",
            "CHUNKING",
            "SIZE 1000",
            "BINARYMIME",
            "AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-512 SCRAM-SHA-1 CRAM-MD5 DIGEST-MD5 SCRAM-SHA3-512",
            "LIMITS RCPTMAX=2",
        ]


def test_capabilities_can_be_turned_off_and_on():
    off = {"PIPELINING", "CHUNKING", "SMTPUTF8", "ENHANCEDSTATUSCODES"}
    with (
        MailServer(without=off, extensions={"DELIVERBY": "240", "AUTH=LOGIN": "PLAIN"}) as server,
        LineTalk(server) as talk,
    ):
        assert extensions(talk.ask(HELLO)) == ["8BITMIME", "DSN", "SIZE", "DELIVERBY 240", "AUTH=LOGIN PLAIN"]
        assert talk.ask(f"{MAIL} BY=120;R") == "250 Ok"
        assert talk.ask("BDAT 0 LAST") == "500 Command unrecognized"


def test_parameters_are_kept():
    with MailServer(users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        mail = f"{MAIL} SIZE=29 BODY=8BITMIME RET=HDRS ENVID=QQ314159 AUTH=<>"
        talk.ask(HELLO, mail, f"{RCPT} NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b+2Bc@example.org", "RCPT TO:<c@example.org>")
        talk.data()
    (received,) = server.messages
    assert received.mail_parameters == {
        "SIZE": "29",
        "BODY": "8BITMIME",
        "RET": "HDRS",
        "ENVID": "QQ314159",
        "AUTH": "<>",
    }
    assert received.rcpt_parameters == {
        "b@example.org": {"NOTIFY": "SUCCESS,DELAY", "ORCPT": "rfc822;b+2Bc@example.org"},
        "c@example.org": {},
    }


REFUSED = {
    "MAIL FROM: <a@example.org>": "501 5.5.4",
    "MAIL FROM:a@example.org": "501 5.5.4",
    "MAIL FROM:<a@example.org> ": "250",
    "MAIL FROM:<a@example.org>  SIZE=1": "501 5.5.4",
    "MAIL FROM:<a@example.org>SIZE=1": "501 5.5.4",
    "MAIL FROM:<a@example.org> SIZE=1 SIZE=2": "501 5.5.4",
    "MAIL FROM:<a@example.org> SIZE=x": "501 5.5.4",
    "MAIL FROM:<a@example.org> BODY=9BIT": "501 5.5.4",
    "MAIL FROM:<a@example.org> SMTPUTF8=1": "501 5.5.4",
    "MAIL FROM:<a@example.org> XFOO": "555 5.5.4",
    "MAIL FROM:<a@example.org> REQUIRETLS": "555 5.5.4",
    "MAIL FROM:<a@example.org> RET=ALL": "501 5.5.4",
    # What RFC 5321 does not have, and the world does: DoCoMo's dots, underscores, long local parts.
    "MAIL FROM:<a..b.@example.org>": "250",
    "MAIL FROM:<.a@example.org>": "250",
    "MAIL FROM:<a@exa_mple.org>": "250",
    f"MAIL FROM:<{'a' * 70}@example.org>": "250",
    f"MAIL FROM:<{'a' * 242}@example.org>": "250",
    f"MAIL FROM:<{'a' * 243}@example.org>": "501 5.5.4",
    "MAIL FROM:<a@example..org>": "501 5.5.4",
    "MAIL FROM:<@example.org>": "501 5.5.4",
    'MAIL FROM:<"a..b >"@example.org>': "250",
    'MAIL FROM:<"a@evil"@example.org>': "250",
    "MAIL FROM:<a@[192.0.2.1]>": "250",
    "MAIL FROM:<a@[IPv6:2001:db8::1]>": "250",
    "MAIL FROM:<a@[example]>": "501 5.5.4",
    "MAIL FROM:<a@-example.org>": "501 5.5.4",
    "MAIL FROM:<a>": "501 5.5.4",
    "MAIL FROM:<postmaster>": "501 5.1.7",
    "MAIL FROM:<é@example.org>": "553 5.6.7",
    "MAIL FROM:<é@example.org> SMTPUTF8": "250",
    "MAIL FROM:<>": "250",
    "mail from:<a@example.org>": "250",
    "MAIL TO:<a@example.org>": "501 5.5.4",
    "MAIL": "501 5.5.4",
}


@pytest.mark.parametrize(("line", "reply"), REFUSED.items())
def test_commands_are_read_strictly(server, line, reply):
    with LineTalk(server) as talk:
        assert talk.ask(HELLO, line).startswith(reply)
    assert bool(server.violations) == (not reply.startswith("250"))


def test_recipients_are_read_strictly(server):
    with LineTalk(server) as talk:
        talk.ask(HELLO, MAIL)
        assert talk.ask("RCPT TO:<>").startswith("501 5.1.3")
        assert talk.ask(f"{RCPT} NOTIFY=NEVER,DELAY").startswith("501")
        assert talk.ask("RCPT TO:<é@example.org>").startswith("553 5.6.7")
        assert talk.ask("RCPT TO:<Postmaster>").startswith("250")
        # RFC 5321 §4.1.1.3: to be accepted, and ignored.
        assert talk.ask("RCPT TO:<@relay.example,@other.example:c@example.org>").startswith("250")
        talk.data()
    assert server.messages[0].recipients == ("Postmaster", "c@example.org")


def test_commands_come_in_their_order(server):
    with LineTalk(server) as talk:
        assert talk.ask(MAIL).startswith("503")
        assert talk.ask(HELLO, RCPT).startswith("503")
        assert talk.ask("DATA").startswith("503")
        assert talk.ask(MAIL, MAIL).startswith("503")
        assert talk.ask("DATA").startswith("503 5.5.1 No valid recipients")
        assert talk.ask("RSET", MAIL, RCPT).startswith("250")
        assert talk.ask(HELLO, RCPT).startswith("503"), "EHLO is a RSET too"
        assert talk.ask("FROB").startswith("500")
        assert talk.ask("NOOP").startswith("250")
        assert talk.ask("VRFY tim").startswith("252")
        assert talk.ask("QUIT").startswith("221")
        assert talk.whole() == b""


def test_dots_are_taken_away(server):
    with LineTalk(server) as talk:
        talk.send(b"..\r\n..a\r\n.\rb\r\n\r\n...\r\n")
        talk.send(b"")
    assert [one.content for one in server.messages] == [b".\r\n.a\r\n\rb\r\n\r\n..\r\n", b""]


def test_chunks_make_a_message(server):
    with LineTalk(server) as talk:
        talk.ask(HELLO, f"{MAIL} BODY=BINARYMIME", RCPT)
        talk.raw(b"BDAT 5\r\na\n.\r\n")
        assert talk.reply() == "250 2.0.0 5 octets received"
        talk.raw(b"BDAT 3 LAST\r\n\0\xff\r")
        assert talk.reply().startswith("250 2.0.0 Ok: queued as ")
        talk.ask(MAIL, RCPT)
        talk.raw(b"BDAT 0 LAST\r\n")
        assert talk.reply().startswith("250")
    assert [one.content for one in server.messages] == [b"a\n.\r\n\0\xff\r", b""]
    assert server.violations == []


def test_transactions_may_follow_each_other_in_one_write(server):
    def whole(number):
        return b"%b\r\n%b\r\nBDAT 2 LAST\r\n%d\n" % (f"{MAIL} BODY=BINARYMIME".encode(), RCPT.encode(), number)

    with LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(b"".join(whole(number) for number in range(8)))
        replies = [talk.reply() for _ in range(24)]
        assert all(reply.startswith("250") for reply in replies)
    assert [one.content for one in server.messages] == [b"%d\n" % number for number in range(8)]
    assert server.violations == []


def test_the_next_envelope_may_stand_behind_the_dot(server):
    group = f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode()
    with LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(group)
        assert [talk.reply()[:3] for _ in range(3)] == ["250", "250", "354"]
        talk.raw(CONTENT + b".\r\n" + group)
        assert [talk.reply()[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        talk.raw(b".\r\n")
        assert talk.reply().startswith("250")
    assert len(server.messages) == 2
    assert server.violations == []


def test_sizes_are_limited():
    with MailServer(size_limit=100) as server, LineTalk(server) as talk:
        assert talk.ask(HELLO, f"{MAIL} SIZE=101").startswith("552 5.3.4")
        assert talk.send(b"x" * 101 + b"\r\n").startswith("552 5.3.4")
        assert server.messages == []


def test_recipients_are_limited_offered_or_not():
    for without, found in ((set(), 1), ({"LIMITS"}, 0)):
        with MailServer(limits={"RCPTMAX": 1}, without=without) as server, LineTalk(server) as talk:
            assert talk.ask(*ENVELOPE, "RCPT TO:<c@example.org>") == "452 4.5.3 Too many recipients"
            assert talk.data().startswith("250")
            assert server.messages[0].recipients == ("b@example.org",)
            assert len(server.violations) == found


def test_transactions_on_a_connection_are_limited():
    with MailServer(limits={"MAILMAX": 1}, without={"LIMITS"}) as server, LineTalk(server) as talk:
        talk.send()
        assert talk.ask(MAIL).startswith("421")
        assert talk.whole() == b""


def test_lmtp_replies_for_each_recipient():
    with MailServer(protocol="lmtp") as server, LineTalk(server) as talk:
        server.fail("dot", 552, "5.2.2 full", when=lambda address: address.startswith("c@"))
        assert talk.greeting == "220 localhost LMTP ninsho.testing"
        assert talk.ask("EHLO client.example").startswith("500")
        talk.ask("LHLO client.example", MAIL, RCPT, "RCPT TO:<c@example.org>", "RCPT TO:<d@example.org>")
        assert talk.data().startswith("250")
        assert talk.reply() == "552 5.2.2 full"
        assert talk.reply().startswith("250")
        assert [one.recipients for one in server.messages] == [("b@example.org",), ("d@example.org",)]
        assert server.url == f"lmtp://127.0.0.1:{server.port}?tls=none"


def test_it_listens_on_a_unix_socket(tmp_path):
    with MailServer(path=tmp_path / "smtp") as server:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(tmp_path / "smtp"))
            assert connection.recv(100).startswith(b"220 ")
        assert server.url == f"smtp+unix://{tmp_path}/smtp?tls=none"
    assert not (tmp_path / "smtp").exists()
    with server, socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(tmp_path / "smtp"))


def test_tls_may_be_required():
    with MailServer(tls="starttls", require_tls=True) as server, LineTalk(server) as talk:
        assert "STARTTLS" in extensions(talk.ask(HELLO))
        assert talk.ask(MAIL) == "530 5.7.0 Must issue a STARTTLS first"
        assert talk.ask("STARTTLS") == "220 2.0.0 Ready to start TLS"
        talk.start_tls()
        assert talk.ask(MAIL).startswith("503"), "EHLO is forgotten"
        assert "STARTTLS" not in extensions(talk.ask(HELLO))
        assert talk.send().startswith("250")
        assert talk.ask("QUIT").startswith("221")
        assert talk.whole() == b""
        assert server.messages[0].tls == "TLSv1.3"


def test_tls_begins_at_once_where_it_is_implicit():
    with MailServer(tls="implicit") as server, LineTalk(server, implicit=True) as talk:
        assert talk.send().startswith("250")
        assert server.url.startswith(f"smtps://localhost:{server.port}?tls=implicit&ca=")
        assert server.ca_file.read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_a_client_without_tls_meets_an_implicit_server():
    with MailServer(tls="implicit") as server, LineTalk(server, greet=False) as talk:
        talk.raw(b"EHLO client.example\r\n")
        assert b"220" not in talk.whole()


def test_without_trustme_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "trustme", None)
    with pytest.raises(RuntimeError, match="pip install trustme"):
        MailServer(tls="starttls")


def test_smtplib_sends(server):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org, c@example.org", "多謝"
    message.set_content("多謝\n.\n..dots\n")
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.send_message(message)
        client.send_message(message)
    assert [one.recipients for one in server.wait_for(2)] == [("b@example.org", "c@example.org")] * 2
    assert server.messages[0].message["Subject"] == "多謝"
    assert server.messages[0].message.get_content() == "多謝\n.\n..dots\n"
    # CPython's smtplib does not say that it sends 8-bit text.
    assert server.violations == ["connection 1: DATA: 8-bit data without BODY=8BITMIME"] * 2


def test_waiting_has_an_end(server):
    with pytest.raises(TimeoutError, match=r"expected 1 messages within 0\.05 s, got 0"):
        server.wait_for(1, timeout=0.05)


def test_everything_can_be_forgotten(server):
    server.fail("MAIL", 451)
    with LineTalk(server) as talk:
        assert talk.ask(HELLO, "MAIL", MAIL).startswith("451")
        server.clear()
        assert server.violations == []
        assert talk.send().startswith("250")


def test_a_server_that_stops_leaves_nobody_waiting():
    with MailServer() as server:
        talk = LineTalk(server)
    with talk:
        assert talk.whole() == b""
    with pytest.raises(RuntimeError, match="expected a server that runs"):
        server.port  # noqa: B018
    assert b"220" in server.talks[0].said


def test_a_client_that_never_reads_keeps_no_server_from_stopping():
    with MailServer() as server, socket.create_connection(("127.0.0.1", server.port)) as client:
        client.setblocking(False)
        # Until the server reads no more, as nobody reads what it has to say.
        while select.select([], [client], [], 0.3)[1]:
            client.send(b"NOOP\r\n" * 10_000)
        begun = time.monotonic()
        server.hang_up()
        server.stop()
        assert time.monotonic() - begun < 5


def test_a_program_may_have_many_files_open():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        with MailServer() as server, LineTalk(server) as talk:
            assert talk.send().startswith("250")
    finally:
        for file in held:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_passwords_repr_is_masked():
    with MailServer(users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        talk.ask(HELLO, "AUTH PLAIN AHRpbQB0YW5zdGFhZg==")
        assert "tanstaaf" not in repr(server._options) + repr(server.talks)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tls": "yes"}, "tls: expected none, starttls or implicit, got 'yes'"),
        ({"tls": True}, "tls: expected none, starttls or implicit, got True"),
        ({"protocol": "SMTP"}, "protocol: expected smtp or lmtp, got 'SMTP'"),
    ],
)
def test_options_that_cannot_be(options, told):
    with pytest.raises(ValueError, match=f"^{told}$"):
        MailServer(**options)
