"""A whole message read: its tree, its fields, its texts, its files."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from ninsho.mail.reading.header import Header, without_envelope_line
from ninsho.mail.reading.mail import Address, Attached, Field, Mail
from ninsho.mail.reading.people import people
from ninsho.mail.reading.texts import body_of, charset_of, is_body
from ninsho.mail.reading.transfer import undone
from ninsho.mail.reading.tree import Part, Tree, tree_of
from ninsho.mail.reading.words import raw_text, words_decoded

_MESSAGE_ID: Final = re.compile(r"<[^<>\s]*+>")
_DATE_LIMIT = 256  # characters
_PATH: Final = re.compile(r".*[/\\]", re.DOTALL)


def read(octets: bytes) -> Mail:
    """Read a message, whatever *octets* are; takes time as their length deserves, and raises nothing."""
    octets = without_envelope_line(octets)
    if b"\n" not in octets:
        # Macintosh had it so once.
        octets = octets.replace(b"\r", b"\n")
    tree = tree_of(octets)
    bodies, files = _sorted(tree.parts)
    body = body_of(bodies)
    defects = [*tree.defects, *body.defects]
    attached = tuple(_attached(files, defects))
    mail = _mail(tree.header, _hint(tree, bodies), defects)
    return replace(mail, text=body.text, html=body.html, attachments=attached, defects=tuple(dict.fromkeys(defects)))


def _mail(header: Header, hint: str | None, defects: list[str]) -> Mail:
    """Read what the header says; *hint* is the charset of octets that nobody has labelled."""
    return Mail(
        subject=header.text("subject", hint),
        from_=_people(header, "from", hint),
        sender=next(iter(_people(header, "sender", hint)), None),
        to=_people(header, "to", hint),
        cc=_people(header, "cc", hint),
        reply_to=_people(header, "reply-to", hint),
        date=_date(header, defects),
        message_id=next(iter(_ids(header, "message-id")), ""),
        in_reply_to=next(iter(_ids(header, "in-reply-to")), ""),
        references=_ids(header, "references"),
        header=tuple(Field(name, words_decoded(raw_text(value, hint))) for name, value in header.fields),
    )


def from_standard_input() -> Mail:
    """Read the message that a mail server pipes to this program (``|`` in .forward, pipe(8), mailbox_command)."""
    return read(sys.stdin.buffer.read())


def _sorted(parts: Iterable[Part]) -> tuple[list[Part], list[Part]]:
    """Tell what is to be read from what is a file."""
    bodies: list[Part] = []
    files: list[Part] = []
    for part in parts:
        (bodies if is_body(part, first=not bodies) else files).append(part)
    return bodies, files


def _hint(tree: Tree, bodies: list[Part]) -> str | None:
    """The charset to believe in for octets in the header that nobody has labelled: the text's."""
    told = tree.content.get("charset") or next((part.content.get("charset") for part in bodies), "")
    return told if told.lower() not in ("", "us-ascii", "ascii") else None


def _people(header: Header, name: str, hint: str | None) -> tuple[Address, ...]:
    """Read all fields called *name*: there should be one, and who wrote two meant both."""
    values = (field.value for field in header.fields if field.name.lower() == name)
    return tuple(address for value in values for address in people(raw_text(value, hint)))


def _ids(header: Header, name: str) -> tuple[str, ...]:
    text = raw_text(header.first(name))
    found = tuple(_MESSAGE_ID.findall(text))
    # Without its brackets it is not one, but the only one there is.
    return found or tuple(text.split()[:1])


def _date(header: Header, defects: list[str]) -> datetime | None:
    value = raw_text(header.first("date"))[:_DATE_LIMIT]
    if not value:
        return None
    try:
        found = parsedate_to_datetime(value)
        # RFC 5322 §3.3: -0000 says that the time is UTC, and nothing of where it was written.
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        defects.append("a date that cannot be read")
        return None


def _attached(files: Iterable[Part], defects: list[str]) -> Iterator[Attached]:
    for part in files:
        is_text = part.type.startswith("text/")
        data, defect = undone(part.body, part.encoding, text=is_text)
        if defect:
            defects.append(f"{part.type}: {defect}")
        yield Attached(
            _filename(part),
            part.type,
            data,
            raw_text(part.header.first("content-id")).strip("<> \t"),
            charset_of(data, part) if is_text else "",
            inline=part.disposition.value == "inline",
        )


def _filename(part: Part) -> str:
    """Return the name alone: where it is to be written is for nobody else to say (RFC 2183 §2.3)."""
    told = part.disposition.get("filename") or part.content.get("name")
    return _PATH.sub("", told).strip()
