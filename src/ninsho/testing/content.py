"""A message's octets: the dots of DATA taken away, and what no client may send found."""

import re
from collections.abc import Iterator, Mapping

from ninsho.mail.content import has_long_line

LINE_LIMIT = 1000  # octets with CRLF (RFC 5321 §4.5.3.1.6); before dots are put in

_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_UNSTUFFED = re.compile(rb"^\.(?!\.)", re.MULTILINE)
_HEADER_END = re.compile(rb"^\r?\n", re.MULTILINE)


def unstuff(lines: bytes) -> bytes:
    """Take away the dots that were put in (RFC 5321 §4.5.2)."""
    if lines.startswith(b"."):
        lines = lines[1:]
    return lines.replace(b"\r\n.", b"\r\n")


def unstuffed_lines(lines: bytes) -> Iterator[str]:
    """Name the lines that begin with one dot: one was to be put in, and the one that is there will be taken away."""
    for match in _UNSTUFFED.finditer(lines):
        # A line feed alone begins no line.
        if match.start() == 0 or lines[match.start() - 2 : match.start()] == b"\r\n":
            yield f"octet {match.start() + 1}: a line begins with one dot, which was not doubled"


def faults_of(content: bytes, mail_parameters: Mapping[str, str]) -> Iterator[str]:
    """Name what the client may not send with these parameters of MAIL; each kind once, with its place."""
    body = mail_parameters.get("BODY", "7BIT").upper()
    if body == "BINARYMIME":
        return
    if match := _BARE.search(content):
        name = "CR" if match[0] == b"\r" else "LF"
        yield f"octet {match.start() + 1}: bare {name}"
    if has_long_line(content):
        yield f"octet {_long_line(content) + 1}: a line of more than {LINE_LIMIT} octets"
    if b"\0" in content:
        yield f"octet {content.index(0) + 1}: NUL"
    yield from _eight_bit(content, body, utf8="SMTPUTF8" in mail_parameters)


def _long_line(content: bytes) -> int:
    """Where the first line begins that is too long; there is one."""
    start = 0
    while 0 <= (end := content.find(b"\n", start)) < start + LINE_LIMIT:
        start = end + 1
    return start


def _eight_bit(content: bytes, body: str, *, utf8: bool) -> Iterator[str]:
    if content.isascii():
        return
    end = match.start() if (match := _HEADER_END.search(content)) else len(content)
    # RFC 6531 §3.6: the header may hold UTF-8 then, whatever BODY says.
    if not utf8 and not content[:end].isascii():
        yield "8-bit header without SMTPUTF8"
    if body == "7BIT" and not content[end:].isascii():
        yield "8-bit data without BODY=8BITMIME"
