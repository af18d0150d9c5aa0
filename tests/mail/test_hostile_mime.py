"""MIME headers that somebody else has written: they cost what their length deserves, or the message is refused."""

import time
from contextlib import suppress

import pytest

from ninsho.mail.entity import Entity
from ninsho.mail.message import Submission, Unsendable, prepare
from ninsho.wire.ehlo import Capabilities

ENVELOPE = b"From: a@example.com\r\nTo: b@example.org\r\nMIME-Version: 1.0\r\n"
EIGHT = Capabilities(extensions={"8BITMIME": ()})


def prepared(message, capabilities=None):
    return prepare(Submission(message), capabilities or Capabilities(), chunking=False)


@pytest.mark.parametrize(
    "value",
    [
        b'text/plain; x="' + b";" * 1_000_000,
        b"multipart/mixed" + b"; boundary" * 100_000,
        b"multipart/mixed; boundary" + b" " * 1_000_000,
        b'multipart/mixed; boundary="' + b"\\" * 1_000_000,
        b"multipart/mixed" + b";" * 1_000_000 + b"boundary=b",
        b'multipart/mixed; a="' + b'";a="' * 200_000,
        b"multipart/mixed; " + b"a=" * 500_000,
        b"text/plain" + b"".join(b"; a*%d*=x" % number for number in range(100_000)),
        b"/" * 1_000_000,
        b'multipart/mixed; x="' + b'\\"' * 500_000,
        b'multipart/mixed; x"' + b'\\"' * 500_000 + b"\\",
    ],
)
def test_no_content_type_takes_more_time_than_its_length_deserves(value):
    begun = time.process_time()
    with suppress(Unsendable):
        prepared(
            ENVELOPE
            + b"Content-Type: "
            + b"\r\n ".join(value[at : at + 900] for at in range(0, len(value), 900))
            + b"\r\n\r\n\xc3\xbc\r\n"
        )
    assert time.process_time() - begun < 2


@pytest.mark.parametrize(
    "field",
    [
        "Content-Disposition: attachment; x=ü" + "".join(f";\r\n a*{number}*=x" for number in range(16_000)),
        "Content-Type: text/plain; x=ü" + "".join(f";\r\n a*{number}*=x" for number in range(16_000)),
        "Subject: ü" + "\r\n =?utf-8?q?a?=" * 30_000,
    ],
)
def test_no_field_that_is_encoded_takes_more_time_than_its_length_deserves(field):
    begun = time.process_time()
    with pytest.raises(Unsendable, match="at most 16384 characters"):
        prepared(ENVELOPE + field.encode() + b"\r\n\r\nHello\r\n")
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    ("value", "kind", "boundary"),
    [
        ("multipart/mixed; boundary=b", "multipart/mixed", "b"),
        ("Multipart/Mixed;BOUNDARY=b", "multipart/mixed", "b"),
        ('multipart/mixed ; x="; boundary=no" ;\r\n\tboundary = "a \\"b\\\\"; y=z', "multipart/mixed", 'a "b\\'),
        ("multipart/mixed; charset=utf-8; boundary=one; boundary=two", "multipart/mixed", "one"),
        ('multipart/mixed; boundary="=_b:?(1)/x "', "multipart/mixed", "=_b:?(1)/x"),
        ("multipart/mixed; x=y boundary=no; boundary=b", "multipart/mixed", "b"),
        ("multipart/mixed; not-boundary=b", "multipart/mixed", None),
        ("multipart/mixed;boundary=", "multipart/mixed", None),
        ('multipart/mixed;boundary=""', "multipart/mixed", None),
        ("multipart/mixed; boundary=a_b-c.d", "multipart/mixed", "a_b-c.d"),
        ("text", "text/plain", None),
        ("a/b/c", "text/plain", None),
        ("", "text/plain", None),
        ("text/HTML", "text/html", None),
    ],
)
def test_what_a_content_type_says(value, kind, boundary):
    entity = Entity.read(f"Content-Type: {value}\r\nContent-Type: x/y; boundary=other\r\n\r\nx".encode())
    assert (entity.type, entity.boundary or None) == (kind, boundary)


def test_a_part_without_a_content_type_is_text():
    entity = Entity.read(b"X: y\nContent-Transfer-Encoding:\n 8BIT \n\nx")
    assert (entity.type, entity.encoding, entity.boundary, entity.described) == ("text/plain", "8bit", None, False)


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        ("8BIT", "8bit"),
        (" Base64 (a comment)", "base64"),
        ("(a) (b)\r\n 7bit;", "7bit"),
        ("", ""),
        ("(", "("),
        ("()", ""),
    ],
)
def test_what_a_transfer_encoding_says(value, encoding):
    assert Entity.read(f"Content-Transfer-Encoding: {value}\r\n\r\nx".encode()).encoding == encoding


def test_no_transfer_encoding_takes_more_time_than_its_length_deserves():
    begun = time.process_time()
    for value in (b"(" * 1_000_000, b"(x" * 500_000, b"()" * 500_000):
        Entity.read(b"Content-Transfer-Encoding: " + value + b"\r\n\r\nx")
    assert time.process_time() - begun < 2


@pytest.mark.parametrize("boundary", [b"", b"; boundary=", b'; boundary=""', b"; charset=utf-8"])
def test_a_multipart_message_without_a_boundary_is_never_encoded(boundary):  # RFC 2045 §6.4
    message = ENVELOPE + b"Content-Type: multipart/mixed" + boundary + b"\r\n\r\n--x\r\n\r\n\xc3\xbc\r\n--x--\r\n"
    with pytest.raises(Unsendable, match="expected a boundary"):
        prepared(message)
    # Where nothing has to be encoded, nobody looks.
    assert b"".join(prepared(message, EIGHT).content.plain()) == message
    within = ENVELOPE + b"Content-Type: multipart/mixed; boundary=o\r\n\r\n--o\r\n" + message + b"\r\n--o--\r\n"
    with pytest.raises(Unsendable, match="expected a boundary"):
        prepared(within)
