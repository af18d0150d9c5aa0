"""Identifiers of messages (RFC 5322 §3.6.4): our own, those of others, and the thread that they make."""

import re
from collections.abc import Iterable, Iterator
from email.message import Message
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from ninsho.mail.addresses import a_labels
from ninsho.mail.composing.people import addresses_in
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from ninsho.mail.composing.letter import Letter

_OWN = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>|[!-;=?-~]+@[!-;=?-~]+")
# Not all that others make have an "@".
_THEIRS = re.compile(r"<[!-;=?-~]+>")
_EITHER = re.compile(f"{_OWN.pattern}|{_THEIRS.pattern}")


def message_id(authors: str) -> str:
    """Make a Message-ID in the domain of the author: the name of this machine concerns nobody."""
    return message_id_for(addresses_in(authors, "from_")[0])


def message_id_for(address: str) -> str:
    """Make a Message-ID in the domain of *address*."""
    return f"<{token_hex(16)}@{a_labels(address.rpartition('@')[2])}>"


def identifier(given: str, place: str, known: re.Pattern[str] = _OWN) -> str:
    """Return a Message-ID that was told, in its brackets; raise ``Unsendable`` for what is none of those *known*."""
    if not isinstance(given, str):
        raise TypeError(f"{place}: expected a Message-ID, got {type(given).__name__}")
    one = given.strip()
    if not known.fullmatch(one):
        raise Unsendable(f"{place}: expected a Message-ID such as <a1b2@example.org>, got {excerpt(given)}")
    return one if one.startswith("<") else f"<{one}>"


def thread(letter: "Letter") -> Iterator[tuple[str, str]]:
    """Give what a message answers, and what it refers to; raise ``Unsendable``."""
    references = [identifier(one, "references", _EITHER) for one in _each(letter.references)]
    if letter.in_reply_to is not None:
        parent, before = _parent(letter.in_reply_to)
        yield "In-Reply-To", parent
        # RFC 5322 §3.6.4: the parent is the last of them.
        references = [*(one for one in references or before if one != parent), parent]
    if references:
        yield "References", " ".join(references)


def _parent(given: "str | Message[Any, Any]") -> tuple[str, list[str]]:
    """Return the Message-ID of what is answered, and what that refers to."""
    if isinstance(given, str):
        return identifier(given, "in_reply_to", _EITHER), []
    if not isinstance(given, Message):
        raise TypeError(f"in_reply_to: expected a Message-ID, or a message, got {type(given).__name__}")
    if not (found := _THEIRS.search(str(given["Message-ID"]))):
        raise Unsendable("in_reply_to: expected a message with a Message-ID, got one without")
    return found[0], _THEIRS.findall(str(given["References"] or given["In-Reply-To"]))


def _each(given: Iterable[str]) -> list[str]:
    return given.split() if isinstance(given, str) else list(given)
