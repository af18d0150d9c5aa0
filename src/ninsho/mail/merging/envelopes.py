"""Whom each message of a merge is from and for, without a look at its header."""

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from ninsho.mail.addresses import a_labels
from ninsho.mail.merging.filling import Values
from ninsho.mail.merging.mailboxes import MailboxFilling
from ninsho.mail.merging.wording import Wording
from ninsho.mail.unsendable import Unsendable

Verp: TypeAlias = "bool | str | Callable[[object], str]"

_DESTINATIONS: Final = ("to", "cc", "bcc")


class Envelopes:
    """Makes envelopes of a row's values; *verp* is that of ``Merge``."""

    def __init__(self, wording: Wording, verp: Verp) -> None:
        self._names = wording.names
        self._verp = verp
        self._author = _sender(wording)
        self._fillings = [one for place in _DESTINATIONS for one in wording.people.get(place, ())]
        # Where only one recipient is a value, and all else is not, as mostly.
        self._sender = None if self._author.address.places else self._author.of((), ())
        self._domain = self._sender and _domain(self._sender)

    def of(self, values: Values, row: object) -> tuple[str, tuple[str, ...], str]:
        """Return the sender, the recipients and the author's domain; raise ``Unsendable``."""
        recipients = tuple([one.of(values, self._names) for one in self._fillings])
        author = self._sender or self._author.of(values, self._names)
        domain = self._domain or _domain(author)
        return (self._returned_to(author, recipients, row) if self._verp else author), recipients, domain

    def _returned_to(self, author: str, recipients: Sequence[str], row: object) -> str:
        from ninsho.mail.bounce.verp import verp  # noqa: PLC0415 - only who asks for it needs it

        if callable(self._verp):
            return self._verp(row)
        if not recipients:
            raise Unsendable("expected recipients, got none")
        return verp(self._verp if isinstance(self._verp, str) else author, recipients[0])


def _sender(wording: Wording) -> MailboxFilling:
    if named := wording.people.get("sender"):
        return named[0]
    authors = wording.people["from_"]
    if len(authors) > 1:
        raise Unsendable("expected sender where from_ has several addresses, got none")
    return authors[0]


def _domain(address: str) -> str:
    return a_labels(address.rpartition("@")[2])
