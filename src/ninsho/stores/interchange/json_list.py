"""JSON: a list of objects, one to a line; any account can be said in it whole."""

import json
import re
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TextIO

from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange.csv_table import COLUMNS, moment, networks
from ninsho.stores.interchange.numbered import Check, entries
from ninsho.stores.moments import write_moment
from ninsho.stores.names import MalformedEntry

_SPACE = re.compile(r"[ \t\r\n]*")
_DECODER = json.JSONDecoder()


def read(lines: Iterable[str], *, default_scheme: str | None = None, check: Check | None = None) -> Iterator[Entry]:
    """Yield the entries; raise ``MalformedList`` with the lines on which their objects begin."""
    text = "".join(lines).removeprefix("\ufeff")
    return entries(_objects(text), partial(parse, default_scheme=default_scheme), check=check)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write the list; what is not said of an account is left out."""
    separator = "[\n"
    for entry in accounts:
        stream.write(separator + json.dumps(_object(entry), ensure_ascii=False))
        separator = ",\n"
    stream.write("[]\n" if separator == "[\n" else "\n]\n")


def parse(item: object, *, default_scheme: str | None = None) -> Entry:
    """Read what stands in the list; raise ``MalformedEntry``."""
    if not isinstance(item, dict):
        raise MalformedEntry(f"expected an object, got {type(item).__name__}")
    if not item.keys() <= set(COLUMNS):
        raise MalformedEntry(f"expected no names but {', '.join(COLUMNS)}")
    match {"secrets": [], "disabled": False, "expires": None, "networks": [], "note": "", "master": False, **item}:
        case {
            "name": str(name),
            "secrets": [*secrets],
            "disabled": bool(disabled),
            "expires": None | str() | int() | float() as expires,
            "networks": [*nets],
            "note": str(note),
            "master": bool(master),
        } if all(text and isinstance(text, str) for text in (*secrets, *nets)) and not isinstance(expires, bool):
            until = moment(expires) if isinstance(expires, str) else expires
            places = networks(",".join(nets))
            return Entry(name, tuple(secrets), disabled, until, places, note, default_scheme, master=master)
    raise MalformedEntry(
        "expected name and note as strings, secrets and networks as lists of strings that are not empty, disabled and "
        "master as true or false, expires as a date"
    )


def _object(entry: Entry) -> dict[str, Any]:
    said = {
        "name": entry.name,
        "secrets": entry.secrets,
        "disabled": entry.disabled,
        "expires": None if entry.expires is None else write_moment(entry.expires),
        "networks": [str(network) for network in entry.networks],
        "note": entry.note,
        "master": entry.master,
    }
    return {name: value for name, value in said.items() if value}


def _objects(text: str) -> Iterator[tuple[int, object]]:
    """Take the list apart, each item with the line on which it begins."""
    place = _past_space(text, 0)
    separator, end = "[", "]"
    line, counted = 1, 0
    while text[place : place + 1] == separator:
        place = _past_space(text, place + 1)
        if separator == "[" and text[place : place + 1] == end:
            break
        line, counted = line + text.count("\n", counted, place), place
        item, place = _item(text, place, line)
        yield line, item
        place, separator = _past_space(text, place), ","
    line += text.count("\n", counted, place)
    if text[place : place + 1] != end:
        raise MalformedList([(line, f"expected {separator} of a list in JSON")])
    if _past_space(text, place + 1) != len(text):
        raise MalformedList([(line, "expected nothing behind the list")])


def _item(text: str, place: int, line: int) -> tuple[object, int]:
    try:
        return _DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        problem = (line + text.count("\n", place, error.pos), f"not JSON: {error.msg}")
    except (ValueError, RecursionError):
        problem = (line, "not JSON that can be read: a number too long, or too many brackets")
    # Raised out here, as the errors above hold the whole text, and with it every password.
    raise MalformedList([problem])


def _past_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
