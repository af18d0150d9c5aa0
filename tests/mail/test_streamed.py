import os
import subprocess
import sys
import textwrap
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.mime.text import MIMEText
from io import BytesIO, StringIO
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ninsho.mail import content, streamed
from ninsho.mail.message import (
    Attachment,
    ContentChanged,
    StreamedMessage,
    Submission,
    Unsendable,
    prepare,
)
from ninsho.mail.streamed import FileContent, from_file
from ninsho.mail.terms import Terms
from ninsho.wire.ehlo import Capabilities

HEADER = b"From: a@example.com\r\nTo: b@example.org\r\nBcc: c@example.org\r\n"
EIGHT = Capabilities(extensions={"8BITMIME": (), "SMTPUTF8": (), "SIZE": ()})


def prepared(message, capabilities=EIGHT):
    return prepare(Submission(message), capabilities, chunking=False)


@pytest.fixture
def small_pieces(monkeypatch):
    """Everything is large, and cut to pieces of three octets."""
    monkeypatch.setattr(streamed, "SMALL", 0)
    monkeypatch.setattr(streamed, "CHUNK", 3)


octets = st.lists(
    st.sampled_from(
        [b"\r", b"\n", b".", b"\r\n", b"abc", b"Bcc: x", b"To: x\r\n", b" ", b"\xc3\xa9", b"\xff", b"x" * 500]
    )
).map(b"".join)


@given(octets)
@settings(max_examples=300)
def test_a_file_in_pieces_gives_what_it_gives_whole(message):
    terms = Terms.of(EIGHT, chunking=False)
    try:
        whole = from_file(BytesIO(message), terms)
    except Unsendable:
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streamed, "SMALL", 0)
        patch.setattr(streamed, "CHUNK", 3)
        pieces = from_file(BytesIO(message), terms)
    assert (pieces.header, pieces.body, pieces.utf8) == (whole.header, whole.body, whole.utf8)
    assert pieces.content.size == whole.content.size
    # As often as it is asked for.
    for _ in range(2):
        assert b"".join(pieces.content.plain()) == b"".join(whole.content.plain())
        assert b"".join(pieces.content.stuffed()) == b"".join(whole.content.stuffed())


@given(octets, st.lists(st.integers(0, 40)))
def test_where_a_content_is_cut_does_not_matter_to_stuffing(message, cuts):
    message = content.with_line_ends(message)
    places = sorted({0, len(message), *(cut for cut in cuts if cut < len(message))})
    chunks = [message[start:end] for start, end in pairwise(places)]
    assert (
        b"".join(content.stuffed(chunks)) == content.dot_stuffed(message) == b"".join(content.Octets(message).stuffed())
    )


def test_a_large_content_comes_in_pieces():
    message = HEADER + b"\r\n" + b".line\r\n" * 300_000
    found = prepared(message).content
    assert len(list(found.plain())) > 1
    assert b"".join(found.plain()) == message.replace(b"Bcc: c@example.org\r\n", b"")
    assert b"".join(found.stuffed()).count(b"\r\n..line") == 300_000


def large(path, body=b"line\n" * 300_000):
    path.write_bytes(HEADER + b"\r\n" + body)
    return path


def test_a_large_file_is_not_read_into_memory(tmp_path):
    found = prepared(large(tmp_path / "mail.eml"))
    assert isinstance(found.content, FileContent)
    assert found.recipients == ("b@example.org", "c@example.org")
    whole = b"".join(found.content.plain())
    assert len(whole) == found.content.size
    assert whole == HEADER.replace(b"Bcc: c@example.org\r\n", b"") + b"\r\n" + b"line\r\n" * 300_000
    assert b" SIZE=%d" % len(whole) in found.mail


def test_an_open_file_is_read_from_its_beginning_as_often_as_it_must_be(tmp_path):
    with large(tmp_path / "mail.eml").open("rb") as file:
        first, again = prepared(file).content, prepared(file).content
        # Side by side, as two connections would.
        both = list(zip(first.plain(), again.plain(), strict=True))
        assert sum(len(chunk) for chunk, _ in both) == first.size
        assert all(one == other for one, other in both)


def test_a_small_open_file_is_not_empty_the_second_time():
    file = BytesIO(HEADER + b"\r\nHello\r\n")
    assert prepared(file).content.size == prepared(file).content.size > 0


def test_a_pipe_and_a_text_file_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(Unsendable, match="expected a regular file"):
            prepared(path)
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with os.fdopen(reading, "rb") as pipe, os.fdopen(writing, "wb"), pytest.raises(Unsendable, match="cannot be read"):
        prepared(pipe)
    with pytest.raises(TypeError, match="opened for text"):
        prepared(StringIO("From: a@example.com\n"))


