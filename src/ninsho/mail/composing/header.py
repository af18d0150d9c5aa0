"""The header of a composed message, field by field."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from secrets import token_hex
from typing import TYPE_CHECKING

from ninsho.mail.addresses import a_labels, path
from ninsho.mail.composing.people import address_list, addresses_in
from ninsho.mail.composing.words import Unsubscribe
from ninsho.mail.fields import refuse_broken
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from ninsho.mail.composing.letter import Letter

_MESSAGE_ID = re.compile(r"<?([!-;=?-~]+@[!-;=?-~]+)>?")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-;=?-~]+")
_PRIORITIES = {"high": ("1 (Highest)", "High"), "normal": ("3 (Normal)", "Normal"), "low": ("5 (Lowest)", "Low")}
_AUTOMATIC = ("auto-generated", "auto-replied")  # RFC 3834 §5
# What compose() has words for, and what only it may write.
OWN = frozenset(
    {
        *("from", "to", "cc", "bcc", "reply-to", "sender", "subject", "date", "message-id", "in-reply-to"),
        *("references", "mime-version", "content-type", "content-transfer-encoding", "content-disposition"),
    }
)


def header_fields(letter: "Letter") -> Iterator[tuple[str, str]]:
    """Give the name and the value of each field, in the order in which people read them; raise ``Unsendable``."""
    authors = address_list(letter.from_, "from_")
    yield "From", authors
    for name, given in (("Sender", letter.sender or ()), ("Reply-To", letter.reply_to)):
        if given:
            yield name, address_list(given, name.lower().replace("-", "_"))
    for name, given in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc)):
        if given:
            yield name, address_list(given, name.lower())
    if letter.subject.strip():
        yield "Subject", letter.subject
    yield "Date", date(letter.date)
    yield "Message-ID", _identifier(letter.message_id, "message_id") if letter.message_id else message_id(authors)
    yield from _thread(letter)
    yield from _wishes(letter)
    yield from _further(letter.headers)


def date(when: datetime | None) -> str:
    """Return a time (RFC 5322 §3.3), or the time now, in the zone of this machine where it has none."""
    return format_datetime(
        datetime.now(UTC).astimezone() if when is None else when.astimezone() if when.tzinfo is None else when
    )


def message_id(authors: str) -> str:
    """Make a Message-ID in the domain of the author: the name of this machine concerns nobody."""
    first = addresses_in(authors, "from_")[0]
    return f"<{token_hex(16)}@{a_labels(first.rpartition('@')[2])}>"


def _thread(letter: "Letter") -> Iterator[tuple[str, str]]:
    references = [_identifier(one, "references") for one in _each(letter.references)]
    if letter.in_reply_to is not None:
        parent = _identifier(letter.in_reply_to, "in_reply_to")
        yield "In-Reply-To", parent
        # RFC 5322 §3.6.4: the parent is the last of them.
        references = [*(one for one in references if one != parent), parent]
    if references:
        yield "References", " ".join(references)


def _wishes(letter: "Letter") -> Iterator[tuple[str, str]]:
    if letter.priority is not None:
        if letter.priority not in _PRIORITIES:
            raise Unsendable(f"priority: expected one of {', '.join(_PRIORITIES)}, got {letter.priority!r}")
        number, word = _PRIORITIES[letter.priority]
        yield from (("X-Priority", number), ("X-MSMail-Priority", word), ("Importance", word))
    if letter.auto_submitted is not None:
        if letter.auto_submitted not in _AUTOMATIC:
            raise Unsendable(f"auto_submitted: expected one of {', '.join(_AUTOMATIC)}, got {letter.auto_submitted!r}")
        yield "Auto-Submitted", letter.auto_submitted
    if letter.unsubscribe is not None:
        yield from unsubscribe_fields(letter.unsubscribe)


def unsubscribe_fields(given: Unsubscribe | str) -> Iterator[tuple[str, str]]:
    """Give List-Unsubscribe (RFC 2369 §3.2), and with an HTTPS URI what makes it one click (RFC 8058 §3.1)."""
    ways = given if isinstance(given, Unsubscribe) else _way(given)
    uris = [uri for uri in (ways.mailto and _mailto(ways.mailto), ways.url and _uri(ways.url)) if uri]
    if not uris:
        raise Unsendable("unsubscribe: expected a URL or an address, got neither")
    yield "List-Unsubscribe", ", ".join(f"<{uri}>" for uri in uris)
    if ways.url and ways.url.lower().startswith("https:"):
        yield "List-Unsubscribe-Post", "List-Unsubscribe=One-Click"


def _way(given: str) -> Unsubscribe:
    is_web = given.lower().startswith(("https:", "http:"))
    return Unsubscribe(url=given) if is_web else Unsubscribe(mailto=given)


def _mailto(given: str) -> str:
    if given.lower().startswith("mailto:"):
        return _uri(given)
    path(addresses_in(given, "unsubscribe")[0])
    return _uri(f"mailto:{given}")


def _uri(given: str) -> str:
    # RFC 2369 §2: a comma would part it in two.
    if not _URI.fullmatch(given) or "," in given:
        raise Unsendable(f"unsubscribe: expected a URI, percent-encoded, without commas, got {excerpt(given)}")
    return given


def _identifier(given: str, place: str) -> str:
    if not (found := _MESSAGE_ID.fullmatch(given.strip())):
        raise Unsendable(f"{place}: expected a Message-ID such as <a1b2@example.org>, got {excerpt(given)}")
    return f"<{found[1]}>"


def _each(given: Iterable[str]) -> list[str]:
    return given.split() if isinstance(given, str) else list(given)


def _further(headers: Mapping[str, str | Sequence[str]]) -> Iterator[tuple[str, str]]:
    for name, given in headers.items():
        for value in [given] if isinstance(given, str) else given:
            refuse_broken(name, value)
            if name.lower() in OWN:
                raise Unsendable(f"headers: {name}: expected a field that has no word of its own, got one that has")
            yield name, value
