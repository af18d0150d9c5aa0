"""The values of a row as text: written as a template asks, and what stands for those that are missing."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Literal, TypeAlias
from urllib.parse import quote

from ninsho.mail.unsendable import Unsendable, excerpt

Missing: TypeAlias = Literal["error", "empty", "keep"]
Columns: TypeAlias = Mapping[str, object]

# As spreadsheets in Japan write days: 2026/1/5 9:30.
_SLASHES = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})(?: +([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?")
# A tab is a space; the others would end a field, or hide in it.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


class Raw(str):
    """HTML which a template puts into HTML as it is; other values are escaped there."""

    __slots__ = ()

    def __html__(self) -> str:
        """Return it: so template engines ask for it, too."""
        return self


@dataclass(frozen=True, slots=True)
class Gaps:
    """What stands for values that are missing: *defaults* for None and empty text, then what *missing* says.

    ``error`` refuses the row, ``empty`` leaves the place empty, ``keep`` leaves there what the template has.
    """

    defaults: Columns = field(default_factory=dict)
    missing: Missing = "error"


@dataclass(frozen=True, slots=True)
class Field:
    """A place in a template: the column's *name*, how its value is written, and how the template has *written* that.

    *optional* says that nothing stands for a value that is missing, whatever others do; *line* is where it stands.
    """

    name: str
    written: str
    spec: str = ""
    in_url: bool = False
    optional: bool = False
    line: int = field(default=1, compare=False)

    @property
    def names(self) -> frozenset[str]:
        """The columns that it cannot do without."""
        return frozenset((self.name,))

    @property
    def column(self) -> str | None:
        """The column whose text goes as it is; None where something is done with it."""
        return None if self.spec or self.in_url else self.name

    def value(self, columns: Columns, gaps: Gaps) -> str:
        """Return the text for one row; raise ``Unsendable``."""
        found = columns.get(self.name)
        if found is None or found == "":
            found = gaps.defaults.get(self.name, found)
        if found is None:
            return self._nothing(gaps)
        text = self._formatted(found)
        return quote(text, safe="") if self.in_url else text

    def _nothing(self, gaps: Gaps) -> str:
        if self.optional:
            return ""
        if gaps.missing == "error":
            raise Unsendable(f"expected a value for {self.written}, got none")
        return self.written if gaps.missing == "keep" else ""

    def _formatted(self, found: object) -> str:
        if not self.spec:
            return _text(found, self.written)
        try:
            return format(found, self.spec)
        except (ValueError, TypeError):
            return self._as_data(found)

    def _as_data(self, found: object) -> str:
        """Write text that reads as a number or a day, as files have them, as one."""
        # A day would be written by any text, such as a comma.
        for kind in (Decimal, _day) if "%" in self.spec else (Decimal,):
            try:
                return format(kind(str(found)), self.spec)
            except (ValueError, TypeError, InvalidOperation):
                continue
        raise Unsendable(
            f"{self.written}: expected a value that can be written so, got {excerpt(found)}: numbers are read as 12000 "
            "or 1.5, days as 2026-12-24 or 2026/12/24, with a time such as 18:30 or without"
        )


def _day(text: str) -> datetime:
    """Read a day, with a time or without: as ISO 8601 has it, or with slashes; raise ``ValueError``."""
    if found := _SLASHES.fullmatch(text.strip()):
        year, month, day, hour, minute, second = map(int, found.groups(default="0"))
        return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - a file tells none
    return datetime.fromisoformat(text.strip())


def _text(found: object, place: str) -> str:
    kind = type(found)
    if kind is str or kind is int:
        return str(found)
    if isinstance(found, bytes | bytearray | memoryview):
        raise Unsendable(f"{place}: expected text, got {kind.__name__}")
    return Raw(found.__html__()) if hasattr(found, "__html__") else str(found)


def one_line(value: str, place: str) -> str:
    """Return a value for a header field: without white space at its ends; raise ``Unsendable`` where it has lines.

    Files leave line ends behind their values; one within would begin another field (RFC 5322 §2.2).
    """
    if value.isprintable():
        return value.strip()
    value = value.strip().replace("\t", " ")
    if found := _CONTROL.search(value):
        raise Unsendable(f"{place}: expected one line, got {excerpt(value)} with {found[0]!a}")
    return value
