"""What a client does that its protocol does not allow is recorded, in words."""

import ssl
import time

import pytest
from line_talk import CONTENT, ENVELOPE, HELLO, MAIL, RCPT, LineTalk

from ninsho.testing import MailServer
from ninsho.testing.content import faults_of


@pytest.fixture
def server():
    with MailServer() as running:
        yield running


def found(server):
    return [text.removeprefix("connection 1: ") for text in server.violations]


BAD_CONTENT = {
    b"a\nb\r\n": "DATA: octet 2: bare LF",
    b"a\rb\r\n": "DATA: octet 2: bare CR",
    b"a\n.\nb\r\n": "DATA: octet 2: bare LF",
    b"a\r\n.b\r\n": "DATA: octet 4: a line begins with one dot, which was not doubled",
    b".b\r\n": "DATA: octet 1: a line begins with one dot, which was not doubled",
    b"x" * 999 + b"\r\n": "DATA: octet 1: a line of more than 1000 octets",
    b"\r\n" + b"x" * 999 + b"\r\n": "DATA: octet 3: a line of more than 1000 octets",
    b"a\0\r\n": "DATA: octet 2: NUL",
    b"Subject: a\r\n\r\n\xc3\xa9\r\n": "DATA: 8-bit data without BODY=8BITMIME",
    b"Subject: \xc3\xa9\r\n\r\n": "DATA: 8-bit header without SMTPUTF8",
}


@pytest.mark.parametrize(("content", "violation"), BAD_CONTENT.items())
def test_content_is_looked_at(server, content, violation):
    with LineTalk(server) as talk:
        assert talk.send(content).startswith("250"), "it is kept all the same"
    assert found(server) == [violation]


def test_long_messages_are_looked_at_in_no_time():
    content = (b"x" * 990 + b"\r\n") * 10_000
    begun = time.process_time()
    assert list(faults_of(content, {})) == []
    assert list(faults_of(content + b"y" * 1001, {})) == ["octet 9920001: a line of more than 1000 octets"]
    assert time.process_time() - begun < 1


GOOD_CONTENT = [
    ("", b"x" * 998 + b"\r\n"),
    ("", b"..b\r\n..\r\n"),
    (" BODY=8BITMIME", b"Subject: a\r\n\r\n\xe9\r\n"),
    (" SMTPUTF8", b"Subject: \xc3\xa9\r\n\r\n"),
    (" SMTPUTF8 BODY=8BITMIME", b"Subject: \xc3\xa9\r\n\r\n\xc3\xa9\r\n"),
    # A long line that dots make longer is none.
    ("", b"." + b"." + b"x" * 997 + b"\r\n"),
]


@pytest.mark.parametrize(("parameters", "content"), GOOD_CONTENT)
def test_what_is_allowed_is_not_recorded(server, parameters, content):
    with LineTalk(server) as talk:
        talk.ask(HELLO, MAIL + parameters, RCPT)
        talk.data(content)
    assert found(server) == []


def test_a_dot_between_other_line_ends_ends_nothing(server):
    with LineTalk(server) as talk:
        talk.send(b"a\n.\nb\r.\rc\n.\r\nd\r\n.\ne\r\n")
        assert server.messages[0].content == b"a\n.\nb\r.\rc\n.\r\nd\r\n\ne\r\n"
    assert "DATA: octet 2: bare LF" in found(server)


def test_chunks_are_looked_at_too(server):
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE)
        talk.raw(b"BDAT 2 LAST\r\n.\n")
        assert talk.reply().startswith("250")
    assert found(server) == ["BDAT: octet 2: bare LF"]


@pytest.mark.parametrize("last", ["DATA", "NOOP", "QUIT", "EHLO x", "VRFY x", "STARTTLS"])
def test_groups_end_where_they_must(last):
    with MailServer(tls="starttls") as server, LineTalk(server) as talk:
        talk.ask(*ENVELOPE)
        talk.raw(f"{last}\r\nNOOP\r\n".encode())
        talk.reply()
        verb = last.split()[0]
        assert found(server)[0] == f"{verb}: expected the last of a group (RFC 2920 §3.1), got octets behind it"


