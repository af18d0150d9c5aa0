"""Address words as templates: ``{name} <{email}>`` for one mailbox each, whatever the values hold."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from ninsho.mail.addresses import plain, unquoted
from ninsho.mail.composing.people import Mailbox, Mailboxes, addresses_in
from ninsho.mail.merging.filling import Filling, Values
from ninsho.mail.merging.templates import Piece, Template
from ninsho.mail.unsendable import Unsendable, excerpt

Compiled: TypeAlias = Callable[[str, str], Template]
Numbering: TypeAlias = Callable[[Template], Filling]


@dataclass(frozen=True, slots=True)
class MailboxFilling:
    """One mailbox: its *name*, None where it has none, and its *address*; *whole* where one value is all of it."""

    place: str
    name: Filling | None
    address: Filling
    whole: bool

    def filled(self, values: Values, names: Sequence[str]) -> tuple[str, str]:
        """Return the name and the address; raise ``Unsendable`` for what is not exactly one mailbox."""
        if self.name is None:
            address = self._line(values, names)
            return ("", address) if plain(address) or not self.whole else _one(address, self.place)
        return self.name.line(values, names, self.place), self.of(values, names)

    def of(self, values: Values, names: Sequence[str]) -> str:
        """Return the address; raise ``Unsendable`` for what is not exactly one."""
        address = self._line(values, names)
        if plain(address):
            return address
        if self.whole:
            return _one(address, self.place)[1]
        found = addresses_in(f"<{address}>", self.place)
        if found != [address]:
            raise Unsendable(f"{self.place}: expected one address, got {excerpt(address)}")
        return address

    def _line(self, values: Values, names: Sequence[str]) -> str:
        address = self.address.line(values, names, self.place)
        if not address and self.address.places:
            # The field without its braces or percent signs.
            column = names[self.address.places[0]].strip("{}% ")
            raise Unsendable(f"{self.place}: expected an address, got none: the column {column} is empty")
        return address


def _one(value: str, place: str) -> tuple[str, str]:
    """Read a mailbox, which may have a name."""
    found = addresses_in(value, place)
    if len(found) != 1:
        raise Unsendable(f"{place}: expected one address, got {excerpt(value)}")
    name, bracket, _ = value.rpartition("<")
    return (_unquoted(name.strip()) if bracket else ""), found[0]


def _unquoted(name: str) -> str:
    return unquoted(name) if len(name) > 1 and name.endswith('"') else name


def mailbox_fillings(given: Mailboxes, place: str, read: Compiled, numbered: Numbering) -> list[MailboxFilling]:
    """Compile what an address word says: a string with one or more mailboxes, or several of strings and pairs."""
    each: Iterable[Mailbox] = [given] if isinstance(given, str) or not isinstance(given, Iterable) else given
    return [one for item in each for one in _item(item, place, read, numbered)]


def _item(item: Mailbox, place: str, read: Compiled, numbered: Numbering) -> Iterator[MailboxFilling]:
    if isinstance(item, str):
        for pieces in _parted(read(item, place).pieces):
            yield _mailbox(pieces, place, numbered)
        return
    name, address = item if isinstance(item, tuple) else (item.display_name, item.addr_spec)
    filling = numbered(read(name, place)) if name else None
    yield MailboxFilling(place, filling, numbered(read(address, place)), whole=False)


def _mailbox(pieces: list[Piece], place: str, numbered: Numbering) -> MailboxFilling:
    """Tell the name from the address, which stands in angle brackets where there is a name."""
    at = next((at for at, piece in enumerate(pieces) if isinstance(piece, str) and "<" in piece), None)
    if at is None:
        return MailboxFilling(place, None, numbered(Template(place, _stripped(pieces))), whole=len(pieces) == 1)
    before, _, behind = str(pieces[at]).partition("<")
    name = _stripped([*pieces[:at], before])
    address = _stripped([behind, *pieces[at + 1 :]])
    if not address or not isinstance(address[-1], str) or not address[-1].endswith(">"):
        raise Unsendable(f"{place}: expected an address in angle brackets, got what is none")
    address = _stripped([*address[:-1], address[-1][:-1]])
    return MailboxFilling(
        place,
        numbered(Template(place, _without_quotes(name))) if name else None,
        numbered(Template(place, address)),
        whole=False,
    )


def _stripped(pieces: Sequence[Piece]) -> list[Piece]:
    """Take white space off both ends, and text that is empty then."""
    kept = list(pieces)
    if kept and isinstance(kept[0], str):
        kept[0] = kept[0].lstrip()
    if kept and isinstance(kept[-1], str):
        kept[-1] = kept[-1].rstrip()
    return [piece for piece in kept if piece != ""]


def _without_quotes(pieces: list[Piece]) -> list[Piece]:
    first, last = pieces[0], pieces[-1]
    if isinstance(first, str) and isinstance(last, str) and first.startswith('"') and last.endswith('"'):
        if len(pieces) == 1:
            return [_unquoted(first)]
        return _stripped([first[1:], *pieces[1:-1], last[:-1]])
    return pieces


def _parted(pieces: Sequence[Piece]) -> Iterator[list[Piece]]:
    """Part a list of mailboxes at the commas of the template itself; those within quotes are none."""
    current: list[Piece] = []
    quoted = False
    for piece in pieces:
        if not isinstance(piece, str):
            current.append(piece)
            continue
        text = ""
        for char in piece:
            quoted ^= char == '"'
            if char == "," and not quoted:
                yield _stripped([*current, text])
                current, text = [], ""
            else:
                text += char
        current.append(text)
    if current := _stripped(current):
        yield current
