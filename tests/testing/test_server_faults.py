"""What a test asks to go wrong does, and nothing else."""

import socket
import time
from threading import Thread

import pytest
from line_talk import CONTENT, ENVELOPE, HELLO, MAIL, RCPT, LineTalk

from ninsho.testing import Cut, Fault, MailServer


@pytest.fixture
def server():
    with MailServer() as running:
        yield running


def test_a_recipient_is_refused_once(server):
    server.fail("RCPT", 452, "4.5.3 too many", times=1, when=lambda address: address.startswith("c@"))
    with LineTalk(server) as talk:
        assert talk.ask(*ENVELOPE, "RCPT TO:<c@example.org>") == "452 4.5.3 too many"
        assert talk.ask("RCPT TO:<c@example.org>").startswith("250")
        talk.data()
    assert server.messages[0].recipients == ("b@example.org", "c@example.org")


def test_faults_can_wait_for_their_turn(server):
    server.fail("RCPT", 550, "5.1.1 no such user", skip=1, times=1)
    server.fail("MAIL", 451, connection=2)
    with LineTalk(server) as talk:
        talk.ask(HELLO, MAIL)
        assert [talk.ask(RCPT)[:3] for _ in range(3)] == ["250", "550", "250"]
    with LineTalk(server) as talk:
        assert talk.ask(HELLO, MAIL) == "451 "


def test_a_reply_may_have_lines(server):
    server.fail("EHLO", 250, "localhost\nAUTH\nSIZE")
    with LineTalk(server) as talk:
        assert talk.ask(HELLO) == "250-localhost / 250-AUTH / 250 SIZE"
        assert talk.ask(MAIL).startswith("250"), "it is a success"


@pytest.mark.parametrize("event", ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot", "QUIT"])
def test_421_comes_at_any_time_and_closes(server, event):
    server.fail(event, 421, "4.3.2 going down")
    with LineTalk(server, greet=False) as talk:
        for line in ("EHLO x", MAIL, RCPT, "DATA", "x\r\n.", "QUIT"):
            said = talk.reply()
            if said.startswith("421"):
                break
            talk.raw(line.encode() + b"\r\n")
        else:
            said = talk.reply()
        assert said == "421 4.3.2 going down"
        assert talk.whole() == b""
    assert len(server.messages) == (event == "QUIT")


def test_a_message_that_is_refused_is_not_kept(server):
    server.fail("dot", 554, "5.7.1 spam", times=1)
    with LineTalk(server) as talk:
        assert talk.send() == "554 5.7.1 spam"
        assert talk.ask(MAIL).startswith("250")
    assert server.messages == []


@pytest.mark.parametrize("taken", [False, True])
def test_a_cut_behind_the_dot(server, taken):
    server.drop(at="dot", taken=taken, times=1)
    with LineTalk(server) as talk:
        assert talk.send() == ""
    assert len(server.messages) == taken
    with LineTalk(server) as talk:
        assert talk.send().startswith("250")


def test_a_hang_up_after_success(server):
    server.drop(after="dot")
    with LineTalk(server) as talk:
        assert talk.send().startswith("250")
        assert talk.whole() == b""


def test_a_cut_within_the_content(server):
    server.drop(at="content")
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE, "DATA")
        talk.raw(b"Sub")
        assert talk.whole() == b""
    assert server.messages == []


def test_a_connection_can_be_reset(server):
    server.drop(at="MAIL", reset=True)
    with LineTalk(server) as talk:
        talk.raw(f"{HELLO}\r\n{MAIL}\r\n".encode())
        with pytest.raises(ConnectionResetError):
            b"".join(iter(lambda: talk.socket.recv(100), b""))


@pytest.mark.parametrize("arguments", [{}, {"at": "MAIL", "after": "MAIL"}])
def test_dropping_takes_one_place(server, arguments):
    with pytest.raises(ValueError, match="either at= or after="):
        server.drop(**arguments)


