"""Which format a list of accounts is in, from its name or its first line."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from ninsho.cli.endings import WrongUsage
from ninsho.stores.interchange.csv_table import COLUMNS

FormatName: TypeAlias = Literal["passwd-file", "htpasswd", "csv", "json"]

_BY_NAME: dict[str, FormatName] = {
    ".csv": "csv",
    ".htpasswd": "htpasswd",
    ".json": "json",
    ".passwd": "passwd-file",
}


def guess(file: str, lines: Sequence[str] = ()) -> FormatName:
    """Return the format of *file*, which begins with *lines*; raise ``WrongUsage`` if that cannot be told."""
    name = Path(file).name
    # A file called .htpasswd has no suffix: it is all suffix.
    if found := _BY_NAME.get(name) or _BY_NAME.get(Path(name).suffix):
        return found
    first = next((line.strip() for line in lines if line.strip() and not line.startswith("#")), "").removeprefix(
        "\ufeff"
    )
    if first.startswith("["):
        return "json"
    if "name" in (cells := first.split(",")) and set(cells) <= set(COLUMNS):
        return "csv"
    # Which takes the lines of an htpasswd file just as well.
    if ":" in first:
        return "passwd-file"
    raise WrongUsage(f"{file}: expected --format, as neither the name nor the first line tells the format")
