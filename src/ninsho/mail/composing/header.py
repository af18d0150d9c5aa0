"""The header of a composed message, field by field."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from typing import TYPE_CHECKING

from ninsho.mail.address_fields import ADDRESS_FIELDS
from ninsho.mail.addresses import mailboxes, path
from ninsho.mail.composing.identifiers import identifier, message_id, thread
from ninsho.mail.composing.people import address_list, addresses_in
from ninsho.mail.composing.words import Unsubscribe
from ninsho.mail.fields import refuse_broken
from ninsho.mail.policy import Written
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from ninsho.mail.composing.letter import Letter

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-;=?-~]+")
_PRIORITIES = {"high": ("1 (Highest)", "High"), "normal": ("3 (Normal)", "Normal"), "low": ("5 (Lowest)", "Low")}
_AUTOMATIC = ("auto-generated", "auto-replied")  # RFC 3834 §5
_MINUTE = timedelta(minutes=1)
# What compose() has words for, and what only it may write.
OWN = frozenset(
    {
        *("from", "to", "cc", "bcc", "reply-to", "sender", "subject", "date", "message-id", "in-reply-to"),
        *("references", "mime-version", "content-type", "content-transfer-encoding", "content-disposition"),
    }
)
# What it has words for, and headers= may tell as well: then nobody else does.
WISHES = frozenset(
    {
        *("x-priority", "x-msmail-priority", "importance", "auto-submitted"),
        *("list-unsubscribe", "list-unsubscribe-post"),
    }
)


def header_fields(letter: "Letter") -> Iterator[tuple[str, str]]:
    """Give the name and the value of each field, in the order in which people read them; raise ``Unsendable``."""
    authors = address_list(letter.from_, "from_")
    yield "From", authors
    for name, given in (("Sender", letter.sender or ()), ("Reply-To", letter.reply_to)):
        if given:
            yield name, address_list(given, word_of(name))
    for name, given in (("To", letter.to), ("Cc", letter.cc), ("Bcc", letter.bcc)):
        if given:
            yield name, address_list(given, word_of(name))
    subject = letter.decoded(letter.subject, "subject")
    if subject.strip(" \t"):
        yield "Subject", subject
    yield "Date", date(letter.date)
    yield "Message-ID", identifier(letter.message_id, "message_id") if letter.message_id else message_id(authors)
    yield from thread(letter)
    wishes = list(_wishes(letter))
    yield from wishes
    yield from _further(letter.headers, {name.lower() for name, _ in wishes})


def try_field(policy: Written, name: str, value: str, place: str) -> None:
    """Raise ``Unsendable`` where a field cannot be written; an address of any script waits for SMTPUTF8."""
    with _placed(place, name):
        addresses = mailboxes(value, name) if name.lower() in ADDRESS_FIELDS else []
        utf8 = not all(address.rpartition("@")[0].isascii() for address in addresses)
        policy.clone(utf8=utf8).fold(name, value)


@contextmanager
def _placed(place: str, name: str = "") -> Iterator[None]:
    """Let an error say who told the field *name*."""
    try:
        yield
    except Unsendable as error:
        error.args = (f"{place}: {str(error).removeprefix(f'{name}: ')}",)
        raise


def word_of(name: str) -> str:
    """Return what ``compose`` calls a header field: its own word, or where ``headers`` has it."""
    word = name.lower().replace("-", "_")
    if name.lower() not in OWN:
        return f"headers: {name}"
    return "from_" if word == "from" else word


def date(when: datetime | None) -> str:
    """Return a time (RFC 5322 §3.3), or the time now, in the zone of this machine where it has none."""
    if when is None:
        return format_datetime(datetime.now(UTC).astimezone())
    if not isinstance(when, datetime):
        raise TypeError(f"date: expected a datetime, got {type(when).__name__}")
    offset = when.utcoffset()
    if offset is None:
        when = when.astimezone()
    elif offset % _MINUTE:
        # Zones of old, and those made by hand; the field has none of seconds.
        when = when.astimezone(timezone(offset - offset % _MINUTE))
    return format_datetime(when)


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
    found = addresses_in(given, "unsubscribe")
    if len(found) != 1:
        raise Unsendable(f"unsubscribe: expected a URL or one address, got {excerpt(given)}")
    path(found[0])
    return _uri(f"mailto:{given}")


def _uri(given: str) -> str:
    # RFC 2369 §2: a comma would part it in two.
    if not _URI.fullmatch(given) or "," in given:
        raise Unsendable(f"unsubscribe: expected a URI, percent-encoded, without commas, got {excerpt(given)}")
    return given


def _further(headers: Mapping[str, str | Sequence[str]], told: Collection[str]) -> Iterator[tuple[str, str]]:
    if not isinstance(headers, Mapping):
        raise TypeError(f"headers: expected values by their names, got {type(headers).__name__}")
    for name, given in headers.items():
        for value in given if isinstance(given, Iterable) and not isinstance(given, str | bytes) else [given]:
            if not isinstance(value, str):
                raise TypeError(f"headers: {name}: expected text, got {type(value).__name__}")
            with _placed("headers"):
                refuse_broken(name, value)
            if name.lower() in OWN:
                raise Unsendable(f"headers: {name}: expected a field that has no word of its own, got one that has")
            if name.lower() in told:
                raise Unsendable(
                    f"headers: {name}: expected a field that no other word has told, got one that has been"
                )
            yield name, value
