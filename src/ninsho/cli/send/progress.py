"""A bar that shows how far many messages are."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ninsho.client.outbox import Progress


@contextmanager
def bar(total: int | None, *, visible: bool) -> Iterator[Callable[[Progress], None] | None]:
    """Draw one on standard error while the messages go, if it is to be *visible*."""
    if not visible:
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - only for those who see it
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn  # noqa: PLC0415
    from rich.progress import Progress as Bar  # noqa: PLC0415

    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as drawn:
        task = drawn.add_task("", total=total)
        yield lambda state: drawn.update(task, completed=state.done, total=total)
