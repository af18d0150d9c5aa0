"""Which process a run is, and whether it still lives."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ninsho.bulk.tables import NAME_LENGTH


@dataclass(frozen=True, slots=True)
class Process:
    """A process by its machine and its number; ``started`` tells it from a later one with the same number.

    ``boot`` names one time that the machine was up and, behind a blank, by which numbers its processes go (the PID
    namespace: containers have their own); it is empty where the system does not tell.
    """

    host: str
    boot: str
    pid: int
    started: str

    @classmethod
    def this(cls) -> Self:
        """Return the process that this is."""
        return cls(socket.gethostname()[:NAME_LENGTH], _boot(), os.getpid(), _started(os.getpid()))

    def is_beside(self, other: "Process") -> bool:
        """Whether both are, or were, on one machine that has been up since: then they see each other's locks."""
        return bool(self.boot) and self.boot.partition(" ")[0] == other.boot.partition(" ")[0]

    def knows(self, other: "Process") -> bool:
        """Whether the number of the other one means the same here."""
        return bool(self.boot) and self.boot == other.boot

    @property
    def lives(self) -> bool:
        """Whether it does; it must be one whose number is known here."""
        return bool(self.started) and _started(self.pid) == self.started


def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Return when a process was started, in ticks since the machine was; empty where there is none, or it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # proc(5): behind the name, which may hold anything, field 3 is the state, field 22 the start.
    state, *fields = stat.rpartition(b")")[2].split()
    return "" if state in {b"Z", b"X"} else fields[18].decode()
