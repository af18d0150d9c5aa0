"""What commands write and ask: text and tables for people, JSON for programs."""

import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import TextIO

from ninsho.cli.endings import WrongUsage

_COLOURS = {"+": "32", "-": "31", "@": "36"}


def say(*lines: str) -> None:
    """Write *lines* to standard output."""
    for line in lines:
        print(line)  # noqa: T201 - this is the command line


def remark(*lines: str) -> None:
    """Write *lines* to standard error, where they are no part of the result."""
    for line in lines:
        print(line, file=sys.stderr)  # noqa: T201 - this is the command line


def say_json(value: object) -> None:
    """Write *value* as JSON that can be read, that any terminal can be shown, and that UTF-8 can say."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    # What follows stands within strings: all else is printable, or ends a line.
    say("".join(one if one.isprintable() or one == "\n" else json.dumps(one)[1:-1] for one in text))


def say_table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table whose columns are as wide as their widest cell; no cell is ever cut."""
    table = [headings, *(tuple(map(visible, row)) for row in rows)]
    widths = [max(map(width, column)) for column in zip(*table, strict=True)]
    for row in table:
        say("  ".join(cell + " " * (room - width(cell)) for cell, room in zip(row, widths, strict=True)).rstrip())


def say_diff(lines: Iterable[str]) -> None:
    """Write a unified diff, coloured where somebody looks at it."""
    for line in lines:
        say(coloured(line, _COLOURS.get(line[:1], "")))


def coloured(text: str, code: str, *, stream: TextIO | None = None) -> str:
    """Return *text* with a colour of ANSI X3.64, if *stream*, else standard output, shows colours."""
    # https://no-color.org: any text but the empty one means no colour.
    wanted = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    shown = code and wanted and (stream or sys.stdout).isatty()
    return f"\x1b[{code}m{text}\x1b[0m" if shown else text


def visible(text: str) -> str:
    """Return *text* on one line that cannot command the terminal: what is not printable as an escape."""
    return text if text.isprintable() else "".join(one if one.isprintable() else ascii(one)[1:-1] for one in text)


def width(text: str) -> int:
    """How many columns of a terminal *text* takes: ideographs take two each."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 - only for those who need it

    return cell_len(text)


def confirmed(question: str) -> bool:
    """Ask *question*; only a clear yes is one. Raises ``WrongUsage`` where nobody is there to answer."""
    if not sys.stdin.isatty():
        raise WrongUsage(f"{question} expected --yes, or a terminal to ask there")
    try:
        return input(f"{question} [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False