@pytest.mark.parametrize("change", ["longer", "shorter", "other", "gone"])
def test_a_file_that_changes_is_never_sent_to_its_end(tmp_path, change):
    path = large(tmp_path / "mail.eml")
    found = prepared(path)
    status = path.stat()
    octets = path.read_bytes()
    match change:
        case "longer":
            path.write_bytes(octets + b"more\n")
        case "shorter":
            path.write_bytes(octets[:-5])
        case "other":
            path.write_bytes(octets[:-5] + b"LINE\n")
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "gone":
            path.unlink()
    got = 0
    with pytest.raises(ContentChanged, match=r"mail\.eml: (changed|cannot be read)"):  # noqa: PT012 - as it is sent
        for chunk in found.content.plain():
            got += len(chunk)
    assert got < found.content.size


def test_a_large_file_that_must_be_encoded_is_read_whole_if_it_is_not_too_large(tmp_path, monkeypatch):
    path = large(tmp_path / "mail.eml", "Grüße\n".encode() * 200_000)
    seven = Capabilities()
    assert b"".join(prepared(path, seven).content.plain()).isascii()
    assert b" BODY=8BITMIME" in prepared(path).mail
    monkeypatch.setattr(streamed, "REENCODED_LIMIT", 1 << 20)
    with pytest.raises(Unsendable, match="expected 7-bit lines"):
        prepared(path, seven)


@pytest.mark.parametrize(("body", "fits"), [(b"x" * 998 + b"\r\n", True), (b"x" * 999 + b"\r\n", False)])
def test_long_lines_are_found_across_pieces(small_pieces, body, fits):
    octets = HEADER + b"\r\n" + body
    found = from_file(BytesIO(octets), Terms.of(EIGHT, chunking=False)).content
    assert isinstance(found, FileContent) == fits


def test_a_header_without_end_is_not_read_into_memory(small_pieces, monkeypatch):
    monkeypatch.setattr(streamed, "HEADER_LIMIT", 50)
    with pytest.raises(Unsendable, match="expected an empty line"):
        from_file(BytesIO(HEADER * 3), Terms.of(EIGHT, chunking=False))


# Attachments.


def letter():
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.com", "b@example.org", "Files"
    message.set_content("Here they are: é\n")
    return message


@pytest.mark.parametrize("size", [0, 1, 56, 57, 58, 76, 57 * 4096, 57 * 4096 + 1, 700_001])
def test_attachments_arrive_whatever_their_size(tmp_path, size):
    path = tmp_path / "データ.bin"
    path.write_bytes(data := os.urandom(size))
    found = prepared(
        StreamedMessage(letter(), [Attachment(path), Attachment(path, "b.txt", "text/plain")]), Capabilities()
    )
    octets = b"".join(found.content.plain())
    assert len(octets) == found.content.size
    assert octets.isascii()
    assert max(map(len, octets.split(b"\r\n"))) <= 78
    text, first, second = message_from_bytes(octets, policy=policy.default).iter_parts()
    assert text.get_content().rstrip() == "Here they are: é"
    assert (first.get_content_type(), first.get_filename(), first.get_content()) == (
        "application/octet-stream",
        path.name,
        data,
    )
    assert (second.get_content_type(), second.get_filename()) == ("text/plain", "b.txt")
    assert second.get_payload(decode=True) == data


def test_a_message_is_not_changed_by_its_attachments(tmp_path):
    (tmp_path / "mail.eml").write_bytes(HEADER)
    message = letter()
    before = message.as_bytes()
    octets = b"".join(prepared(StreamedMessage(message, [Attachment(tmp_path / "mail.eml")])).content.plain())
    assert message.as_bytes() == before
    # message/rfc822 must not be in base64 (RFC 2046 §5.2.1).
    assert b"Content-Type: application/octet-stream" in octets


@pytest.mark.parametrize("change", [b"longer" * 9, b"short", b"Stays!"])
def test_an_attachment_that_changes_is_never_sent_to_its_end(tmp_path, change):
    path = tmp_path / "a.bin"
    path.write_bytes(b"before")
    os.utime(path, ns=(1, 1))
    found = prepared(StreamedMessage(letter(), [Attachment(path)]))
    path.write_bytes(change)
    with pytest.raises(ContentChanged, match=r"a\.bin: changed while it was sent"):
        b"".join(found.content.plain())


