"""The message that a bounce is about, as far as it came back with it."""

import re
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from ninsho.mail.reading.header import read_header
from ninsho.mail.reading.people import people
from ninsho.mail.reading.transfer import undone
from ninsho.mail.reading.tree import Part
from ninsho.mail.reading.words import raw_text

_TYPES: Final = frozenset(
    ("message/rfc822", "message/global", "text/rfc822-headers", "message/rfc822-headers", "message/global-headers")
)
# How servers that put everything into one text say where the original begins.
_BELOW: Final = re.compile(
    rb"^[ \t]*(?:-{2,} ?(?:"
    rb"Below this line is a copy of (?:the|your) message|Enclosed is a copy|Returned message|"
    rb"Original message|Unsent message|Undelivered message follows|Message header follows|"
    rb"This is a copy of (?:the|your) message|The (?:body|headers?) of the (?:original )?message)[^\r\n]*|"
    rb"Original message headers:|Included is a copy of the message header:?|-{40,}|%b[^\r\n]*)[ \t]*\r?\n"
    % "元のメッセージ".encode(),
    re.IGNORECASE | re.MULTILINE,
)
_TRIES, _HEADER_REACH = 20, 65_536  # how many lines may be where it begins; octets
_MESSAGE_ID: Final = re.compile(r"<[^<>\s]*+>")


class Original(NamedTuple):
    """What is known of the original; each may be empty."""

    message_id: str = ""
    sender: str = ""
    recipients: tuple[str, ...] = ()


def original_of(parts: Iterable[Part]) -> Original:
    """Find the original among the parts of a bounce."""
    for part in parts:
        if part.type in _TYPES:
            found = from_header(undone(part.body, part.encoding, text=True).octets)
            if any(found):
                return found
    return Original()


def cut(text: bytes) -> tuple[bytes, Original]:
    """Cut the text of a bounce where the original begins; return what the server says itself, and the original."""
    for found in islice(_BELOW.finditer(text), _TRIES):
        original = from_header(text[found.end() : found.end() + _HEADER_REACH])
        if any(original):
            return text[: found.start()], original
    return text, Original()


def from_header(octets: bytes) -> Original:
    """Read the header that *octets* begin with, after empty lines."""
    octets = octets.lstrip(b"\r\n \t")
    end = min((at for at in (octets.find(b"\n\r\n"), octets.find(b"\n\n")) if at >= 0), default=len(octets))
    header = read_header(octets[:end])
    ids = _MESSAGE_ID.findall(raw_text(header.first("message-id")))
    senders = people(raw_text(header.first("from"))) or people(raw_text(header.first("return-path")))
    recipients = people(raw_text(header.first("to")))
    return Original(
        ids[0] if ids else "",
        next((each.address for each in senders), ""),
        tuple(each.address for each in recipients if "@" in each.address),
    )
