"""The options of ``ninsho send`` for mail to many."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter


@Parameter(name="*")
@dataclass(frozen=True)
class BulkOptions:
    """Mail to many: a message for each row of a list, and a ledger of what became of each."""

    bulk: str | None = None
    """The list: a CSV file whose first line names the columns; with --bulk-sql a database URL."""
    bulk_sql: Annotated[str | None, Parameter(name="--bulk-sql")] = None
    """The query whose rows are the list."""
    template: tuple[Path, ...] = ()
    """What everybody gets, with fields such as {name}: an .html file, any other for the text, or both."""
    ledger: str | None = None
    """Where is kept what became of each recipient: a file, made if need be, or a database URL."""
    mailing: str | None = None
    """The name of this mailing in the ledger; else that of the list."""
    changed: bool = False
    """Go on under the same name with a subject or a template that has changed."""
    to_column: str | None = None
    """The column with the address; else email, mail, address or to."""
    key: str | None = None
    """The column that tells recipients apart; else the address."""
    fields: Literal["braces", "percent", "jinja"] = "braces"
    """How fields are written: {name}, %name%, or as Jinja2 has it."""
    default: tuple[str, ...] = ()
    """What stands for a missing value, such as name=customer; may be repeated."""
    list_charset: str | None = None
    """The charset of the CSV file; else it is found out."""
    delimiter: str = ","
    """What separates its columns: a character, or tab."""
    verp: str | None = None
    """Give each message an envelope sender of its own, made of this address, so that bounces say whose they are."""
    limit: int | None = None
    """Send at most so many messages in this run."""
    report: Path | None = None
    """Write what became of all to this file: .csv, .json or .html."""

    @property
    def given(self) -> bool:
        """Whether anything of it was given."""
        return self != BulkOptions()