def test_an_attachment_that_is_not_there_cannot_be_sent(tmp_path):
    with pytest.raises(Unsendable, match="No such file"):
        prepared(StreamedMessage(letter(), [Attachment(tmp_path / "none")]))


@pytest.mark.parametrize("name", ["a\r\nX-Injected: y", "a\nb", "a\rb", "a\x0bb", "a\0b", "a\x85b", "a\u2028b", ""])
def test_a_file_name_is_one_line(tmp_path, name):
    (tmp_path / "a.txt").write_bytes(b"Hello")
    with pytest.raises(Unsendable, match=r"a\.txt: expected a file name of printable characters"):
        prepared(StreamedMessage(letter(), [Attachment(tmp_path / "a.txt", name)]))


@pytest.mark.parametrize("given", [True, False])
def test_a_file_name_that_is_no_utf8_is_sent_as_far_as_it_is(tmp_path, given):
    path = os.fsencode(tmp_path / "a") + b"\xff.txt"
    with open(path, "wb") as file:  # noqa: PTH123 - a name that is no text
        file.write(b"Hello")
    attachment = Attachment(os.fsdecode(path), "a\udcff.txt" if given else None)
    octets = b"".join(prepared(StreamedMessage(letter(), [attachment])).content.plain())
    *_, part = message_from_bytes(octets, policy=policy.default).iter_parts()
    assert part.get_filename() == "a\N{REPLACEMENT CHARACTER}.txt"


@pytest.mark.parametrize(
    "kind", ["text", "text/", "/x", "text/html\r\nX-Injected: y", "te xt/a b", "a/b/c", "text/ü", "text/html; a=\x0b"]
)
def test_a_content_type_has_two_words(tmp_path, kind):
    (tmp_path / "a.txt").write_bytes(b"Hello")
    with pytest.raises(Unsendable, match=r"a\.txt: expected a content type such as text/plain"):
        prepared(StreamedMessage(letter(), [Attachment(tmp_path / "a.txt", content_type=kind)]))


def test_a_content_type_may_have_parameters(tmp_path):
    (tmp_path / "a.txt").write_bytes("Grüße".encode())
    attachment = Attachment(tmp_path / "a.txt", content_type="text/x-log; charset=utf-8")
    octets = b"".join(prepared(StreamedMessage(letter(), [attachment])).content.plain())
    *_, part = message_from_bytes(octets, policy=policy.default).iter_parts()
    assert (part.get_content_type(), part.get_content()) == ("text/x-log", "Grüße")


@pytest.mark.parametrize(
    "attachment",
    [Attachment("a\0b"), Attachment(__file__, 5), Attachment(__file__, None, 5), Attachment("/dev/null"), "/dev/null"],
    ids=["NUL", "name", "type", "device", "path"],
)
def test_an_attachment_of_another_kind_is_refused_in_words(attachment):
    with pytest.raises(Unsendable, match=r"expected|cannot be read"):
        prepared(StreamedMessage(letter(), [attachment]))


def test_a_path_that_no_file_can_have_cannot_be_sent():
    with pytest.raises(Unsendable, match="cannot be read"):
        prepared(Path("a\0b"))


@pytest.mark.parametrize(
    "message", [Message(), MIMEText("Hello"), b"", None], ids=["Message", "MIMEText", "bytes", "None"]
)
def test_attachments_go_with_a_message_of_the_newer_kind(tmp_path, message):
    (tmp_path / "a.txt").write_bytes(b"Hello")
    with pytest.raises(Unsendable, match="expected an EmailMessage"):
        prepared(StreamedMessage(message, [Attachment(tmp_path / "a.txt")]))


@pytest.mark.parametrize("kind", ["message", "attachment"])
def test_a_large_file_takes_little_memory(tmp_path, kind):
    path = large(tmp_path / "mail.eml", b"")
    with path.open("r+b") as file:
        file.seek(0, os.SEEK_END)
        for _ in range(64):
            file.write(b"line of text\n" * 80_000)
    program = textwrap.dedent(f"""
        import re
        from email.message import EmailMessage
        from pathlib import Path
        from ninsho.mail.message import *
        from ninsho.wire.ehlo import Capabilities
        message = EmailMessage()
        message["From"] = message["To"] = "a@example.com"
        path = Path({str(path)!r})
        source = path if {kind!r} == "message" else StreamedMessage(message, [Attachment(path)])
        content = prepare(Submission(source), Capabilities(), chunking=False).content
        assert sum(map(len, content.stuffed())) >= content.size
        print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
    """)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 40 * 1024
