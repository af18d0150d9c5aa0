import re
import time
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


DIGEST = b"Content-Type: multipart/digest; boundary=q\r\n\r\n--q\r\n\r\nFrom: x@y\r\nSubject: s\r\n\r\nhi \r\n--q--\r\n"


def test_what_a_digest_holds_is_a_message():  # RFC 2046 §5.1.5
    octets = Inner.of(HEAD + b"MIME-Version: 1.0\r\n" + DIGEST).entity
    (carried,) = parsed(octets).iter_parts()
    assert octets.partition(b"--q\r\n")[2].startswith(b"\r\nFrom: x@y\r\n")
    assert carried.get_content_type() == "message/rfc822"
    assert carried.get_content()["subject"] == "s"
    assert carried.get_content().get_payload(decode=True) == b"hi "
    assert carried.get_content()["mime-version"] == "1.0"
    assert b" \r\n" not in octets


@pytest.mark.parametrize(
    "kind", ["message/delivery-status", "message/disposition-notification", "message/partial; id=x", "message/http"]
)
def test_what_must_not_be_encoded_stays(kind):  # RFC 2045 §6.4
    kept = entity(b"Reporting-MTA: dns; x \r\n\r\nFrom x\r\n", kind=kind)
    assert robust(kept) == kept
    report = b"Content-Type: multipart/report; boundary=b\r\n\r\n" + multipart([kept], "b")
    assert robust(report) == report


@pytest.mark.parametrize("encoding", ["x-uuencode", "8-bit", "x-unknown"])
@pytest.mark.parametrize("kind", ["text/plain", "application/x", "message/rfc822", "multipart/mixed; boundary=b"])
def test_what_is_encoded_in_a_way_of_its_own_stays(encoding, kind):
    kept = entity(b"begin 644 x\r\n#86)C \r\nFrom x\r\n`\r\nend\r\n", encoding=encoding, kind=kind)
    assert robust(kept) == kept


@pytest.mark.parametrize("encoding", ["7bit (why not)", "(so) 8bit", "BINARY;"])
def test_an_encoding_is_read_without_its_comments(encoding):  # RFC 2045 §6.1
    assert b"quoted-printable" in robust(entity(b"trailing \r\n", encoding=encoding))


def test_white_space_at_line_ends_goes_where_it_means_nothing():  # RFC 2045 §6.7 (3), §6.8
    printable, base64 = b"=41=42 = \r\n=43\t\r\nx \t", b"QUJD \r\nREVG\t\r\n"
    parts = [entity(printable, encoding="quoted-printable"), entity(base64, encoding="base64")]
    octets = robust(b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + multipart(parts, "b"))
    first, second = parsed(octets).iter_parts()
    assert not re.search(rb"[ \t]\r\n", octets)
    assert first.get_payload(decode=True) == b"AB C\r\nx"
    assert second.get_payload(decode=True) == b"ABCDEF"


def test_no_line_of_a_header_ends_with_white_space():
    head = b"Content-Type: text/plain; \r\n charset=utf-8 \t\r\n \t\r\nContent-Description:  a  b \r\n"
    assert robust(head + b"\r\nHello\r\n") == (
        b"Content-Type: text/plain;\r\n charset=utf-8\r\nContent-Description:  a  b\r\n\r\nHello\r\n"
    )


def test_what_is_around_the_parts_goes_where_it_would_change():  # RFC 2046 §5.1.1
    mixed, body = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n", b"--b\r\n\r\nHello\r\n--b--"
    for preamble, epilogue, left in (
        (b"For old programs \r\n", b"\r\nThe end\r\n", (b"\r\n", b"\r\nThe end\r\n")),
        (b"For old programs\r\n", b"\r\nFrom here\r\n", (b"For old programs\r\n", b"\r\n")),
        (b"", b" \t\r\n", (b"", b"\r\n")),
        (b"", b" ", (b"", b"")),
    ):
        assert robust(mixed + preamble + body + epilogue) == mixed + left[0] + body + left[1]
    padded = mixed + body.replace(b"--b\r\n", b"--b \t\r\n")
    assert robust(padded) == mixed + body


def test_a_long_run_of_spaces_costs_what_its_length_deserves():
    begun = time.process_time()
    robust(entity((b" " * 990 + b"x\r\n") * 2000 + b" \r\n", encoding="quoted-printable"))
    assert time.process_time() - begun < 1


LINES = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=90)


@given(st.lists(LINES | st.sampled_from(["From ", "From x", ".", "-- ", "\t", "=20"])).map("\r\n".join))
def test_whatever_a_text_says_it_can_be_read(text):
    octets = robust(entity(text.encode()))
    assert parsed(octets).get_content().encode() == text.encode()
    if octets != entity(text.encode()):
        body = octets.partition(b"\r\n\r\n")[2]
        assert not any(line.endswith((b" ", b"\t")) or line.startswith(b"From ") for line in body.split(b"\r\n"))


FIELDS = [
    *(b"Content-Type: text/html;\t\r\n charset=us-ascii\r\n", b"X: y \r\n", b"X: \r\n \t\r\n y\r\n"),
    *(b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: quoted-printable \r\n"),
]
BODIES = st.lists(st.sampled_from([b"a ", b"QUJD=\t", b"From x", b"From ", b"=", b" =\t ", b" ", b""])).map(
    b"\r\n".join
)
LEAVES = st.builds(lambda head, body: head + b"\r\n" + body, st.sampled_from([*FIELDS, b""]), BODIES)


def mixed(parts, around):
    # What is within is shorter, and so has another boundary.
    boundary = f"b{sum(map(len, parts))}"
    body = multipart(parts, boundary).replace(b"--\r\n", b"-- \r\n")
    head = f"Content-Type: multipart/mixed; boundary={boundary} \r\n\r\n"
    return head.encode() + around + b"\r\n" + body + around


TREES = st.recursive(LEAVES, lambda within: st.builds(mixed, st.lists(within, min_size=1, max_size=3), BODIES))


@given(TREES)
def test_whatever_an_entity_is_made_of_no_line_of_it_changes(octets):
    made = robust(octets)
    assert robust(made) == made
    assert not re.search(rb"[ \t](\r\n|\Z)", made)
    # What is no base64 is not encoded once more.
    assert b"base64" in octets or not re.search(rb"^From ", made, re.MULTILINE)
    assert [part.get_content_type() for part in parsed(made).walk()] == [
        part.get_content_type() for part in parsed(octets).walk()
    ]
