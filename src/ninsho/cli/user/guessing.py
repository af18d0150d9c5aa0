"""Which format a list of accounts is in, from its name or its first lines."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from ninsho.cli.endings import WrongUsage
from ninsho.stores.interchange.csv_table import COLUMNS

FormatName: TypeAlias = Literal["passwd-file", "htpasswd", "docker-mailserver", "sasldb2", "csv", "json"]

_BY_NAME: dict[str, FormatName] = {
    ".csv": "csv",
    ".htpasswd": "htpasswd",
    ".json": "json",
    ".passwd": "passwd-file",
    "postfix-accounts.cf": "docker-mailserver",
    # Whoever names the database itself is told to dump it.
    "sasldb2": "sasldb2",
    ".sasldb2": "sasldb2",
}

# db_dump and mdb_dump begin with the one, gdbm_dump has the other among its comments.
_DUMPED = ("VERSION=", "#:version=")


def guess(file: str, lines: Sequence[str] = ()) -> FormatName:
    """Return the format of *file*, which begins with *lines*; raise ``WrongUsage`` if that cannot be told."""
    name = Path(file).name
    # A file called .htpasswd has no suffix: it is all suffix.
    if found := _BY_NAME.get(name) or _BY_NAME.get(Path(name).suffix) or _by_content(lines):
        return found
    raise WrongUsage(f"{file}: expected --format, as neither the name nor the first line tells the format")


def _by_content(lines: Sequence[str]) -> FormatName | None:
    if any(line.startswith(_DUMPED) for line in lines[:5]):
        return "sasldb2"
    first = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "")
    first = first.removeprefix("\ufeff")
    if first.startswith("["):
        return "json"
    if "name" in (cells := first.split(",")) and set(cells) <= set(COLUMNS):
        return "csv"
    user, colon, _ = first.partition(":")
    if "@" in user and "|" in user:
        return "docker-mailserver"
    # Which takes the lines of an htpasswd file just as well.
    return "passwd-file" if colon else None
