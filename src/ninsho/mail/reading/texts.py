"""What a message says: its text parts found among its files, decoded, and put together as text and as HTML."""

import re
from collections.abc import Iterable, Iterator
from itertools import count, groupby
from typing import Final, NamedTuple

from ninsho.mail.charsets.detection import decoded
from ninsho.mail.reading.transfer import undone
from ninsho.mail.reading.tree import Part

HTML: Final = "text/html"
_BODIES: Final = frozenset((HTML, "text/plain", "text/enriched", "text/richtext", "text/markdown"))
_META: Final = re.compile(
    rb"<(?:meta|\?xml)\b[^<>]{0,512}?(?:charset|encoding)\s{0,8}=\s{0,8}[\"']?([\w.:+-]{1,40})", re.IGNORECASE
)
_META_REACH: Final = 4096  # octets; HTML §4.2.5.4 has 1024


class Spoken(NamedTuple):
    """A text part, decoded; *passage* is the same for those that say one thing in different ways."""

    passage: object
    html: bool
    text: str


class Body(NamedTuple):
    """What a message says, as text and as HTML, and what was wrong."""

    text: str
    html: str
    defects: tuple[str, ...]


def is_body(part: Part, *, first: bool) -> bool:
    """Whether *part* is something to read where it stands; *first* says that no text came before it."""
    if part.type not in _BODIES or part.disposition.value == "attachment":
        return False
    named = part.disposition.get("filename") or part.content.get("name")
    return not named or first or part.alternative is not None


def body_of(parts: Iterable[Part]) -> Body:
    """Put the texts of *parts* together: of alternatives one is shown, all others stand behind each other."""
    defects: list[str] = []
    spoken = list(_spoken(parts, defects))
    texts: list[str] = []
    pages: list[str] = []
    for _, of_passage in groupby(spoken, key=lambda each: each.passage):
        passage = list(of_passage)
        plain = [each.text for each in passage if not each.html]
        html = [each.text for each in passage if each.html]
        # Some send an empty text beside their HTML.
        shown = plain if any(text.strip() for text in plain) or not html else [text_from(page) for page in html]
        texts += shown
        pages += html
    return Body(_together(texts), "\n".join(pages), tuple(defects))


def _spoken(parts: Iterable[Part], defects: list[str]) -> Iterator[Spoken]:
    for number, part in enumerate(parts):
        octets, defect = undone(part.body, part.encoding, text=True)
        if defect:
            defects.append(f"{part.type}: {defect}")
        text = text_of_octets(octets, part)
        yield Spoken(("alone", number) if part.alternative is None else part.alternative, part.type == HTML, text)


def text_of_octets(octets: bytes, part: Part) -> str:
    """Decode a text part; its lines end with a line feed, and soft ones (RFC 3676) are joined."""
    text = decoded(octets, declared=charset_of(octets, part) or None)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if part.type == "text/plain" and part.content.get("format").lower() == "flowed":
        from ninsho.mail.flowed import unflowed  # noqa: PLC0415 - few are

        return unflowed(text, delsp=part.content.get("delsp").lower() == "yes")
    return text


def charset_of(octets: bytes, part: Part) -> str:
    """Return what is said of the charset: by the header, else by the HTML itself."""
    told = part.content.get("charset").strip(" \t\"'")
    if told or part.type != HTML:
        return told
    found = _META.search(octets[:_META_REACH])
    return found[1].decode("ascii", "replace") if found else ""


def text_from(page: str) -> str:
    """Make text of HTML as ``ninsho.mail.html`` does; roughly, where that fails at it."""
    from ninsho.mail.html.plain import plain  # noqa: PLC0415 - few have nothing but HTML
    from ninsho.mail.html.text import text_of  # noqa: PLC0415

    try:
        return text_of(page)
    except Exception:  # noqa: BLE001 - a stranger's page, and three libraries
        return plain(page)


def _together(texts: list[str]) -> str:
    """Put passages behind each other, each from the beginning of a line."""
    return "".join(
        text if number == len(texts) - 1 or text.endswith("\n") or not text else f"{text}\n"
        for number, text in zip(count(), texts, strict=False)
    )
