"""Rows of all sorts as columns with names: dicts, dataclasses, named tuples, rows of SQLAlchemy, objects, addresses."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from typing import Any

from ninsho.mail.merging.values import Columns
from ninsho.mail.unsendable import Unsendable

# What the column with the address is called, where nobody says it; letters of any case, the likeliest first.
ADDRESS_COLUMNS = (
    "email",
    "e-mail",
    "e_mail",
    "mail",
    "address",
    "メールアドレス",
    "メール",
    "アドレス",
    "to",
    "宛先",
)


class Row(dict[str, str | None]):
    """Columns that were read somewhere, and their *place*, such as ``recipients.csv line 7``: errors name it.

    *fault* says, with the place, why these are no columns that anything may be sent by.
    """

    __slots__ = ("fault", "place")

    def __init__(self, values: dict[str, str | None], place: str, fault: Unsendable | None = None) -> None:
        super().__init__(values)
        self.place, self.fault = place, fault


def rows(recipients: Iterable[object]) -> Iterable[object]:
    """Return *recipients*; raise ``TypeError`` for one row, a path, and other things that are no rows."""
    if isinstance(recipients, PathLike):
        found = "a path: open_csv(path) reads them"
    elif isinstance(recipients, str):
        found = "a string: open_csv(path) reads them from a file, [address] is one row"
    elif isinstance(recipients, Mapping) or _is_named(recipients):
        found = "one row: [row] is a list of it"
    elif hasattr(recipients, "read"):
        found = "an open file: open_csv(path) reads them"
    elif isinstance(recipients, bytes | bytearray | memoryview) or not isinstance(recipients, Iterable):
        found = type(recipients).__name__
    else:
        return recipients
    raise TypeError(f"recipients: expected rows, got {found}")


def _is_named(row: object) -> bool:
    """Tell whether it is a named tuple, or a row of SQLAlchemy; a query of Django's names its fields as these do."""
    return (isinstance(row, tuple) and hasattr(row, "_fields")) or isinstance(getattr(row, "_mapping", None), Mapping)


def columns(row: Any) -> Columns:  # noqa: ANN401 - whatever has columns
    """Return the columns of *row* by name; a string is an address alone; raise ``TypeError`` for what is no row."""
    # Most rows are; a question to an abstract class takes longer than all the rest.
    if isinstance(row, dict) or isinstance(row, Mapping):  # noqa: SIM101
        return row
    if isinstance(row, str):
        return {"email": row}
    return _named(row) or _of_attributes(row)


def _named(row: Any) -> Columns | None:  # noqa: ANN401
    """Return the columns of what names them itself; None for what does not."""
    # Rows of SQLAlchemy are tuples, too.
    if isinstance(mapping := getattr(row, "_mapping", None), Mapping):
        return mapping
    if isinstance(row, tuple) and hasattr(row, "_fields"):
        return dict(zip(row._fields, row, strict=True))
    # Rows of sqlite3 and asyncpg are mappings, and do not say so.
    if callable(keys := getattr(row, "keys", None)) and not isinstance(row, type):
        return {name: row[name] for name in keys()}
    return None


def _of_attributes(row: Any) -> Columns:  # noqa: ANN401
    if dataclasses.is_dataclass(row) and not isinstance(row, type):
        return {field.name: getattr(row, field.name) for field in dataclasses.fields(row)}
    if isinstance(row, bytes | int | float | tuple | list | set | type | None):
        raise TypeError(f"expected a row with named columns, got {type(row).__name__}")
    return Attributes(row)


class Attributes(Mapping[str, object]):
    """The public attributes of an object, without its methods."""

    __slots__ = ("_holder",)

    def __init__(self, holder: object) -> None:
        self._holder = holder

    def __getitem__(self, name: str) -> object:
        found: Any = KeyError if name.startswith("_") else getattr(self._holder, name, KeyError)
        if callable(found):
            raise KeyError(name)
        value: object = found
        return value

    def __iter__(self) -> Iterator[str]:
        return (name for name in dir(self._holder) if name in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def address_template(known: Columns) -> str | None:
    """Return whom a row is for, where nobody says it: as a template in braces, or None if no column tells."""
    by_name = {name.lower(): name for name in reversed(list(known)) if isinstance(name, str)}
    address = next((by_name[name] for name in ADDRESS_COLUMNS if name in by_name), None)
    if address is None:
        return None
    return f"{{{by_name['name']}}} <{{{address}}}>" if "name" in by_name else f"{{{address}}}"
