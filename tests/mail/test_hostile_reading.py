"""Octets that mean no message, or harm: they are read all the same, and cost what their length deserves."""

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ninsho.mail import reading

HEAD = b"From: a@b.example\nSubject: x\n"
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\n\n"
QUOTED = b"Content-Transfer-Encoding: quoted-printable\n\n"
BASE64 = b"Content-Transfer-Encoding: base64\n\n"
HTML = b"Content-Type: text/html\n\n"


def nested(depth, inner=b""):
    levels = (b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (level, level) for level in range(depth))
    return b"".join(levels) + inner


SLOW = {
    "nested": nested(1_000, b"\n" + b"x\n" * 200_000),
    "nested deeper": nested(10_000),
    "many parts": MULTIPART + b"--b\n\nx\n" * 40_000,
    "parts without an empty line": MULTIPART + b"--b\nx\n" * 40_000,
    "parts in CRLF": MULTIPART.replace(b"\n", b"\r\n") + b"--b\r\n\r\nx\r\n" * 40_000,
    "no boundary of ours": MULTIPART + b"--b\n\n" + b"--c\n" * 200_000,
    "one boundary for all": (MULTIPART + b"--b\n") * 10_000,
    "fields": b"X: y\n" * 100_000,
    "folds": b"Subject: x" + b"\n y" * 200_000,
    "lines that are no fields": b"x\n" * 200_000 + b"X: y\n",
    "field without an end": b"x" * 1_000_000,
    "quotes": b"To: " + b'"\\' * 200_000,
    "open quotes": b"To: " + b'"' * 200_001,
    "parentheses": b"To: " + b"(" * 200_000,
    "angles": b"To: " + b"<" * 200_000,
    "angles and quotes": b"To: " + b'<"\\' * 200_000,
    "brackets": b"To: " + b"[" * 200_000,
    "commas": b"To: " + b"a," * 100_000,
    "encoded words without an end": b"Subject: " + b"=?a?B?" * 200_000,
    "encoded words": b"Subject: " + b"=?utf-8?Q?a?= =?utf-8?B?44G?= " * 30_000,
    "segments": b"Content-Type: x/y" + b"".join(b";a*%d*=x" % number for number in range(100_000)),
    "semicolons": b"Content-Type: x/y" + b";" * 1_000_000,
    "a quoted parameter": b'Content-Type: x/y; a="' + b'\\"' * 500_000,
    "white space in a parameter": b"Content-Type: x/y; a" + b" " * 1_000_000,
    "ids": b"References: " + b"<" * 1_000_000,
    "a date": b"Date: " + b"1 " * 500_000,
    "spaces": QUOTED + b" " * 1_000_000 + b"x",
    "equal signs": QUOTED + b"=" * 1_000_000,
    "equal signs and spaces": QUOTED + b"= " * 500_000,
    "paddings": BASE64 + b"=a" * 500_000,
    "lines that are no base64": BASE64 + b"- - - - -\n" * 100_000,
    "less-than signs": HTML + b"<" * 500_000,
    "divs": HTML + b"<div>" * 50_000,
    "scripts": HTML + b"<script" * 50_000,
    "tables": HTML + b"<table><tr><td>" * 5_000,
    "octets": os.urandom(500_000),
}


@pytest.mark.parametrize("name", SLOW)
@pytest.mark.parametrize("end", [b"\n\n", b""], ids=["whole", "cut"])
def test_no_message_takes_more_time_than_its_length_deserves(name, end):
    reading.read(HTML + b"<p>")
    begun = time.process_time()
    reading.read(HEAD + SLOW[name] + end)
    assert time.process_time() - begun < 5


PIECES = st.sampled_from(
    [
        b"\n",
        b"\r\n",
        b"\r",
        b"\n\n",
        b"--b",
        b"--b--",
        b"--",
        b"From: ",
        b"To: ",
        b"Subject: ",
        b"Date: ",
        b"Content-Type: ",
        b"Content-Disposition: attachment; ",
        b"Content-Transfer-Encoding: ",
        b"Message-ID: <",
        b"multipart/mixed; boundary=b",
        b"multipart/alternative; boundary=b",
        b"text/html",
        b"text/plain; charset=",
        b"message/rfc822",
        b"base64",
        b"quoted-printable",
        b"x-uuencode",
        b"utf-16",
        b"utf-7",
        b"idna",
        b"unicode_escape",
        b"iso-2022-jp",
        b"=?utf-8?B?",
        b"=?utf-16?Q?",
        b"?=",
        b"filename*0*=utf-7''",
        b"name*=",
        b"%E5%9B",
        b"=E3",
        b"+2AA-",
        b"begin 644 a\n",
        b"\x1b$B",
        b"\x1b(B",
        b"<p>",
        b'"',
        b"<",
        b">",
        b"(",
        b";",
        b" ",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=6), max_size=40).map(b"".join))
def test_whatever_comes_is_read(octets):
    mail = reading.read(octets)
    shown = [mail.subject, mail.text, mail.html, *(value for _, value in mail.header)]
    shown += [each.name + each.address for each in (*mail.from_, *mail.to)] + [
        each.filename for each in mail.attachments
    ]
    for text in shown:
        # No lone surrogates: whoever writes it down would fail.
        text.encode()
    assert all("\n" not in value and "\r" not in value for _, value in mail.header)


@given(st.binary(max_size=2000))
def test_any_octets_are_read(octets):
    reading.read(octets)
    reading.read(MULTIPART + octets)
    reading.read(HTML + octets)
