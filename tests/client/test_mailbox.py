"""A mailbox over POP3: what is read, what is deleted and when, and what never is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.client.errors import ConnectionLost, Desynchronized, NotOffered, Refused
from ninsho.client.mailbox import Mailbox, settings_of
from ninsho.client.settings import Endpoint, TLSMode
from ninsho.client.transcript import Recorder
from ninsho.errors import ConfigurationError, ProtocolError
from ninsho.wire.maildrop import Contents, sizes, uids
from pop3_server import END, PASSWORD, USER, pop3_server, stuffed

ONE = b"Subject: one\r\n\r\n.dot\r\n..dots\r\n.\r\nand more\r\n"
TWO = b"Subject: =?utf-8?B?5LqM?=\r\n\r\n" + b"x" * 5000 + b"\r\n"
THREE = b"Subject: three\r\n\r\nthe text\r\nits second line\r\n"
ALL = [ONE, TWO, THREE]


def opened(server, **keywords):
    told = {"host": "127.0.0.1", "port": server.port, "tls": "none", "username": USER, "password": PASSWORD}
    return Mailbox(**{**told, "timeout": 10, **keywords})


def test_messages_are_a_sequence_and_are_read():
    with pop3_server(ALL) as server, opened(server) as box:
        assert len(box) == box.total == 3
        assert [message.read().subject for message in box] == ["one", "二", "three"]
        assert [message.octets for message in box] == ALL
        assert [message.size for message in box] == list(map(len, ALL))
        assert [message.uid for message in box] == ["uid-1", "uid-2", "uid-3"]
        assert (box[-1].octets, [each.number for each in box[:2]]) == (THREE, [1, 2])
        assert [each.number for each in reversed(box)] == [3, 2, 1]
        assert box[2].top() == b"Subject: three\r\n\r\n"
        assert box[2].top(1) == b"Subject: three\r\n\r\nthe text\r\n"
        assert repr(box[0]) == f"<message 1, {len(ONE)} octets>"
        assert box.with_uid("uid-2").octets == TWO
        assert box.with_uid("uid-9") is None
        with pytest.raises(IndexError):
            box[3]
    assert server.left == ALL
    assert server.heard[:4] == ["CAPA", f"USER {USER}", f"PASS {PASSWORD}", "LIST"]
    assert server.heard[-1] == "QUIT"


def test_a_message_is_fetched_once_for_as_long_as_it_is_held():
    with pop3_server(ALL) as server, opened(server) as box:
        message = box[0]
        assert message.read().text == ".dot\n..dots\n.\nand more\n"
        assert message.octets == ONE
        assert server.heard.count("RETR 1") == 1


def test_deleted_at_the_end_and_only_then():
    with pop3_server(ALL) as server:
        with opened(server) as box:
            for message in box:
                message.delete()
                assert message.deleted
            box[1].keep()
            assert not box[1].deleted
            assert not [command for command in server.heard if command.startswith("DELE")]
        assert server.heard[-3:] == ["DELE 1", "DELE 3", "QUIT"]
        assert server.left == [TWO]


def deleted(server, *, read=False, accident=None):
    """Read all, have all deleted, and fail where told to."""
    with opened(server) as box:
        for message in box:
            if read:
                message.read()
            message.delete()
        if accident is not None:
            raise accident


@pytest.mark.parametrize("accident", [ValueError, KeyboardInterrupt])
def test_after_an_exception_nothing_is_deleted(accident):
    with pop3_server(ALL) as server:
        with pytest.raises(accident):
            deleted(server, accident=accident)
        assert server.left == ALL
        assert not [command for command in server.heard if command.startswith("DELE")]


def test_where_one_cannot_be_deleted_none_is():
    with pop3_server(ALL, DELE_2=b"-ERR locked\r\n") as server:
        with pytest.raises(Refused, match=r"DELE 2: 550 -ERR locked"):
            deleted(server)
        assert server.heard[-4:] == ["DELE 1", "DELE 2", "RSET", "QUIT"]
        assert server.left == ALL


def test_a_server_that_does_not_confirm_the_deletion():
    with (
        pop3_server(ALL, QUIT=b"-ERR some deleted messages not removed\r\n") as server,
        pytest.raises(Refused, match=r"QUIT: some messages may not have been deleted: 550 -ERR some deleted"),
        opened(server) as box,
    ):
        box[0].delete()


def test_a_connection_that_is_lost_deletes_nothing():
    with pop3_server(ALL, RETR_2=None) as server:
        with pytest.raises(ConnectionLost):
            deleted(server, read=True)
        assert server.left == ALL


def test_who_catches_the_loss_of_the_connection_is_told_all_the_same():
    def careless(box):
        with box:
            box[0].delete()
            with pytest.raises(ConnectionLost):
                box[1].read()

    with pop3_server(ALL, RETR_2=None) as server:
        with pytest.raises(ConnectionLost, match="nothing was deleted"):
            careless(opened(server))
        assert server.left == ALL


def test_a_refusal_is_no_end():
    with pop3_server(ALL, RETR_1=b"-ERR it has gone\r\n") as server:
        with opened(server) as box:
            with pytest.raises(Refused, match="RETR 1: 550 -ERR it has gone"):
                box[0].read()
            box[1].delete()
        assert server.left == [ONE, THREE]


def test_seen_messages_are_passed_over():
    with pop3_server(ALL) as server, opened(server, seen={"uid-1", "uid-3", "uid-0"}) as box:
        assert (len(box), box.total) == (1, 3)
        assert [message.octets for message in box] == [TWO]


def test_a_server_without_uids():
    with pop3_server(ALL, UIDL=b"-ERR what?\r\n") as server:
        with opened(server) as box:
            assert box[0].octets == ONE
            with pytest.raises(NotOffered, match="expected a POP3 server that knows UIDL, got 550 -ERR what"):
                _ = box[0].uid
        with pytest.raises(NotOffered), opened(server, seen={"x"}):
            pass


def test_an_empty_mailbox_and_an_empty_message():
    with pop3_server([]) as server, opened(server) as box:
        assert (list(box), len(box)) == ([], 0)
    with pop3_server([b""]) as server, opened(server) as box:
        assert box[0].octets == b""


def test_a_large_message_with_a_long_line():
    large = b"\r\n" + b"y" * 3_000_000 + b"\r\n" + b".x\r\n" * 100_000
    with pop3_server([large]) as server, opened(server) as box:
        assert box[0].octets == large


def test_a_message_that_is_larger_than_it_may_be():
    with (
        pop3_server([TWO * 200]) as server,
        pytest.raises(Desynchronized, match="RETR: expected at most 100000 octets, got more"),
        opened(server, limit=100_000) as box,
    ):
        box[0].read()


@pytest.mark.parametrize("listing", [b"1 x", b"x 1", b"1", b"99999999999 1", b""])
def test_a_listing_that_is_none(listing):
    with (
        pop3_server(ALL, LIST=b"+OK\r\n" + listing + b"\r\n" + END) as server,
        pytest.raises(Desynchronized),
        opened(server),
    ):
        pass


def test_more_than_a_thousand_messages():
    with pop3_server([b"x\r\n"] * 3000) as server, opened(server) as box:
        assert len(box) == 3000
        assert box[2999].uid == "uid-3000"


def test_nothing_tells_the_password():
    recorder = Recorder()
    with pop3_server(ALL) as server, opened(server, transcript=recorder) as box:
        box[0].read()
    text = "\n".join(recorder.lines)
    assert "> PASS (hidden)" in text
    assert f"= {len(ONE)} octets" in text
    assert PASSWORD not in text + repr(box) + repr(box.settings)


def test_it_is_used_within_its_with_alone_and_may_be_used_again():
    with pop3_server(ALL) as server:
        box = opened(server)
        with pytest.raises(ConfigurationError, match="expected it to be used within its with"):
            box.retrieve(1)
        for _ in range(2):
            with box:
                assert box[0].octets == ONE
        with pytest.raises(ConfigurationError):
            box.retrieve(1)


@pytest.mark.parametrize(
    ("url", "keywords", "endpoint", "tls"),
    [
        ("pop3s://a:b@h.example", {}, ("h.example", 995), TLSMode.IMPLICIT),
        ("pops://a:b@h.example:1995", {}, ("h.example", 1995), TLSMode.IMPLICIT),
        ("pop3://a:b@h.example", {}, ("h.example", 110), TLSMode.STARTTLS),
        ("pop3://a:b@h.example?tls=none&allow_cleartext=yes", {}, ("h.example", 110), TLSMode.NONE),
        ("pop3://a:b@h.example?tls=required", {}, ("h.example", 110), TLSMode.STARTTLS),
        ("pop3://a@h.example", {"password": "b", "tls": "implicit"}, ("h.example", 995), TLSMode.IMPLICIT),
        (None, {"host": "h.example", "username": "a", "password": "b"}, ("h.example", 995), TLSMode.IMPLICIT),
        (None, {"host": "h.example:110", "username": "a", "password": "b"}, ("h.example", 110), TLSMode.STARTTLS),
        (
            None,
            {"host": "h.example", "port": 110, "username": "a", "password": "b"},
            ("h.example", 110),
            TLSMode.STARTTLS,
        ),
    ],
)
def test_where_it_is_and_how_tls_begins(url, keywords, endpoint, tls):
    settings = settings_of(url, keywords)
    assert settings.endpoints == (Endpoint(*endpoint),)
    assert settings.tls is tls
    assert (settings.login.username, settings.login.password) == ("a", "b")
    assert settings.trust.verify


@pytest.mark.parametrize(
    ("url", "keywords", "fault"),
    [
        ("imap://a:b@h.example", {}, "expected pop3s://"),
        ("pop3s://h.example", {}, "username: expected one"),
        (None, {}, "url: expected one, or a host"),
        ("pop3s://a:b@h.example?x=y", {}, "unknown parameter"),
        ("pop3s://a:b@h.example?host=y", {}, "unknown parameter"),
        ("pop3s://a:b@h.example", {"port": "x"}, "port|number"),
    ],
)
def test_what_cannot_be_a_mailbox(url, keywords, fault):
    with pytest.raises(ConfigurationError, match=fault) as caught:
        Mailbox(url, **keywords)
    assert ":b@" not in str(caught.value)


def test_an_unknown_keyword():
    with pytest.raises(TypeError, match="unknown keyword 'pasword'; did you mean password"):
        Mailbox("pop3s://a@h.example", pasword="x")


@given(
    st.lists(st.sampled_from([b".", b"\r\n", b"\r", b"\n", b"x", b".\r\n"]), max_size=30).map(b"".join),
    st.integers(1, 9),
)
def test_contents_go_back_exactly_however_they_come(octets, size):
    octets += b"\r\n"
    sent = b".." + octets[1:] if octets.startswith(b".") else octets
    sent = sent.replace(b"\r\n.", b"\r\n..") + END + b"+OK more\r\n"
    contents = Contents()
    contents.expect_content(10_000)
    found = None
    for at in range(0, len(sent), size):
        contents.feed(sent[at : at + size])
        found = contents.content() if found is None else found
    assert found == octets
    assert contents.next().lines == (b"+OK more",)
    assert not contents.pending


def test_content_that_came_with_the_response():
    contents = Contents()
    contents.feed(b"+OK\r\n+OK here it comes\r\na\r\n" + stuffed(b".\r\n") + END)
    assert contents.next().positive
    assert contents.next().positive
    contents.expect_content(100)
    assert contents.content() == b"a\r\n.\r\n"


def test_listings():
    assert sizes(b"1 120\r\n2 200 more\r\n") == {1: 120, 2: 200}
    assert uids(b"1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n")[2] == "QhdPYR:00WBw1Ph7x7"
    with pytest.raises(ProtocolError, match="not a line of a POP3 listing"):
        uids(b"1 a b\r\n")
