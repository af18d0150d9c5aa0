"""Header fields out of octets, as forgivingly as may be: what has lost its fold stays with the field before it."""

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from ninsho.mail.reading.words import raw_text, words_decoded

_FIELD: Final = re.compile(rb"([!-9;-~]{1,998}+)[ \t]*+:(.*)", re.DOTALL)
_MBOX: Final = re.compile(rb"From [^:\n]*(?:[:][^\n]*)?\n")
_WHITE: Final = (b" ", b"\t")
_LOST_FOLD: Final = "a line in the header that is no field: taken for the rest of the one before"
_NO_GAP: Final = "no empty line between header and body"


class Raw(NamedTuple):
    """A field as it came, unfolded."""

    name: str
    value: bytes


class Header(NamedTuple):
    """The *fields* of an entity; *size* is how many octets of the block they took: behind them its body begins."""

    fields: tuple[Raw, ...]
    size: int
    defects: tuple[str, ...] = ()

    def first(self, name: str) -> bytes:
        """Return the value of the first field called *name* (in lower case); empty where there is none."""
        return next((field.value for field in self.fields if field.name.lower() == name), b"")

    def text(self, name: str, hint: str | None = None) -> str:
        """Return the value of the first field called *name*, decoded."""
        return words_decoded(raw_text(self.first(name), hint))


def without_envelope_line(octets: bytes) -> bytes:
    """Drop the line that mbox files, and pipes of mail servers, have in front of a message."""
    found = _MBOX.match(octets) if octets.startswith(b"From ") else None
    return octets[found.end() :] if found else octets


def read_header(block: bytes) -> Header:
    """Read the fields of *block*, which ends before the empty line."""
    lines = block.split(b"\n")
    known = [None if line[:1] in _WHITE else _FIELD.fullmatch(line.removesuffix(b"\r")) for line in lines]
    last = max((number for number, match in enumerate(known) if match), default=-1)
    found: list[tuple[str, list[bytes]]] = []
    size, defects = 0, dict[str, None]()
    for number, (line, match) in enumerate(zip(lines, known, strict=True)):
        if match:
            found.append((match[1].decode(), [match[2]]))
        elif line.strip() and number > last and not (found and line[:1] in _WHITE):
            return Header(_raw(found), size, (*defects, _NO_GAP))
        elif found and line[:1] in _WHITE:
            found[-1][1].append(line.removesuffix(b"\r"))
        elif found and line.strip():
            defects[_LOST_FOLD] = None
            found[-1][1].append(b" " + line.strip())
        size += len(line) + 1
    return Header(_raw(found), len(block), tuple(defects))


def _raw(found: Iterable[tuple[str, list[bytes]]]) -> tuple[Raw, ...]:
    return tuple(Raw(name, b"".join(pieces).strip()) for name, pieces in found)