def test_auth_ends_a_group():
    with MailServer(users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(f"AUTH PLAIN AHRpbQB0YW5zdGFhZg==\r\n{MAIL}\r\n".encode())
        assert talk.reply().startswith("235")
        assert found(server) == ["AUTH: expected the last of a group (RFC 2920 §3.1), got octets behind it"]


def test_octets_between_starttls_and_tls_are_thrown_away():
    with MailServer(tls="starttls") as server, LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(f"STARTTLS\r\n{MAIL}\r\n".encode())
        assert talk.reply().startswith("220")
        talk.start_tls()
        assert talk.ask(RCPT).startswith("503")
        assert "STARTTLS: expected the last of a group" in found(server)[0]


def test_nothing_is_pipelined_that_is_not_offered():
    with MailServer(without={"PIPELINING"}) as server, LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(f"{MAIL}\r\n{RCPT}\r\n".encode())
        assert [talk.reply()[:3] for _ in range(2)] == ["250", "250"]
        assert found(server) == ["MAIL: octets behind it, and PIPELINING is not offered"]


def test_nothing_is_pipelined_after_helo(server):
    with LineTalk(server) as talk:
        assert talk.ask("HELO client.example") == "250 localhost"
        talk.raw(f"{MAIL}\r\n{RCPT}\r\n".encode())
        assert [talk.reply()[:3] for _ in range(2)] == ["250", "250"]
        assert found(server) == ["MAIL: octets behind it, and PIPELINING is not offered"]


def test_who_speaks_before_the_greeting():
    with MailServer(tls="implicit") as tls, LineTalk(tls, greet=False) as talk:
        context = tls.certificate.trusting()
        # What is said with the end of the handshake is there before the server can greet.
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        client = context.wrap_bio(incoming, outgoing, server_hostname="localhost")
        with pytest.raises(ssl.SSLWantReadError):
            client.do_handshake()
        talk.raw(outgoing.read())
        while True:
            incoming.write(talk.read())
            try:
                client.do_handshake()
                break
            except ssl.SSLWantReadError:
                continue
        client.write(f"{HELLO}\r\n".encode())
        talk.raw(outgoing.read())
        talk.read()
        assert found(tls) == ["greeting: expected the server to speak first (RFC 5321 §3.1)"]


def test_lines_end_with_crlf(server):
    with LineTalk(server) as talk:
        talk.raw(b"EHLO client.example\n")
        assert talk.reply().startswith("500 5.5.2")
        talk.raw(b"EHLO client\r.example\r\n")
        assert talk.reply().startswith("500 5.5.2")
        talk.raw(b"EHLO \xff\r\n")
        assert talk.reply().startswith("500 5.5.2")
        talk.raw(b"EHLO a\0b\r\n")
        assert talk.reply().startswith("500 5.5.2")
    assert len(found(server)) == 4


def test_lines_have_a_limit(server):
    with LineTalk(server) as talk:
        assert talk.ask(f"NOOP {'x' * 505}").startswith("250")
        assert talk.ask(f"NOOP {'x' * 506}").startswith("500 5.5.2")
        # RFC 3461 §3 makes room for ORCPT.
        talk.ask(HELLO, MAIL)
        assert talk.ask(f"{RCPT} ORCPT=rfc822;{'x' * 480}").startswith("250")
    assert found(server) == ["command line: expected at most 512 octets, got 513"]


@pytest.mark.parametrize("name", ["my_host", "[127.0.0]", "[example]"])
def test_a_name_that_is_none_is_recorded_and_let_in(server, name):
    with LineTalk(server) as talk:
        assert talk.ask(f"EHLO {name}").startswith("250")
        assert talk.ask("EHLO").startswith("501")
    assert len(found(server)) == 2


def test_a_chunk_after_one_that_was_refused(server):
    server.fail("BDAT", 554, times=1)
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE)
        talk.raw(b"BDAT 1\r\na")
        assert talk.reply().startswith("554")
        talk.raw(b"BDAT 1\r\nb")
        assert talk.reply().startswith("503")
        assert talk.ask(MAIL).startswith("503")
    assert found(server) == [
        "BDAT: after one that was refused, without RSET (RFC 3030 §2)",
        "MAIL: expected RSET after a BDAT that was refused (RFC 3030 §2)",
    ]


def test_data_and_bdat_do_not_mix(server):
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE)
        talk.raw(b"BDAT 1\r\na")
        talk.reply()
        assert talk.ask("DATA").startswith("503")
        assert talk.ask("RSET", f"{MAIL} BODY=BINARYMIME", RCPT, "DATA").startswith("503")
        assert talk.ask("DATA x").startswith("501")
        assert talk.ask("BDAT x").startswith("501")
    assert len(found(server)) == 4


def test_starttls_that_is_not_offered(server):
    with LineTalk(server) as talk:
        assert talk.ask(HELLO, "STARTTLS").startswith("502")
    assert found(server) == ["STARTTLS: it is not offered"]


def test_auth_within_a_transaction():
    with MailServer(users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        assert talk.ask(HELLO, MAIL, "AUTH PLAIN AHRpbQB0YW5zdGFhZg==").startswith("503")
        assert found(server) == ["AUTH: during a mail transaction (RFC 4954 §4)"]


def test_a_good_client_has_none(server):
    with LineTalk(server) as talk:
        talk.send(CONTENT)
        talk.ask("RSET", "NOOP", "VRFY tim", "HELP", "QUIT")
    assert found(server) == []
