"""The envelope that a message's own header asks for."""

from collections.abc import Iterator, Sequence

from ninsho.mail.addresses import mailboxes, single
from ninsho.mail.headers import Field, fields
from ninsho.mail.unsendable import Unsendable

_ORIGINATORS = ("from", "sender")
_DESTINATIONS = ("to", "cc", "bcc")
# RFC 5322 §3.6.7: what travelled between two times of sending stands between their blocks.
_TRACE = ("received", "return-path")


class Envelope:
    """Sender and recipients as the header names them: of the last time of sending, where it was sent again."""

    def __init__(self, header: bytes) -> None:
        found = list(fields(header))
        resent = _last_resent(found)
        self._prefix = "Resent-" if resent else ""
        self._fields = resent or found

    def sender(self) -> str:
        """Return who sends it: Sender, or else the only mailbox of From (RFC 5322 §3.6.2)."""
        if senders := self._values("sender"):
            return single(senders[0], f"{self._prefix}Sender")
        authors = self._mailboxes("from")
        if not authors:
            raise Unsendable(f"expected a sender, or {self._prefix}From in the message, got neither")
        if len(authors) > 1:
            raise Unsendable(f"expected {self._prefix}Sender where {self._prefix}From has several addresses, got none")
        return authors[0]

    def recipients(self) -> list[str]:
        """Return who is to have it: To, Cc and Bcc."""
        found = [address for name in _DESTINATIONS for address in self._mailboxes(name)]
        if not found:
            raise Unsendable(f"expected recipients, or {self._prefix}To, Cc or Bcc in the message, got none")
        return found

    def _values(self, name: str) -> list[str]:
        return [field.value for field in self._fields if field.name == name and field.value]

    def _mailboxes(self, name: str) -> list[str]:
        place = self._prefix + name.capitalize()
        return [address for value in self._values(name) for address in mailboxes(value, place)]


def _last_resent(found: Sequence[Field]) -> list[Field]:
    """Return the block of Resent- fields that was put in front last, without the prefix (RFC 5322 §3.6.6)."""
    block: dict[str, Field] = {}
    for field in _resent(found):
        if not field or field.name in block:
            break
        block[field.name] = field
    return list(block.values()) if any(name in block for name in (*_ORIGINATORS, *_DESTINATIONS)) else []


def _resent(found: Sequence[Field]) -> Iterator[Field | None]:
    """Give the Resent- fields in order, and None where trace fields part them."""
    begun = False
    for field in found:
        if field.name.startswith("resent-"):
            begun = True
            yield Field(field.name.removeprefix("resent-"), field.value)
        elif begun and field.name in _TRACE:
            yield None
