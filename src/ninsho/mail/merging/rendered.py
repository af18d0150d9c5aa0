"""The pre-rendered template: a message composed once with marks for values, written, and cut where they stand.

What a message costs is its own text: 18 µs of CPU from the row to the envelope and the octets of 1.4 kB of Japanese, in
which composing it takes 1,000 (CPython 3.11, best of 400); a file of 10 kB or 1 MB behind it adds 1 to 2.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from secrets import token_hex
from typing import Final, TypeAlias

from ninsho.mail.charsets.charset import charset
from ninsho.mail.composing.render import render
from ninsho.mail.content import SMALL, Content, Octets, dot_stuffed, pieces
from ninsho.mail.merging.body_slots import Body, Words, body
from ninsho.mail.merging.filling import Filling, Values
from ninsho.mail.merging.header_slots import FieldWriter, TextField
from ninsho.mail.merging.limits import NeedsComposing

Slot: TypeAlias = Callable[[Values], bytes]

TAIL: Final = 4096  # octets behind the last value that are worth being kept apart

_TOKEN = re.compile(rb"X-Slot-([0-9]+): here(?:\r\n|;)")


class Marks:
    """What stands for the values while the message is composed: letters and digits, which nothing changes."""

    def __init__(self, count: int, wide: str = "") -> None:
        self._begin = f"{wide}q{token_hex(8)}x"
        self.texts = [f"{self._begin}{at}z" for at in range(count)]
        self._pattern = re.compile(f"{self._begin}([0-9]+)z")

    def __contains__(self, text: str) -> bool:
        return self._begin in text

    def cut(self, text: str) -> list[str | int]:
        """Return the text between the marks, and their numbers."""
        found: list[str | int] = list(self._pattern.split(text))
        found[1::2] = map(int, found[1::2])
        return [piece for piece in found if piece != ""]


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is to be done with the values: the fields that have their own *slots*, by their names in lower case.

    *kana* says that half-width ones become full-width, *derived* that the text was made of the HTML; *finish* is done
    on the whole of the text.
    """

    slots: Mapping[str, Slot]
    writer: FieldWriter
    kana: bool
    derived: bool
    finish: Callable[[str], str] | None = None


class Rendered:
    """A message's octets with slots; what it makes is ``trusted`` to be short lines of ASCII, or not.

    ``narrow`` says that some of its parts are for values of ASCII, perhaps.
    """

    def __init__(self, octets: bytes, slots: Sequence[Slot], encodings: Collection[str]) -> None:
        *texts, tail = _TOKEN.split(octets)
        ends, numbers = texts[::2], map(int, texts[1::2])
        self._fixed: list[bytes] = []
        self._slots: list[tuple[int, Slot]] = []
        for text, number in zip(ends, numbers, strict=True):
            self._slots.append((len(self._fixed) + 1, slots[number]))
            self._fixed += (text, b"")
        # A small one is copied sooner than it is carried along.
        self._tail = Tail(tail) if len(tail) > TAIL else None
        if self._tail is None:
            self._fixed.append(tail)
        self.trusted = octets.isascii() and "8bit" not in encodings
        self.narrow = "7bit" in encodings

    def content(self, values: Values) -> Content:
        """Return the message of a row; raise ``NeedsComposing``."""
        parts = self._fixed.copy()
        for at, slot in self._slots:
            parts[at] = slot(values)
        octets = b"".join(parts)
        return Octets(octets) if self._tail is None else Tailed(octets, self._tail)


class Tail:
    """Octets that many messages end with, dot-stuffed once."""

    __slots__ = ("plain", "size", "stuffed")

    def __init__(self, octets: bytes) -> None:
        self.size = len(octets)
        self.plain = _in_pieces(octets)
        stuffed = dot_stuffed(octets)
        self.stuffed = self.plain if stuffed == octets else _in_pieces(stuffed)


def _in_pieces(octets: bytes) -> tuple[bytes, ...]:
    return (octets,) if len(octets) <= SMALL else tuple(pieces(octets))


class Tailed(Content):
    """Octets of its own, and behind them those that it shares; the former end with a line."""

    __slots__ = ("_octets", "_tail")

    def __init__(self, octets: bytes, tail: Tail) -> None:
        self._octets = octets
        self._tail = tail
        self.size = len(octets) + tail.size

    def plain(self) -> tuple[bytes, ...]:
        """Give the octets as BDAT sends them."""
        return (self._octets, *self._tail.plain)

    def stuffed(self) -> tuple[bytes, ...]:
        """Give the octets as DATA sends them."""
        return (dot_stuffed(self._octets), *self._tail.stuffed)


def rendered(message: EmailMessage, marks: Marks, treatment: Treatment) -> Rendered:
    """Cut a message that was composed with *marks*; raise ``NeedsComposing`` where one is out of reach."""
    slots: list[Slot] = []
    encodings: set[str] = set()
    for part in message.walk():
        if part.get_content_maintype() == "text" and (slot := _body(part, marks, treatment)):
            encodings.add(
                "" if charset(part.get_content_charset() or "").stateful else part["Content-Transfer-Encoding"]
            )
            # Base64 has no line end of its own.
            end = "\n" if str(part.get_payload()).endswith("\n") else ";"
            part.set_payload(f"X-Slot-{len(slots)}: here{end}")
            slots.append(slot)
    _cut_header(message, marks, treatment, slots)
    octets = render(message)
    if len(_TOKEN.findall(octets)) != len(slots):
        raise NeedsComposing
    return Rendered(octets, slots, encodings)


def _cut_header(message: EmailMessage, marks: Marks, treatment: Treatment, slots: list[Slot]) -> None:
    """Put a token in the place of each field with values."""
    fields = list(message.raw_items())
    for name, _ in fields:
        del message[name]
    for name, value in fields:
        slot = treatment.slots.get(name.lower()) or _field(name, str(value), marks, treatment.writer)
        if slot is None:
            message.set_raw(name, value)
        else:
            message.set_raw(f"X-Slot-{len(slots)}", "here")
            slots.append(slot)


def _field(name: str, value: str, marks: Marks, writer: FieldWriter) -> Slot | None:
    return TextField(name, Filling(marks.cut(value)), writer) if value in marks else None


def _body(part: EmailMessage, marks: Marks, treatment: Treatment) -> Body | None:
    octets, label = part.get_payload(decode=True), part.get_content_charset()
    if not isinstance(octets, bytes) or label is None:
        return None
    used = charset(label)
    text = used.decode(octets).replace("\r\n", "\n")
    if text not in marks:
        return None
    if not used.ascii_compatible:
        # Each piece would have a byte order mark of its own.
        raise NeedsComposing
    html = part.get_content_subtype() == "html"
    words = Words(used, html=html, kana=treatment.kana, derived=treatment.derived and not html)
    finish = None if html else treatment.finish
    made = body(marks.cut(text), words, part["Content-Transfer-Encoding"], finish)
    if made is None:
        raise NeedsComposing
    return made
