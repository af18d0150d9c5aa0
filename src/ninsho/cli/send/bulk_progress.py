"""How far a mailing is: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from ninsho.bulk.progress import Tally
from ninsho.bulk.states import State
from ninsho.cli.terminal import remark

_OFTEN: Final = 0.1  # seconds between two looks at the bar
_SELDOM: Final = 10.0  # seconds between two lines


@contextmanager
def shown(*, quiet: bool) -> Iterator[Callable[[Tally], None]]:
    """Give what is told of each message."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield _seldom(tell, _OFTEN)
    else:
        yield _seldom(lambda tally: remark(line(tally)), _SELDOM)


def line(tally: Tally) -> str:
    """Say how far it is."""
    others = tally.done - tally[State.ACCEPTED] - tally[State.REFUSED]
    return (
        f"{tally.done} done, {tally[State.ACCEPTED]} accepted, {tally[State.REFUSED]} refused, {others} otherwise, "
        f"{tally.remaining} remaining, {tally.rate:.0f}/s"
    )


def _seldom(tell: Callable[[Tally], None], pause: float) -> Callable[[Tally], None]:
    due = time.monotonic() + (0 if pause < 1 else pause)

    def told(tally: Tally) -> None:
        nonlocal due
        now = time.monotonic()
        if now >= due or not tally.remaining:
            due = now + pause
            tell(tally)

    return told


@contextmanager
def _bar() -> Iterator[Callable[[Tally], None]]:
    from rich.console import Console  # noqa: PLC0415 - only for those who see it
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:.0f}/s"),
        TextColumn("[green]{task.fields[accepted]} accepted[/] [red]{task.fields[refused]} refused[/]"),
        TextColumn("{task.fields[others]} otherwise"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("", total=None, rate=0.0, accepted=0, refused=0, others=0)

        def tell(tally: Tally) -> None:
            accepted, refused = tally[State.ACCEPTED], tally[State.REFUSED]
            drawn.update(
                task,
                completed=tally.done,
                total=tally.done + tally.remaining,
                rate=tally.rate,
                accepted=accepted,
                refused=refused,
                others=tally.done - accepted - refused,
            )

        yield tell
