"""The formats of account lists by name, for commands that read and write them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import NamedTuple, TextIO

from ninsho.stores.entries import Entry
from ninsho.stores.interchange import csv_table, docker_mailserver, htpasswd, json_list, passwd, sasldb2
from ninsho.stores.interchange.sound import check


class Format(NamedTuple):
    """How a list is read and written.

    ``read`` yields entries and raises ``MalformedList`` at the end, with all bad lines: store them in one transaction.
    Among these are those with a stored form that no login could verify, as it is broken.
    ``write`` raises ``MalformedEntry`` for the accounts that the format cannot say whole; nothing is left out silently.
    Open files for both with ``encoding="utf-8", newline=""``.
    """

    read: Callable[[Iterable[str]], Iterator[Entry]]
    write: Callable[[Iterable[Entry], TextIO], None]


def sasldb2_of(realm: str | None) -> Format:
    """Return the format sasldb2, for a site whose users of *realm* go by their names alone."""
    return Format(partial(sasldb2.read, realm=realm, check=check), partial(sasldb2.write, realm=realm))


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "passwd-file": Format(partial(passwd.read, check=check), passwd.write),
        "htpasswd": Format(partial(htpasswd.read, check=check), htpasswd.write),
        "docker-mailserver": Format(partial(docker_mailserver.read, check=check), docker_mailserver.write),
        "sasldb2": sasldb2_of(None),
        "csv": Format(partial(csv_table.read, check=check), csv_table.write),
        "json": Format(partial(json_list.read, check=check), json_list.write),
    }
)