def test_an_event_must_be_known(server):
    with pytest.raises(ValueError, match=r"expected an event, one of AUTH, .*, got 'RCTP'"):
        server.fail("RCTP", 550)
    with pytest.raises(ValueError, match="fault at RCPT: expected a reply such as"):
        server.fail("RCPT", 99)
    with pytest.raises(ValueError, match="fault at content: expected none that replies"):
        server.fail("content", 451)


def test_a_word_within_the_content(server):
    server.fail("any", 451, times=1, skip=5)
    server.garble("content", behind=b"421 4.3.2 enough\r\n")
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE, "DATA")
        talk.raw(b"Sub")
        assert talk.reply() == "421 4.3.2 enough"
        talk.raw(b"\r\n.\r\n")
        assert talk.reply() == "451 ", "content has no reply, and counts for none"


def test_silence(server):
    server.silence("greeting")
    with LineTalk(server, greet=False) as talk:
        talk.socket.settimeout(0.1)
        with pytest.raises(TimeoutError):
            talk.socket.recv(1)


def test_a_delay_ends_with_the_server():
    begin = time.monotonic()
    with MailServer() as server:
        server.delay("MAIL", 60)
        with LineTalk(server) as talk:
            talk.ask(HELLO)
            talk.raw(MAIL.encode() + b"\r\n")
    assert time.monotonic() - begin < 30


def test_a_delayed_reply_comes(server):
    server.delay("NOOP", 0.05)
    with LineTalk(server) as talk:
        begin = time.monotonic()
        assert talk.ask("NOOP").startswith("250")
        assert time.monotonic() - begin >= 0.05


def test_garbage_and_surplus_lines(server):
    server.garble("greeting", behind=b"250 nobody asked\r\n")
    server.garble("EHLO", instead=b"!?\r\n", times=1)
    server.garble("NOOP", before=b"250-one\r\n251")
    with LineTalk(server) as talk:
        assert talk.greeting.startswith("220")
        assert talk.reply() == "250 nobody asked"
        assert talk.ask(HELLO) == "!?"
        assert talk.ask("NOOP") == "250-one / 251250 2.0.0 Ok"


def test_plaintext_is_injected_behind_starttls():
    with MailServer(tls="starttls") as server:
        server.garble("STARTTLS", behind=b"250 forged\r\n")
        with LineTalk(server) as talk:
            talk.ask(HELLO)
            talk.raw(b"STARTTLS\r\n")
            assert talk.reply().startswith("220")
            assert talk.reply() == "250 forged"
            talk.start_tls()
            assert talk.send().startswith("250")


def test_starttls_can_be_refused():
    with MailServer(tls="starttls") as server:
        server.fail("STARTTLS", 454, "4.7.0 not now")
        with LineTalk(server) as talk:
            assert talk.ask(HELLO, "STARTTLS") == "454 4.7.0 not now"
            assert talk.send().startswith("250")


def test_data_may_be_asked_for_though_nobody_can_have_it(server):
    server.fail("RCPT", 550)
    server.fail("DATA", 354)
    with LineTalk(server) as talk:
        talk.raw(f"{HELLO}\r\n".encode())
        talk.reply()
        talk.raw(f"{MAIL}\r\n{RCPT}\r\nDATA\r\n".encode())
        assert [talk.reply()[:3] for _ in range(3)] == ["250", "550", "354"]
        assert talk.ask(".") == "554 5.5.1 No valid recipients"
    assert server.violations == []


def test_a_chunk_is_refused_and_its_octets_are_taken(server):
    server.fail("BDAT", 452, "4.3.1 no space", times=1)
    with LineTalk(server) as talk:
        talk.ask(*ENVELOPE)
        talk.raw(b"BDAT 6\r\nMAIL\r\nBDAT 2 LAST\r\n\r\n")
        assert talk.reply() == "452 4.3.1 no space"
        assert talk.reply() == "503 5.5.1 RSET first"
        assert talk.ask("RSET", MAIL, RCPT).startswith("250")
        talk.raw(b"BDAT 2 LAST\r\n\r\n")
        assert talk.reply().startswith("250")
    assert server.violations == []
    assert [one.content for one in server.messages] == [b"\r\n"]


