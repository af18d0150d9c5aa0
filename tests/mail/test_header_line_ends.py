"""A lone CR ends no line of a header: what one server reads as a name, another reads as a field."""

from io import BytesIO

import pytest

from ninsho.mail import streamed
from ninsho.mail.message import Submission, Unsendable, prepare
from ninsho.wire.ehlo import Capabilities

ENVELOPE = b"From: a@example.com\r\nTo: b@example.org\r\n"


def prepared(message):
    return prepare(Submission(message), Capabilities(), chunking=False)


@pytest.fixture(params=["bytes", "file", "pieces"])
def taken(request, monkeypatch):
    """Take octets whole, from a file, and from a file too large for memory, wherever its pieces end."""
    if request.param != "pieces":
        return lambda octets: [prepared(octets if request.param == "bytes" else BytesIO(octets))]
    monkeypatch.setattr(streamed, "SMALL", 0)

    def in_pieces(octets):
        found = []
        for size in (1, 2, 3, 7, 1000):
            monkeypatch.setattr(streamed, "CHUNK", size)
            found.append(prepared(BytesIO(octets)))
        return found

    return in_pieces


@pytest.mark.parametrize(
    "header",
    [
        ENVELOPE + b"Subject: hi\rBcc: evil@x.example\rX-Injected: 1\r\n",
        ENVELOPE + b"Subject: hi\r\r\n",
        ENVELOPE.replace(b"\r\n", b"\n") + b"Subject: hi\rBcc: evil@x.example\n",
        b"\rBcc: evil@x.example\r\n" + ENVELOPE,
        b"Subject: hi\r\rNo body\r\n" + ENVELOPE,
        ENVELOPE + b"\r",
        (ENVELOPE + b"\r\nan old Mac's\r\n").replace(b"\r\n", b"\r"),
        ENVELOPE + b"Subject: hi\r",
    ],
)
def test_a_lone_cr_in_the_header_is_refused(taken, header):
    for rest in (b"", b"\r\nbody\r\n", b"X: y\n\nbody\n"):
        message = header + rest
        with pytest.raises(Unsendable, match="a lone CR in the header"):
            taken(message)


@pytest.mark.parametrize(
    "header",
    [
        ENVELOPE,
        ENVELOPE.replace(b"\r\n", b"\n"),
        # Fields put in front of a file whose lines end in another way.
        b"Message-ID: <1@example.com>\n" + ENVELOPE,
        b"Message-ID: <1@example.com>\r\n" + ENVELOPE.replace(b"\r\n", b"\n"),
    ],
)
def test_line_feeds_end_lines_and_the_body_may_hold_what_it_likes(taken, header):
    for end in (b"\n", b"\r\n"):
        for found in taken(header + end + b"Body\rof an old\r\rMac\n\rand\r\r\n"):
            head, _, body = b"".join(found.content.plain()).partition(b"\r\n\r\n")
            assert head + b"\r\n" == header.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            assert body == b"Body\r\nof an old\r\n\r\nMac\r\n\r\nand\r\n\r\n"
            assert found.recipients == ("b@example.org",)


def test_a_message_without_a_header_has_none_to_refuse(taken):
    for message in (b"\r\n\rbody\r", b"\n\rbody\r"):
        with pytest.raises(Unsendable, match="expected a sender"):
            taken(message)
