"""Writing a list whole, or not at all: the accounts that its format cannot say are told, all of them at once."""

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeVar

from ninsho.stores import hashing
from ninsho.stores.entries import Entry
from ninsho.stores.interchange.numbered import PROBLEM_LIMIT
from ninsho.stores.names import MalformedEntry

T = TypeVar("T")

_NOTHING_SAID = Entry("nobody")


def said(accounts: Iterable[Entry], say: Callable[[Entry], T]) -> Iterator[T]:
    """Yield what *say* makes of each account; it raises ``MalformedEntry`` with what stands against it.

    At the end raises ``MalformedEntry`` with the names of all that were refused: then nothing written counts.
    """
    problems: list[str] = []
    for entry in accounts:
        try:
            yield say(entry)
        except MalformedEntry as error:
            problems.append(f"{entry.name!r}: {error}")
            if len(problems) == PROBLEM_LIMIT:
                break
    if problems:
        raise MalformedEntry("\n".join(problems))


def refuse_forms(entry: Entry, *, form: str) -> None:
    """Raise ``MalformedEntry`` for more than one form of the password, as *form* would leave out the others."""
    if len(entry.secrets) > 1:
        raise MalformedEntry(f"{form} holds one form of the password, got {schemes(entry)}; csv and json hold them all")


def refuse_unsaid(entry: Entry, *, form: str, says: Collection[str] = ()) -> None:
    """Raise ``MalformedEntry`` for a field that *form* would leave out, as it is none that it *says*."""
    for name in ("disabled", "expires", "networks", "note", "master"):
        if name not in says and getattr(entry, name) != getattr(_NOTHING_SAID, name):
            raise MalformedEntry(f"{form} has no place for {name}, which this account has; csv and json do")


def refuse_unreadable(*fields: str, separators: str) -> None:
    """Raise ``MalformedEntry`` unless *fields* are read as they are between *separators*, and as no comment."""
    if fields[0].startswith("#"):
        raise MalformedEntry("expected a name without # in front, which begins a comment")
    if any(set(field) & {*separators, "\r", "\n"} for field in fields):
        raise MalformedEntry(f"expected no {' and no '.join(separators)} and no line feed in any field")


def schemes(entry: Entry) -> str:
    """Name what the account stores, for a message."""
    return " ".join(f"{{{hashing.scheme_of(stored)}}}" for stored in entry.secrets) or "none"
