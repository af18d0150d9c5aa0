"""The formats of account lists by name, for commands that read and write them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple, TextIO

from ninsho.stores.entries import Entry
from ninsho.stores.interchange import csv_table, htpasswd, json_list, passwd


class Format(NamedTuple):
    """How a list is read and written.

    ``read`` yields entries and raises ``MalformedList`` at the end, with all bad lines: store them in one transaction.
    ``write`` raises ``MalformedEntry`` for an account that the format cannot say whole; nothing is left out silently.
    Open files for both with ``encoding="utf-8", newline=""``.
    """

    read: Callable[[Iterable[str]], Iterator[Entry]]
    write: Callable[[Iterable[Entry], TextIO], None]


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "passwd-file": Format(passwd.read, passwd.write),
        "htpasswd": Format(htpasswd.read, htpasswd.write),
        "csv": Format(csv_table.read, csv_table.write),
        "json": Format(json_list.read, json_list.write),
    }
)
