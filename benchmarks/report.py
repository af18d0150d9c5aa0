"""What was measured, as plain tables and targets, told while it comes and kept for JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

GAP = "  "


@dataclass(frozen=True)
class Target:
    """A promise about one figure: at most (or at least) so much; ``value`` is None where it was not measured."""

    what: str
    value: float | None
    limit: float
    unit: str
    at_least: bool = False

    @property
    def verdict(self) -> str:
        """Whether the promise is kept."""
        if self.value is None:
            return "not measured"
        return "met" if (self.value >= self.limit if self.at_least else self.value <= self.limit) else "NOT MET"

    def __str__(self) -> str:
        value = "" if self.value is None else f" {self.value:,.2f} {self.unit}"
        bound = "at least" if self.at_least else "at most"
        return f"{self.verdict:<12}  {self.what}:{value} ({bound} {self.limit:g} {self.unit})"


@dataclass
class Report:
    """Everything that was found, in the order it was found."""

    targets: list[Target] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    where: str = ""
    errors: int = 0

    def machine(self, where: str) -> None:
        """Print what the figures were measured on; another load than ours makes them worse."""
        self.where = where
        print(where)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print a table; the first column is text, the others are figures."""
        self.tables.append({"title": title, "columns": [*columns], "rows": [[*row] for row in rows]})
        widths = [max(len(cell) for cell in column) for column in zip(columns, *rows, strict=True)]
        print(f"\n{title}\n")
        for row in (columns, *rows):
            cells = [cell.rjust(width) for cell, width in zip(row, widths, strict=True)]
            print("  " + GAP.join([row[0].ljust(widths[0]), *cells[1:]]), flush=True)
        print()

    def target(self, target: Target) -> None:
        """Print whether a promise is kept."""
        self.targets.append(target)
        print(f"  {target}", flush=True)

    def note(self, note: str) -> None:
        """Print what was left out, and why."""
        self.notes.append(note)
        print(f"  note: {note}", flush=True)

    def mistakes(self, server: str, count: int) -> None:
        """Print that a server answered wrongly, which makes its figures worthless."""
        self.errors += count
        self.note(f"{server}: {count} wrong answers")

    def summary(self) -> None:
        """Print every target once more."""
        print("\nTargets\n")
        for target in self.targets:
            print(f"  {target}")

    def save(self, path: Path, **settings: object) -> None:
        """Write everything, and the settings it was measured with, as JSON."""
        targets = [vars(target) | {"verdict": target.verdict} for target in self.targets]
        found = {
            "machine": self.where,
            "settings": settings,
            "tables": self.tables,
            "targets": targets,
            "notes": self.notes,
        }
        path.write_text(json.dumps(found | {"errors": self.errors}, indent=2, ensure_ascii=False) + "\n")
