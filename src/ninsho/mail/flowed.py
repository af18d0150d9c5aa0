"""Text that the reader's program flows to the width of its window (RFC 3676): written, and read back."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from ninsho.mail.columns import context
from ninsho.mail.kinsoku import parts_by_rule
from ninsho.mail.wrapping import NARROWEST, Breaking, Wrapping, split_signature

WIDTH = 72  # columns; at most 78 with what is added (RFC 3676 §4.2)

_LINE = re.compile(r"[^\r\n]+")
# Marks with spaces between them ("> > ") are of several depths for people, of one for programs: they are not flowed.
_QUOTED = re.compile(r"(>++) ?+(?!>)")
# RFC 3676 §4.4: what a program on the way, or the reader's, would take for something else.
_STUFFED = re.compile(r" |>|From ")
_SEPARATOR = re.compile(r"(?:>+ ?)?-- ")  # RFC 3676 §4.3
_READ_LINE = re.compile(r"(>*)( ?)([^\r\n]*)(\r\n|\r|\n|\Z)")


class Flowed(NamedTuple):
    """A text as it is sent; with *delsp* one space is deleted where lines are joined, as languages without any need."""

    text: str
    delsp: bool

    @property
    def parameters(self) -> tuple[str, ...]:
        """Return the parameters of the part's Content-Type."""
        return ("format=flowed", "delsp=yes") if self.delsp else ("format=flowed",)


def flowed(text: str, *, width: int = WIDTH) -> Flowed:
    """Break lines softly, where the reader's program joins them again. Spaces at the ends of lines are lost.

    They mark the soft breaks (RFC 3676 §4.2). Only the line ``-- `` keeps its own, and nothing below it is broken.
    """
    body, signature = split_signature(text)
    breaking = Breaking(Wrapping(width).width, context(text), (parts_by_rule,))
    lines = {line: _softly(line, breaking) for line in _LINE.findall(body)}
    delsp = not all(piece.endswith(" ") for pieces in lines.values() for piece in pieces[:-1])
    soft = " " * delsp + ("\r\n" if "\r\n" in text else "\n")
    body = _LINE.sub(lambda line: soft.join(lines[line[0]]), body)
    return Flowed(body + _LINE.sub(lambda line: _fixed(line[0]), signature), delsp)


def unflowed(text: str, *, delsp: bool) -> str:
    """Join lines that were broken softly; quoted ones keep their marks.

    A soft break in front of another depth of quoting is a hard one (RFC 3676 §4.5).
    """
    return "".join(_joined(text, delsp=delsp))


def _softly(line: str, breaking: Breaking) -> list[str]:
    text = line.rstrip(" ")
    quoted = _QUOTED.match(text)
    if _SEPARATOR.fullmatch(line):
        return [line]
    if not text.startswith(">"):
        return [_stuffed(piece) for piece in breaking.pieces(text)]
    if not quoted or breaking.width <= len(quoted[1]) + NARROWEST:
        return [text]
    # RFC 3676 §4.5: the marks of its depth, and a space, in front of each line.
    breaking = replace(breaking, width=breaking.width - len(quoted[1]) - 1)
    first, *others = breaking.pieces(text[quoted.end() :])
    return [quoted[0] + first, *(f"{quoted[1]} {piece}" for piece in others)]


def _fixed(line: str) -> str:
    """Write a line that nothing is to be joined to."""
    if _SEPARATOR.fullmatch(line):
        return line
    line = line.rstrip(" ")
    return line if line.startswith(">") else _stuffed(line)


def _stuffed(line: str) -> str:
    return f" {line}" if _STUFFED.match(line) else line


def _joined(text: str, *, delsp: bool) -> Iterator[str]:
    # The marks of the paragraph that a soft break may be within, and what follows it unless it is.
    marks_before, hard = "", ""
    for found in _READ_LINE.finditer(text):
        marks, stuffing, content, end = found.groups()
        separator = content == "-- " and (marks != "" or stuffing == "")
        if not found[0]:
            break
        if not hard or marks != marks_before or separator:
            yield hard + marks + (stuffing if marks else "")
        soft = content.endswith(" ") and not separator
        # What is deleted where lines are joined is there where they are not.
        marks_before, hard = marks, content[-1:] * delsp + end if soft else ""
        yield content[:-1] if soft and delsp else content + ("" if soft else end)
    yield hard