SESSION = f"{HELLO}\r\n{MAIL}\r\n{RCPT}\r\nBDAT {len(CONTENT)} LAST\r\n".encode() + CONTENT + b"QUIT\r\n"


def replies(server, octets=SESSION):
    with LineTalk(server, greet=False) as talk:
        talk.raw(octets)
        return talk.whole()


# After so many octets, so many lines have been said: the greeting, nine for EHLO, one for each command.
LINES = {0: 1, 1: 1, 20: 1, 21: 10, 47: 10, 48: 11, 72: 11, 73: 12, 90: 12, 116: 13, 117: 13, 121: 13, 122: 14}


@pytest.mark.parametrize(("after", "lines"), LINES.items())
def test_cut_after_octets_of_the_client(server, after, lines):
    server.cut(after=after, times=1)
    said = replies(server)
    assert bytes(server.talks[0].heard) == SESSION[:after]
    # Every command that came whole was answered.
    assert said.count(b"\r\n") == lines
    assert len(server.messages) == (lines >= 13)
    assert b"221" in replies(server)
    assert bytes(server.talks[1].heard) == SESSION


@pytest.mark.parametrize("after", [0, 1, 35, 36, 100])
def test_cut_after_octets_of_the_server(server, after):
    server.cut(after=after, of="server", connection=1)
    assert replies(server) == bytes(server.talks[0].said)
    assert len(server.talks[0].said) == after
    assert b"221" in replies(server)


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_cuts_count_without_tls(tls):
    with MailServer(tls=tls) as server:
        server.cut(after=60, of="server")
        with LineTalk(server, implicit=tls == "implicit") as talk:
            talk.raw(f"{HELLO}\r\n".encode())
            talk.whole()
        assert len(server.talks[0].said) == 60


def test_replies_come_in_pieces():
    with MailServer(reply_size=1) as server, LineTalk(server, greet=False) as talk:
        assert talk.socket.recv(100) == b"2"
        assert talk.reply() == "20 localhost ESMTP ninsho.testing"
        assert talk.send().startswith("250")


@pytest.mark.parametrize("tls", ["none", "implicit"])
def test_the_server_may_hang_up_while_nothing_is_said(tls):
    with MailServer(tls=tls) as server, LineTalk(server, implicit=tls != "none") as talk:
        talk.ask(HELLO)
        server.hang_up()
        assert talk.whole() == b"421 4.4.2 Closing\r\n"


def test_faults_may_be_added_as_values(server):
    server.add(Fault(at="any", reply="421 4.3.2 no", skip=2, times=1))
    server.add(Cut(after=5, connection=2))
    with LineTalk(server) as talk:
        assert talk.ask(HELLO).startswith("250")
        assert talk.ask("NOOP") == "421 4.3.2 no"
    with LineTalk(server) as talk:
        talk.raw(b"NOOP\r\n")
        assert talk.whole() == b""
    server.forgive()
    with LineTalk(server) as talk:
        assert talk.send().startswith("250")


def test_many_clients_at_once(server):
    def send():
        with LineTalk(server) as talk:
            for _ in range(5):
                assert talk.send().startswith("250")

    threads = [Thread(target=send) for _ in range(20)]
    for thread in threads:
        thread.start()
    assert len(server.wait_for(100)) == 100
    for thread in threads:
        thread.join()
    assert {one.connection for one in server.messages} == set(range(1, 21))
    assert len({one.queue_id for one in server.messages}) == 100


def test_a_client_that_leaves_is_no_error(server):
    with socket.create_connection(("127.0.0.1", server.port)):
        pass
    with LineTalk(server) as talk:
        talk.ask(HELLO)
        talk.raw(b"MAIL FR")
