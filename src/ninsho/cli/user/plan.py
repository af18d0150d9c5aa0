"""What an import would do: which accounts it adds, which it changes and how, and which lines it refuses."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ninsho.cli.user.records import scheme
from ninsho.stores import hashing
from ninsho.stores.entries import Entry, MalformedList, Record

FIELDS = tuple(field.name for field in dataclasses.fields(Entry))


class Change(NamedTuple):
    """An account that is there already, as *old*, and the fields in which the list differs from it."""

    entry: Entry
    differing: tuple[str, ...]
    old: Record

    def __str__(self) -> str:
        said = (self._schemes() if name == "secrets" else name for name in self.differing)
        return f"{self.entry.name}: {', '.join(said)}"

    def _schemes(self) -> str:
        """Say what the password was stored as, and what it will be; never a secret."""
        before, after = (" ".join(map(_label, secrets)) or "none" for secrets in (self.old.secrets, self.entry.secrets))
        return f"secrets {before} → {after}" if before != after else f"secrets {before} → another {after}"

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        return {
            "name": self.entry.name,
            "fields": list(self.differing),
            "schemes": {"before": list(map(scheme, self.old.secrets)), "after": list(map(scheme, self.entry.secrets))},
        }


@dataclasses.dataclass(slots=True)
class Plan:
    """An import before it is made; ``refused`` are the numbers of lines and what is wrong with them."""

    added: list[Entry] = dataclasses.field(default_factory=list)
    changed: list[Change] = dataclasses.field(default_factory=list)
    same: int = 0
    refused: tuple[tuple[int, str], ...] = ()
    permitted: frozenset[str] = hashing.NONE

    @property
    def entries(self) -> list[Entry]:
        """The accounts to be written."""
        return [*self.added, *(change.entry for change in self.changed)]

    def lines(self) -> Iterator[str]:
        """Yield what happens to each account, as a diff would."""
        yield from (f"+ {entry.name}" for entry in self.added)
        yield from (f"~ {change}" for change in self.changed)

    def problems(self) -> Iterator[str]:
        """Yield what is refused."""
        yield from (f"! line {number}: {problem}" for number, problem in self.refused)

    def summary(self) -> str:
        """Say it in numbers."""
        numbers = f"{len(self.added)} added, {len(self.changed)} changed, {self.same} the same"
        unusable = "".join(
            f"; {count} with {scheme}, which no login accepts" for scheme, count in sorted(self._unusable().items())
        )
        return f"{numbers}, {len(self.refused)} refused{unusable}"

    def _unusable(self) -> Counter[str]:
        """How many of the accounts to be written hold which scheme that is known and too weak."""
        accepted = {scheme.name for scheme in hashing.schemes(self.permitted)}
        held = Counter(hashing.scheme_of(secret) for entry in self.entries for secret in entry.secrets)
        return Counter({scheme: count for scheme, count in held.items() if scheme not in accepted})

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        return {
            "added": [entry.name for entry in self.added],
            "changed": [change.facts() for change in self.changed],
            "same": self.same,
            "refused": [{"line": number, "problem": problem} for number, problem in self.refused],
        }


def plan(entries: Iterable[Entry], present: Mapping[str, Record], permitted: frozenset[str] = hashing.NONE) -> Plan:
    """Compare *entries* with the accounts *present* by their keys; ``MalformedList`` becomes the refused lines."""
    made = Plan(permitted=permitted)
    try:
        for entry in entries:
            if (old := present.get(entry.key)) is None:
                made.added.append(entry)
            elif differing := tuple(name for name in FIELDS if getattr(old, name) != getattr(entry, name)):
                made.changed.append(Change(entry, differing, old))
            else:
                made.same += 1
    except MalformedList as error:
        made.refused = error.problems
    return made


def _label(stored: str) -> str:
    return f"{{{scheme(stored)}}}"
