"""Replies read out of octets, however these are cut; the numbers are those of the list of pitfalls."""

import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ninsho.errors import ProtocolError
from ninsho.wire.smtp import LINE_LIMIT, LINES_LIMIT, REPLY_LIMIT, Replies, Reply, command, shown

# What may stand in a line: anything but its end.
texts = st.binary(max_size=40).map(lambda octets: octets.replace(b"\n", b"").removesuffix(b"\r"))
replies = st.builds(Reply, st.integers(200, 599), st.lists(texts, min_size=1, max_size=4).map(tuple))


def written(reply: Reply, end: bytes = b"\r\n") -> bytes:
    """*reply* as a server sends it."""
    *more, last = reply.lines
    code = b"%d" % reply.code
    return b"".join(code + b"-" + line + end for line in more) + code + b" " + last + end


def read(*pieces: bytes) -> list[Reply]:
    """All replies in *pieces*, read as soon as they are there."""
    reader, found = Replies(), []
    for piece in pieces:
        reader.feed(piece)
        while (reply := reader.next()) is not None:
            found.append(reply)
    return found


def cut(octets: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(octets) + 1) for place in places), len(octets)]
    return [octets[start:end] for start, end in pairwise(edges)]


@given(st.lists(replies, max_size=5), st.lists(st.integers(0, 1000), max_size=12))
def test_any_cut_gives_the_same_replies_15(sent, places):
    octets = b"".join(map(written, sent))
    assert read(octets) == read(*cut(octets, places)) == sent


@given(st.lists(replies, max_size=5))
def test_octet_by_octet_15(sent):
    octets = b"".join(map(written, sent))
    assert read(*(octets[place : place + 1] for place in range(len(octets)))) == sent


@given(st.lists(replies, max_size=5))
def test_lines_ended_by_lf_alone_13(sent):
    assert read(b"".join(written(reply, b"\n") for reply in sent)) == sent


@given(st.binary(max_size=300), st.lists(st.integers(0, 1000), max_size=12))
@example(b"250", [])
@example(b"250-\r\n250", [3])
@example(b"250 ok\r\n99 no\r\n", [])
def test_whatever_comes_is_the_same_however_it_is_cut_15(octets, places):
    """Replies, and then perhaps what is none: the same ones, and the same complaint."""

    def outcome(*pieces):
        reader, found = Replies(), []
        try:
            for piece in pieces:
                reader.feed(piece)
                while (reply := reader.next()) is not None:
                    found.append(reply)
        except ProtocolError as error:
            return found, str(error)
        return found, reader.pending

    assert outcome(octets) == outcome(*cut(octets, places))


@pytest.mark.parametrize(
    ("octets", "reply"),
    [
        (b"250\r\n", Reply(250)),
        (b"250 \r\n", Reply(250)),
        (b"250\tx\r\n", Reply(250, (b"x",))),
        (b"250 a\rb\r\n", Reply(250, (b"a\rb",))),
        (b"250-a\r\n250\r\n", Reply(250, (b"a", b""))),
        (b"250-\r\n250 b\n", Reply(250, (b"", b"b"))),
        (b"250 \xff\xfe\r\n", Reply(250, (b"\xff\xfe",))),
        (b"250-a\r\n550-b\r\n421 c\r\n", Reply(421, (b"a", b"b", b"c"))),
    ],
)
def test_what_servers_say_12_13(octets, reply):
    assert read(octets) == [reply]


@pytest.mark.parametrize(
    "octets",
    [b"\r\n", b"hello\r\n", b"25\r\n", b"2500 x\r\n", b"199 x\r\n", b"600 x\r\n", b" 250 x\r\n", b"250ok\r\n", b"\n"],
)
def test_what_is_no_reply_13(octets):
    with pytest.raises(ProtocolError, match="not an SMTP reply"):
        read(octets)


