"""Reading a list to its end whatever is wrong with it: all bad lines are told at once."""

from collections.abc import Callable, Iterable, Iterator
from typing import NoReturn, TypeAlias, TypeVar

from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.names import MalformedEntry

T = TypeVar("T")

# Raises ``MalformedEntry`` for an account that its line should not have brought.
Check: TypeAlias = Callable[[Entry], None]

# More than anybody corrects at once: it is not such a list at all.
PROBLEM_LIMIT = 100


def entries(
    items: Iterable[tuple[int, T]],
    parse: Callable[[T], Entry | None],
    *,
    called: str = "line",
    check: Check | None = None,
) -> Iterator[Entry]:
    """Yield what *parse* makes of each numbered item, None being no entry; an item is *called* a line, or otherwise.

    At the end raises ``MalformedList`` for all items that *parse* or *check* refused with ``MalformedEntry`` or that
    name an account again: whoever stores the entries should do so in one transaction.
    """
    problems: list[tuple[int, str]] = []
    places: dict[str, int] = {}
    try:
        for number, item in items:
            try:
                entry = parse(item)
                if entry is None:
                    continue
                if (first := places.setdefault(entry.key, number)) != number:
                    _refuse_again(entry, f"{called} {first}")
                if check:
                    check(entry)
                yield entry
            except MalformedEntry as error:
                problems.append((number, str(error)))
                if len(problems) == PROBLEM_LIMIT:
                    break
    except MalformedList as broken:
        # The items themselves cannot be told apart any more.
        problems.extend(broken.problems)
    if problems:
        raise MalformedList(problems)


def _refuse_again(entry: Entry, place: str) -> NoReturn:
    raise MalformedEntry(f"expected each user once, got {entry.name!r} again, as in {place}")


def numbered_lines(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """Number *lines* from 1, without their ends and without a byte order mark."""
    for number, line in enumerate(lines, start=1):
        yield number, (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
