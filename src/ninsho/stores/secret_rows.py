"""What has to change among an account's rows of stored forms when other forms take their places."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from ninsho.stores import hashing


class Changes(NamedTuple):
    """Rows to be changed, to be added and to be removed, in the words of the statements."""

    changed: list[dict[str, Any]]
    added: list[dict[str, Any]]
    removed: list[dict[str, Any]]


def changes(
    found: Sequence[tuple[int, int, str]], old: tuple[str, ...], new: tuple[str | None, ...], *, now: float
) -> Changes | None:
    """Compare what was *found* (account, position and form, in order) with *old*; None if it is not that any more.

    *new* is no shorter: each form stands in the place of an old one, or behind them; None where the old one goes.
    """
    if not found or tuple([stored for *_, stored in found]) != old:
        return None
    account, last, _ = found[-1]
    positions = [position for _, position, _ in found] + [last + 1 + more for more in range(len(new) - len(found))]
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "place": position,
            "scheme": hashing.scheme_of(stored),
            "stored": stored,
            "created_at": now,
        }
        for position, stored in zip(positions, new, strict=True)
        if stored is not None and stored not in old
    ]
    removed = [
        {"account": account, "place": position}
        for position, stored in zip(positions, new, strict=True)
        if stored is None
    ]
    added = sum(row["place"] > last for row in rows)
    return Changes(rows[: len(rows) - added], rows[len(rows) - added :], removed)
