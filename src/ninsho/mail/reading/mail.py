"""A message as it was read: texts decoded, addresses with their names, files, and what was wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody in an address field: the *name* decoded, the *address* as it was written; either may be empty."""

    name: str
    address: str

    def __str__(self) -> str:
        if not self.address:
            return self.name
        name = self.name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{name}" <{self.address}>' if name else self.address


class Field(NamedTuple):
    """A header field: its *name* as it was written, its *value* unfolded and decoded."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that came along, or a message (``message/rfc822``).

    *filename* has no directories, and is empty where it was not told; it may still be one that a system treats
    specially. *data* are the octets of the file; *charset* is what was said of a text. *content_id* has no angle
    brackets, and is what ``cid:`` in HTML names.
    """

    filename: str
    content_type: str
    data: bytes = field(repr=False)
    content_id: str = ""
    charset: str = ""
    inline: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """A message; what was not there is empty, but for *date*, which is None, or has a zone (UTC where none was told).

    *text* is what to show where only text can be shown: made from the HTML where nothing else came. *html* is empty
    where none came. Lines end with a line feed. *message_id*, *in_reply_to* and *references* keep their angle brackets.
    *header* are all fields in their order, *defects* says what was wrong.
    """

    subject: str = ""
    from_: tuple[Address, ...] = ()
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None
    message_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    text: str = field(default="", repr=False)
    html: str = field(default="", repr=False)
    attachments: tuple[Attached, ...] = ()
    header: tuple[Field, ...] = field(default=(), repr=False)
    defects: tuple[str, ...] = ()

    def all(self, name: str) -> Iterator[str]:
        """Give the value of each field called *name*, in whatever case."""
        return (each.value for each in self.header if each.name.lower() == name.lower())

    def first(self, name: str) -> str:
        """Return the value of the first field called *name*; empty where there is none."""
        return next(self.all(name), "")
