"""Recipients from a CSV file, a row at a time, in whatever charset a spreadsheet has written it."""

import csv
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from ninsho.mail.at_hand import AtHand
from ninsho.mail.charsets.charset import Charset
from ninsho.mail.charsets.charset import charset as named
from ninsho.mail.charsets.detection import detect
from ninsho.mail.merging.rows import Row
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from os import PathLike

__all__ = ["Row", "open_csv"]

SAMPLE = 1 << 16  # octets of lines that are not ASCII, which tell the charset
# What else spreadsheets put between columns.
_DELIMITERS = {"\t": "tabs", ";": "semicolons", ",": "commas"}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def open_csv(path: "PathLike[str] | str", *, charset: str | Charset | None = None, delimiter: str = ",") -> AtHand[Row]:
    """Read the rows of a CSV file whose first line names the columns; the charset is detected where none is told.

    They are read as they are asked for. A line with more values than there are columns is a row with a ``fault``, which
    a merge refuses, and no other. Raises ``Unsendable``, with the line, for what is no such file.
    """
    return AtHand(_rows(Path(path), charset, delimiter))


def _rows(path: Path, charset: str | Charset | None, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(_lines(path, charset), delimiter=delimiter, strict=True)
    try:
        names = _names(next(reader, []), path, delimiter)
        for values in reader:
            place = f"{path.name} line {reader.line_num}"
            if any(values):
                yield _row(names, values, place)
    except csv.Error as error:
        raise Unsendable(f"{path.name} line {reader.line_num}: expected CSV, got what is none: {error}") from error


def _row(names: list[str], values: list[str], place: str) -> Row:
    fault = None
    if len(values) > len(names):
        fault = Unsendable(f"{place}: expected at most {len(names)} values, got {len(values)}")
    # A short row lacks its last columns.
    return Row(dict(zip_longest(names, values[: len(names)])), place, fault)


def _names(first: list[str], path: Path, delimiter: str) -> list[str]:
    names = [name.strip() for name in first]
    if len(first) == 1 and (other := next((one for one in _DELIMITERS if one in first[0].strip(" ")), None)):
        raise Unsendable(
            f"{path.name} line 1: expected columns parted by {delimiter!r}, got {_DELIMITERS[other]}: "
            f"delimiter={other!r}"
        )
    doubled = [name for name in names if names.count(name) > 1]
    if not any(names) or doubled:
        found = f"{excerpt(doubled[0])} twice" if doubled else "none"
        raise Unsendable(f"{path.name} line 1: expected a name for each column, got {found}")
    return names


def _lines(path: Path, told: str | Charset | None) -> Iterator[str]:
    try:
        with path.open("rb") as file:
            begin = file.read(4)
        mark = next((codec for octets, codec in _MARKS if begin.startswith(octets)), None)
        if mark is not None:
            with path.open(encoding=mark, newline="") as text:
                yield from text
            return
        # Each line of a charset with shifts begins and ends in ASCII.
        known = named(told) if told is not None else _detected(path)
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield _decoded(line, known, f"{path.name} line {number}")
    except OSError as error:
        raise Unsendable(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unsendable(f"{path.name}: expected {error.encoding}, got other octets at {error.start + 1}") from error


def _decoded(line: bytes, known: Charset, place: str) -> str:
    try:
        return known.decode(line)
    except UnicodeDecodeError as error:
        raise Unsendable(f"{place}: expected {known.label}, got {excerpt(line[error.start : error.end])}") from error


def _detected(path: Path) -> Charset:
    """Detect the charset by lines that show it, however far down the first stands."""
    size = 0
    sample: list[bytes] = []
    with path.open("rb") as file:
        for line in file:
            if not line.isascii() or b"\x1b" in line:
                sample.append(line)
                size += len(line)
            if size > SAMPLE:
                break
    return detect(b"".join(sample))
