"""However the client's octets are split, the server understands the same."""

from threading import Event

from hypothesis import given
from hypothesis import strategies as st
from line_talk import HELLO, MAIL, RCPT

from ninsho.testing.accounts import Accounts
from ninsho.testing.content import unstuff, unstuffed_lines
from ninsho.testing.conversation import Conversation, Options, Site
from ninsho.testing.faults import Faults
from ninsho.testing.offer import Offer
from ninsho.testing.received import Ledger
from ninsho.testing.session import Session
from ninsho.testing.stream import Stream

ACCOUNTS = Accounts(users={"tim": "tanstaaf"})
LOGIN = "AUTH PLAIN AHRpbQB0YW5zdGFhZg=="


class Chunks:
    """A wire on which these chunks arrive, and then the end."""

    def __init__(self, chunks):
        self.chunks = [chunk for chunk in chunks if chunk]

    def recv(self, size):
        if not self.chunks:
            return b""
        chunk = self.chunks.pop(0)
        if len(chunk) > size:
            self.chunks.insert(0, chunk[size:])
        return chunk[:size]

    def sendall(self, data):
        pass

    def readable(self, _patience):
        return True

    def close(self, *, reset):
        pass

    def abandon(self):
        pass


def served(chunks):
    """What the server says, but for queue ids, and what it takes."""
    stream, ledger = Stream(Chunks(chunks)), Ledger()
    options = Options(accounts=ACCOUNTS, mechanisms=Offer(None, ACCOUNTS))
    Session(Conversation(stream, Site(options, Faults(), ledger, Event()), 1)).run()
    said = b"\r\n".join(line.split(b"queued as")[0] for line in stream.talk.said.split(b"\r\n"))
    return said, [(one.sender, one.recipients, one.content, one.username) for one in ledger.messages]


def split(octets, places):
    ends = sorted({place % (len(octets) + 1) for place in places})
    return [octets[start:end] for start, end in zip([0, *ends], [*ends, len(octets)], strict=True)]


def stuff(content):
    """Double the dots that begin a line, where only CRLF ends one."""
    lines = content.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


TEXT = st.lists(st.sampled_from([b"", b".", b"..", b"a", b".a", b"QUIT", b"a.", b"\r", b"\n.", b"\xff"])).map(
    lambda lines: b"".join(line + b"\r\n" for line in lines)
)
DATA = TEXT.map(lambda content: b"DATA\r\n" + stuff(content) + b".\r\n")
BDAT = st.lists(st.binary(max_size=9), max_size=3).map(
    lambda chunks: b"".join(b"BDAT %d\r\n%b" % (len(chunk), chunk) for chunk in chunks) + b"BDAT 0 LAST\r\n"
)
LINES = st.sampled_from([HELLO, MAIL, RCPT, "RSET", "NOOP", LOGIN, "FROB", "BDAT x", "RCPT TO:<", "\xe9", ""]).map(
    lambda line: line.encode("latin-1") + b"\r\n"
)
ENVELOPE = f"{MAIL}\r\n{RCPT}\r\n".encode()
MESSAGE = st.one_of(DATA, BDAT).map(lambda content: ENVELOPE + content)


@given(st.lists(st.one_of(LINES, MESSAGE, st.binary(max_size=5))), st.lists(st.integers(min_value=0), max_size=20))
def test_any_split_of_the_octets_gives_the_same_talk(parts, places):
    octets = f"{HELLO}\r\n".encode() + b"".join(parts)
    whole = served([octets])
    assert served(split(octets, places)) == whole
    assert served(octets[place : place + 1] for place in range(len(octets))) == whole


@given(st.lists(MESSAGE, max_size=4))
def test_messages_that_are_sent_are_taken(messages):
    _, taken = served([f"{HELLO}\r\n".encode(), *messages, b"QUIT\r\n"])
    assert len(taken) == len(messages)


@given(TEXT)
def test_dots_that_are_put_in_are_taken_away(content):
    assert unstuff(stuff(content)) == content
    assert list(unstuffed_lines(stuff(content))) == []


@given(TEXT)
def test_a_message_by_data_is_what_was_meant(content):
    _, [(_, _, taken, _)] = served([f"{HELLO}\r\n".encode() + ENVELOPE + b"DATA\r\n" + stuff(content) + b".\r\n"])
    assert taken == content


@given(st.lists(st.binary(max_size=9), max_size=4))
def test_a_message_by_bdat_is_what_was_meant(chunks):
    sent = b"".join(b"BDAT %d\r\n%b" % (len(chunk), chunk) for chunk in chunks) + b"BDAT 0 LAST\r\n"
    _, [(_, _, taken, _)] = served([f"{HELLO}\r\n".encode() + ENVELOPE + sent])
    assert taken == b"".join(chunks)