def test_a_line_that_is_too_long_14():
    assert read(b"250 " + b"x" * (LINE_LIMIT - 5) + b"\r\n")
    with pytest.raises(ProtocolError, match="at most 16384 octets"):
        read(b"250 " + b"x" * LINE_LIMIT + b"\r\n")


def test_a_line_without_an_end_is_not_kept_for_ever_14():
    with pytest.raises(ProtocolError, match="at most 16384 octets"):
        read(*[b"x" * 1000] * 100)


def test_a_reply_of_too_many_lines_14():
    assert len(read(b"250-x\r\n" * LINES_LIMIT + b"250 x\r\n")[0].lines) == LINES_LIMIT + 1
    with pytest.raises(ProtocolError, match="at most 1024 lines"):
        read(b"250-x\r\n" * (LINES_LIMIT + 1))


def test_a_reply_that_is_too_large_14():
    line = b"250-" + b"x" * 10_000 + b"\r\n"
    with pytest.raises(ProtocolError, match="262144 octets"):
        read(line * (REPLY_LIMIT // 10_000 + 1))


def test_what_was_counted_is_forgotten_with_the_reply_14():
    reply = b"250-" + b"x" * 10_000 + b"\r\n250 \r\n"
    assert len(read(reply * 100)) == 100


@given(replies)
def test_pending_says_that_octets_wait_16(reply):
    reader = Replies()
    assert not reader.pending
    for octet in written(reply):
        reader.feed(bytes([octet]))
        assert reader.pending
        found = reader.next()
    assert found == reply
    assert not reader.pending


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(550, (b"5.1.1 no",)), "5.1.1"),
        (Reply(550, (b"5.1.1",)), "5.1.1"),
        (Reply(450, (b"4.123.456 no",)), "4.123.456"),
        (Reply(550, (b"no",)), ""),
        (Reply(550, (b"2.1.5 no",)), ""),
        (Reply(550, (b"4.1.5 no",)), ""),
        (Reply(550, (b"5.1 no",)), ""),
        (Reply(550, (b"5.x.1 no",)), ""),
        (Reply(550, (b"5.1.1111 no",)), ""),
        (Reply(550, (b"5.1.1.no",)), ""),
        (Reply(354, (b"3.0.0 go on",)), ""),
        (Reply(550, (b"no", b"5.1.1 no")), ""),
    ],
)
def test_the_enhanced_code_absent_malformed_or_contradicting_21(reply, code):
    assert reply.enhanced_code == code


@given(st.binary(max_size=60))
def test_nothing_that_is_shown_can_steer_a_terminal_85(octets):
    text = shown(octets)
    assert not re.search(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text)


@given(st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=40))
def test_what_people_can_read_is_shown_as_it_is_85(text):
    assert shown(text.encode()) == text


def test_the_text_of_a_reply_85():
    reply = Reply(554, (b"\x1b[2Ja", b"b\x00 \xff", "ü\u202e\x9b".encode()))
    assert reply.text == "\\x1b[2Ja\nb\\x00 \\xff\nü\\u202e\\x9b"
    assert str(reply) == "554 \\x1b[2Ja b\\x00 \\xff ü\\u202e\\x9b"


@given(st.text(max_size=20), st.lists(st.text(max_size=20), max_size=3))
def test_a_command_is_one_line_53(verb, arguments):
    words = [verb, *filter(None, arguments)]
    try:
        line = command(verb, *arguments)
    except ValueError:
        assert any(set(word) & set("\r\n\0") for word in words) or not _encodes(words)
    else:
        assert line == " ".join(words).encode() + b"\r\n"
        assert not set(line[:-2]) & set(b"\r\n\0")


def _encodes(words: list[str]) -> bool:
    try:
        "".join(words).encode()
    except UnicodeEncodeError:
        return False
    return True


def test_an_injected_command_is_not_quoted_53():
    with pytest.raises(ValueError, match=r"^EHLO: expected no CR, LF or NUL in an argument, got one$"):
        command("EHLO", "x\r\nMAIL FROM:<evil@example.org>")
