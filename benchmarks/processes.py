"""Processes as /proc tells of them: who belongs to a server, what CPU time they took, what memory they hold."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")

# The places of proc(5)'s fields after the name, which is in parentheses and may itself hold blanks.
PARENT, USER_TIME, SYSTEM_TIME = 1, 11, 12


def stat(pid: int) -> tuple[str, list[str]]:
    """A process's name and the fields after it; an empty name if it has ended."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "", []
    before, _, after = text.rpartition(")")
    return before.partition("(")[2], after.split()


def family(pid: int) -> list[int]:
    """The process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := stat(int(entry.name))[1]):
            children.setdefault(int(fields[PARENT]), []).append(int(entry.name))
    found = [pid]
    for parent in found:
        found.extend(children.get(parent, ()))
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """What the processes have computed so far, for themselves and inside the kernel."""
    fields = [fields for pid in pids if (fields := stat(pid)[1])]
    return sum(int(each[USER_TIME]) + int(each[SYSTEM_TIME]) for each in fields) / TICKS_PER_SECOND


def resident_bytes(pids: Iterable[int]) -> int:
    """The memory that the processes hold; what they share is counted for each."""
    return sum(map(_resident, pids))


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@contextmanager
def on_cpu(number: int | None) -> Iterator[None]:
    """What is started here runs on this one CPU; None leaves it to the scheduler."""
    before = os.sched_getaffinity(0)
    if number is not None:
        os.sched_setaffinity(0, {sorted(before)[number % len(before)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
