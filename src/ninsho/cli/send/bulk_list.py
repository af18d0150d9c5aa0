"""The list of a mailing, from a CSV file or a database; its first row, its address column."""

from collections.abc import Iterator
from functools import cached_property
from itertools import chain

from ninsho.bulk.recipients import Row
from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.bulk_options import BulkOptions
from ninsho.mail.merging.csv_rows import open_csv
from ninsho.mail.merging.rows import ADDRESS_COLUMNS
from ninsho.mail.merging.rows import Row as PlacedRow

# As shells and people write what is hard to type.
_TABS = ("tab", "\\t", "\t")


class RecipientList:
    """The rows that ``--bulk`` names, read once and one at a time; raises ``WrongUsage`` where there are none."""

    def __init__(self, options: BulkOptions) -> None:
        self._options = options
        self._rows = self._opened()

    @cached_property
    def first(self) -> Row:
        """The first row: its columns are those of all."""
        row = next(self._rows, None)
        if row is None:
            raise WrongUsage(f"--bulk: {self._options.bulk}: expected rows, found none")
        self._rows = chain([row], self._rows)
        return row

    @cached_property
    def address(self) -> str:
        """The column with the address."""
        told, names = self._options.to_column, list(self.first.values)
        for option, name in (("--to-column", told), ("--key", self._options.key)):
            if name is not None and name not in names:
                raise WrongUsage(f"{option}: expected one of {', '.join(names)}, got {name}")
        if told is not None:
            return told
        known = {name.lower(): name for name in reversed(names)}
        found = next((known[name] for name in ADDRESS_COLUMNS if name in known), None)
        if found is None:
            raise WrongUsage(f"expected --to-column, one of {', '.join(names)}, as no column is called email")
        return found

    def rows(self) -> Iterator[Row]:
        """Give all rows."""
        self.first  # noqa: B018 - it says so where there is none
        return self._rows

    def _opened(self) -> Iterator[Row]:
        options = self._options
        if options.bulk_sql is not None:
            from ninsho.bulk.sql_rows import sql_rows  # noqa: PLC0415

            return sql_rows(str(options.bulk), options.bulk_sql)
        lines = open_csv(str(options.bulk), charset=options.list_charset, delimiter=_delimiter(options.delimiter))
        return map(_listed, lines)


def _delimiter(told: str) -> str:
    """Return what separates columns; raise ``WrongUsage`` for what no CSV file can have."""
    if told.lower() in _TABS:
        return "\t"
    if len(told) != 1 or told in '"\r\n\0':
        raise WrongUsage(f"--delimiter: expected one character such as ';', or tab, got {told!r}")
    return told


def _listed(row: PlacedRow) -> Row:
    fault = "" if row.fault is None else str(row.fault).removeprefix(f"{row.place}: ")
    return Row(int(row.place.rpartition(" ")[2]), row, fault)
