"""CSV (RFC 4180) with a header; several forms of one password stand in one cell, each on a line of its own."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

from ninsho.stores.accounts import Network
from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange.numbered import Check, entries
from ninsho.stores.interchange.whole import said
from ninsho.stores.moments import parse_moment, write_moment
from ninsho.stores.names import MalformedEntry
from ninsho.stores.networks import parse_networks, write_networks

COLUMNS = ("name", "secrets", "disabled", "expires", "networks", "note", "master")
_TRUTH = {"": False, "false": False, "no": False, "0": False, "true": True, "yes": True, "1": True}


def read(lines: Iterable[str], *, default_scheme: str | None = None, check: Check | None = None) -> Iterator[Entry]:
    """Yield the entries; of the columns only ``name`` must be there. Raises ``MalformedList``."""
    rows = _rows(lines)
    _, header = next(rows, (1, []))
    if "name" not in header or not set(header) <= set(COLUMNS) or len(set(header)) < len(header):
        raise MalformedList([(1, f"expected a header with name and any of {', '.join(COLUMNS[1:])}")])

    def parse(row: list[str]) -> Entry | None:
        if not row:
            return None
        if len(row) != len(header):
            raise MalformedEntry(f"expected {len(header)} cells, got {len(row)}")
        return entry_of(dict(zip(header, row, strict=True)), default_scheme=default_scheme)

    return entries(rows, parse, check=check)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write a header and a row for each; raise ``MalformedEntry`` for forms with a line feed in them."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(said(accounts, _row))


def cells(entry: Entry) -> dict[str, str]:
    """Return what stands in the cells of an account's row."""
    return {
        "name": entry.name,
        "secrets": "\n".join(entry.secrets),
        "disabled": _said(entry.disabled),
        "expires": "" if entry.expires is None else write_moment(entry.expires),
        "networks": write_networks(entry.networks),
        "note": entry.note,
        "master": _said(entry.master),
    }


def entry_of(row: Mapping[str, str], *, default_scheme: str | None = None) -> Entry:
    """Read the cells of a row by their columns; raise ``MalformedEntry``."""
    forms = row.get("secrets", "").split("\n")
    return Entry(
        row["name"],
        tuple(form for form in forms if form),
        truth(row, "disabled"),
        moment(row["expires"]) if row.get("expires") else None,
        networks(row.get("networks", "")),
        row.get("note", ""),
        default_scheme,
        master=truth(row, "master"),
    )


def truth(row: Mapping[str, str], column: str) -> bool:
    """Read true or false; raise ``MalformedEntry``."""
    # No finding is quoted here: in a row that has lost its quotes it may be a part of the password.
    if (value := _TRUTH.get(row.get(column, "").lower())) is None:
        raise MalformedEntry(f"{column}: expected true or false")
    return value


def moment(text: str) -> float:
    """Read a moment; raise ``MalformedEntry``."""
    try:
        return parse_moment(text)
    except ValueError as error:
        raise MalformedEntry(f"expires: {error}") from None


def networks(text: str) -> tuple[Network, ...]:
    """Read networks; raise ``MalformedEntry``."""
    try:
        return parse_networks(text)
    except ValueError as error:
        raise MalformedEntry(f"networks: {error}") from None


def _said(value: bool) -> str:  # noqa: FBT001 - what is to be written
    return "true" if value else "false"


def _row(entry: Entry) -> Iterable[str]:
    if any(set(form) & set("\r\n") for form in entry.secrets):
        raise MalformedEntry("expected no line feed in a form of the password, which csv cannot tell from two forms")
    return cells(entry).values()


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """Number the rows by the line on which they end."""
    reader = csv.reader(_without_mark(lines), strict=True)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error:
        # What it says may quote the line.
        raise MalformedList([(reader.line_num, "expected CSV, got a quote out of place")]) from None


def _without_mark(lines: Iterable[str]) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield line if number else line.removeprefix("\ufeff")
