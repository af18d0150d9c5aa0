"""Templates in two plain syntaxes, ``{name}`` and ``%name%``, read once: text, and the places where values stand.

A template is no code: it names columns and says how their values are written, and nothing else.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeAlias

from ninsho.mail.merging.values import Columns, Field, Gaps
from ninsho.mail.unsendable import Unsendable, excerpt

Fields: TypeAlias = Literal["braces", "percent", "jinja"]

BRACES_OTHERWISE: Final = 'a brace is written {{ or }}; fields="percent" and fields="jinja" leave braces alone'
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")
# The name; how it is written: in a URL, by a format specification.
_FIELD = re.compile(r"([^\s!:.\[\]](?:[^!:.\[\]\r\n]*[^\s!:.\[\]])?)(!u)?(?::([^\r\n]*))?")
_PERCENTS = re.compile(r"%%|%([^\W\d][\w-]*)%")


class Expression(Protocol):
    """What makes text of a row."""

    @property
    def names(self) -> frozenset[str]:
        """The columns that it cannot do without."""

    @property
    def column(self) -> str | None:
        """The column whose text goes as it is, where that is all; else None."""

    def value(self, columns: Columns, gaps: Gaps) -> str:
        """Return the text for one row; raise ``Unsendable``."""


Piece: TypeAlias = "str | Expression"


@dataclass(frozen=True, slots=True)
class Template:
    """What stands at one *place*, such as the subject: text, and what makes text of a row, in turn."""

    place: str
    pieces: Sequence[Piece]

    @property
    def expressions(self) -> list[Expression]:
        """What makes text of a row."""
        return [piece for piece in self.pieces if not isinstance(piece, str)]

    def filled(self, value: Callable[[Expression], str]) -> str:
        """Return the text with a value for each expression."""
        return "".join(piece if isinstance(piece, str) else value(piece) for piece in self.pieces)


def braces(text: str, place: str) -> Template:
    """Read ``{name}``, ``{name:,}`` with a format specification, ``{name!u}`` as part of a URL; ``{{`` is a brace."""
    return Template(place, tuple(_joined(_in_braces(text, place))))


def percents(text: str, place: str) -> Template:
    """Read ``%name%``; ``%%`` is a percent sign, and so is one that begins no name."""
    return Template(place, tuple(_joined(_in_percents(text))))


def _in_braces(text: str, place: str) -> Iterator[Piece]:
    end = 0
    for found in _BRACES.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        if found[0] in ("{{", "}}"):
            yield found[0][0]
        elif found[1] is not None and (field := _FIELD.fullmatch(found[1])):
            yield Field(field[1], found[0], field[3] or "", in_url=bool(field[2]), line=line_of(found))
        else:
            raise Unsendable(
                f"{place}: line {line_of(found)}: expected a field such as {{name}}, got {excerpt(found[0])}: "
                f"{BRACES_OTHERWISE}"
            )
    yield text[end:]


def _in_percents(text: str) -> Iterator[Piece]:
    end = 0
    for found in _PERCENTS.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        yield Field(found[1], found[0], line=line_of(found)) if found[1] else "%"
    yield text[end:]


def line_of(found: re.Match[str]) -> int:
    """Return the line, of those that a template has, where something was found."""
    return found.string.count("\n", 0, found.start()) + 1


def _joined(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """Put texts together that stand side by side, and leave out those that are empty."""
    held = ""
    for piece in pieces:
        if isinstance(piece, str):
            held += piece
        else:
            if held:
                yield held
            held = ""
            yield piece
    if held:
        yield held
