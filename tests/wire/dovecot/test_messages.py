from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.errors import ProtocolError
from ninsho.wire.dovecot import replies, requests
from ninsho.wire.dovecot.fields import LINE_LIMIT, parameters
from ninsho.wire.lines import Lines

ids = st.integers(1, 0xFFFF_FFFF)
texts = st.text(st.characters(exclude_categories=["Cs"]))
names = st.text(st.characters(exclude_characters="=", exclude_categories=["Cs"]), min_size=1).filter(
    lambda s: s != "resp"
)


def lines(data: bytes) -> list[bytes]:
    return list(Lines(1 << 20).feed(data))


@given(ids, texts, st.dictionaries(names, texts), st.none() | st.binary())
def test_an_auth_that_is_written_is_read(id, mechanism, items, response):
    (line,) = lines(requests.auth(id, mechanism, items, response))
    auth = requests.parse(line)
    assert (auth.id, auth.mechanism, parameters(auth.fields)) == (id, mechanism, items)
    assert requests.initial_response(auth.response, minor=2) == response
    assert requests.initial_response(auth.response, minor=0) == response


@given(ids, st.binary())
def test_a_response_that_is_written_is_read(id, response):
    (line,) = lines(requests.cont(id, response))
    cont = requests.parse(line)
    assert (cont.id, requests.continued_response(cont.response)) == (id, response)


@given(ids, st.binary())
def test_a_challenge_that_is_written_is_read(id, challenge):
    (line,) = lines(replies.cont(id, challenge))
    assert replies.parse(line) == replies.Cont(id, challenge)
    assert line.count(b"\t") == 2


@given(ids, texts)
def test_a_success_that_is_written_is_read(id, user):
    (line,) = lines(replies.ok(id, user))
    assert replies.parse(line) == replies.Ok(id, {"user": user})


@given(ids, texts, st.none() | texts)
def test_a_failure_is_one_printable_line(id, reason, user):
    (line,) = lines(replies.fail(id, reason, user=user))
    fail = replies.parse(line)
    assert fail.parameters.get("user") == user
    assert fail.parameters["reason"] == replies.printable(reason)
    assert fail.parameters["reason"].isprintable()
    assert fail.parameters["reason"].isascii()


def test_a_temporary_failure_has_both_spellings():
    assert replies.fail(1, "later", code="temp_fail") == b"FAIL\t1\tcode=temp_fail\ttemp\treason=later\n"
    assert replies.parse(b"FAIL\t1\ttemp").temporary
    assert replies.parse(b"FAIL\t1\tcode=temp_fail").temporary
    assert not replies.parse(b"FAIL\t1\tcode=user_disabled").temporary


def test_the_clients_own_commands():
    assert [requests.parse(line) for line in lines(requests.hello(7) + requests.cancel(3))] == [
        requests.Version(2),
        requests.Cpid(7),
        requests.Cancel(3),
    ]


@given(st.binary(max_size=60))
def test_any_line_is_a_request_or_a_protocol_error(line):
    with suppress(ProtocolError):
        requests.parse(line)


@given(st.binary(max_size=60))
def test_any_line_is_a_reply_or_a_protocol_error(line):
    with suppress(ProtocolError):
        replies.parse(line)


def test_the_handshake_is_read_in_its_order():
    mechs = [replies.Mech("PLAIN", ("plaintext",)), replies.Mech("EXTERNAL", ())]
    data = replies.version(2) + replies.offer(mechs, pid=5, connection=2, cookie="ab" * 16)
    assert [replies.parse(line) for line in lines(data)] == [
        requests.Version(2),
        *mechs,
        replies.Spid(5),
        replies.Cuid(2),
        replies.Cookie("ab" * 16),
        replies.Done(),
    ]
    assert len(data) < LINE_LIMIT


def test_an_unknown_reply_is_left_alone():
    assert replies.parse(b"FUTURE\t1") == replies.Other("FUTURE")


@pytest.mark.parametrize(
    "line", [b"CONT\t1", b"VERSION\t2\t0", b"VERSION\t1", b"MECH", b"OK\tx", b"DONE\t1", b"CONT\t1\t!"]
)
def test_a_known_reply_that_is_malformed_is_an_error(line):
    with pytest.raises(ProtocolError):
        replies.parse(line)
