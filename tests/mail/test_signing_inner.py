from email import message_from_bytes, policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail.signing.inner import Inner, boundary_for, multipart
from ninsho.mail.signing.robust import robust

HEAD = b"From: a@example.com\r\n"


def entity(body, *, encoding="7bit", kind="text/plain; charset=utf-8"):
    return f"Content-Type: {kind}\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode() + body


def parsed(octets):
    return message_from_bytes(octets, policy=policy.default)


def test_what_describes_the_content_goes_inside_and_all_else_stays_in_order():
    inner = Inner.of(
        b"Received: x\r\nContent-Type: text/html;\r\n charset=us-ascii\r\nFrom: a@example.com\r\nMime-Version: 1.0\r\n"
        b"Bcc: b@example.com\r\ncontent-language: ja\r\nSubject: long\r\n  fold\r\n\r\n<p>\r\n"
    )
    assert inner.outside == (
        b"Received: x\r\nFrom: a@example.com\r\nMime-Version: 1.0\r\nBcc: b@example.com\r\nSubject: long\r\n  fold\r\n"
    )
    assert inner.entity == b"Content-Type: text/html;\r\n charset=us-ascii\r\ncontent-language: ja\r\n\r\n<p>\r\n"


def test_a_message_without_mime_gets_what_mime_wants():
    inner = Inner.of(HEAD + b"\r\nHello\r\n")
    assert inner.outside == HEAD + b"MIME-Version: 1.0\r\n"
    assert inner.entity == b"Content-Type: text/plain; charset=us-ascii\r\n\r\nHello\r\n"


@pytest.mark.parametrize("message", [HEAD, HEAD + b"\r\n", HEAD.replace(b"\r\n", b"\n")])
def test_a_message_without_a_body_has_an_empty_one(message):
    inner = Inner.of(message)
    assert inner.outside == HEAD + b"MIME-Version: 1.0\r\n"
    assert inner.entity == b"Content-Type: text/plain; charset=us-ascii\r\n\r\n"


def test_line_ends_are_made_crlf():
    assert Inner.of(HEAD.replace(b"\r\n", b"\n") + b"\nHello\n\nyou").entity.endswith(b"\r\n\r\nHello\r\n\r\nyou\r\n")


def test_eight_bit_text_is_encoded():
    inner = Inner.of(HEAD + b"MIME-Version: 1.0\r\n" + entity("こんにちは\r\n".encode(), encoding="8bit"))
    assert inner.entity.isascii()
    assert parsed(inner.entity).get_content() == "こんにちは\r\n"


def test_text_that_changes_on_its_way_is_encoded():  # RFC 3156 §3, §5
    text = b"trailing \r\nFrom here\r\n-- \r\n.\r\nFrom there\t\r\n"
    octets = robust(entity(text))
    assert b"quoted-printable" in octets
    assert b" \r\n" not in octets
    assert b"\nFrom " not in octets
    assert parsed(octets).get_content().encode() == text


@pytest.mark.parametrize(
    "kept",
    [
        entity(b"nothing wrong\r\n.\r\n"),
        b'Content-Type: multipart/signed; boundary="b"\r\n\r\n--b\r\n\r\ntrailing \r\n--b\r\n\r\n--b--\r\n',
        b"DKIM-Signature: v=1\r\n\r\ntrailing \r\n",
        b"Content-Type: multipart/mixed\r\n\r\nno boundary \r\n",
    ],
)
def test_what_needs_nothing_or_is_signed_already_stays(kept):
    assert robust(kept) == kept


def test_parts_within_parts_are_looked_at():
    message = b"Subject: x\r\n\r\ntrailing \r\n"
    parts = [
        entity(b"fine\r\n"),
        entity(message, kind="message/rfc822"),
        b"\r\nFrom x\r\n",
        entity(b"=20 =\r\nFrom =\r\n", encoding="quoted-printable"),
    ]
    octets = robust(b"Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n" + multipart(parts, "b"))
    fine, carried, plain, printable = parsed(octets).iter_parts()
    assert fine.as_bytes(policy=policy.SMTP) == parts[0]
    assert carried.get_content().get_payload(decode=True) == b"trailing \r\n"
    assert plain.get_payload(decode=True) == b"From x\r\n"
    assert printable.get_payload(decode=True) == b"  From "
    assert b"\nFrom " not in octets
    assert b"preamble\r\n" in octets


def test_japanese_of_seven_bits_becomes_base64():
    octets = robust(entity("日本語 \r\n".encode("iso2022_jp"), kind="text/plain; charset=iso-2022-jp"))
    assert b"base64" in octets
    assert parsed(octets).get_content() == "日本語 \r\n"


def test_quoted_printable_lines_stay_short():
    octets = robust(entity(b"From " + b"x" * 70 + b"=\r\ny\r\n", encoding="quoted-printable"))
    assert max(map(len, octets.split(b"\r\n"))) <= 76
    assert parsed(octets).get_content() == "From " + "x" * 70 + "y\r\n"


def test_78_a_boundary_stands_in_no_part():
    told = iter(["one", "two", "three"])
    assert boundary_for((b"x=_one", b"=_two"), token=lambda _: next(told)) == "=_three"


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90)


@given(st.lists(LINES | st.sampled_from(["From ", "From x", ".", "-- ", "\t", "=20"])).map("\r\n".join))
def test_whatever_a_text_says_it_can_be_read(text):
    octets = robust(entity(text.encode()))
    assert parsed(octets).get_content().encode() == text.encode()
    if octets != entity(text.encode()):
        body = octets.partition(b"\r\n\r\n")[2]
        assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in body.split(b"\r\n"))
