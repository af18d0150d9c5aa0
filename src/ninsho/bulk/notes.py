"""A run's own notes in a file: which messages were handed over, and what was heard of them.

The ledger is told of many messages in one commit, the notes of each, by one ``write`` that waits for no disk: what a
process has written stays written when the process is killed. So after a kill only what was on its way at that moment is
unknown. When the whole machine stops, the notes are lost, and are believed no more: then the ledger alone counts.

The process holds a lock on its notes for as long as it lives, by which others know that it does.
"""

import fcntl
import json
import os
from collections.abc import Collection
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from typing import Final, Self

from ninsho.bulk.outcomes import Settled
from ninsho.errors import NinshoError

_TAKEN: Final = b"+"
_HEARD: Final = b"="


class Notes:
    """The notes of this process; they lie beside *ledger*, a file, or where temporary files are."""

    def __init__(self, ledger: Path | None) -> None:
        folder, name = (Path(gettempdir()), "ninsho") if ledger is None else (ledger.parent, ledger.name)
        self.path = folder / f"{name}-run-{token_hex(8)}"
        self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def take(self, row: int) -> None:
        """Note that a row's message goes to the wire now."""
        os.write(self._file, b"%b%d\n" % (_TAKEN, row))

    def hear(self, row: int, settled: Settled) -> None:
        """Note what became of it."""
        os.write(self._file, b"%b%d %b\n" % (_HEARD, row, json.dumps(settled).encode()))

    def close(self, *, keep: bool) -> None:
        """Let go of them; *keep* the file where the ledger has not been told everything."""
        if not keep:
            self.path.unlink(missing_ok=True)
        os.close(self._file)


class Found:
    """The notes of a process that has ended, of which this one has the lock now."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self.taken: set[int] = set()
        self.heard: dict[int, Settled] = {}

    def read(self, rows: Collection[int]) -> Self:
        """Read what they say of *rows*, of which there are few."""
        wanted = {str(row).encode() for row in rows}
        with self._path.open("rb") as lines:
            for line in lines:
                row, _, values = line[1:].rstrip(b"\n").partition(b" ")
                # The last line may have been cut: then what it is about was not begun.
                if line.endswith(b"\n") and row in wanted:
                    self._note(line[:1], int(row), values)
        return self

    def _note(self, kind: bytes, row: int, values: bytes) -> None:
        if kind == _TAKEN:
            self.taken.add(row)
        elif kind == _HEARD:
            self.heard[row] = Settled.read(json.loads(values))

    def close(self, *, remove: bool) -> None:
        """Let go of them, and *remove* them where the ledger knows all that they say."""
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._file)


class StillHeld(NinshoError):
    """The process whose notes these are lives, or another one reads them at this moment."""


def found(path: Path) -> Found | None:
    """Take over the notes at *path*; None where there are none to be read. Raises ``StillHeld``."""
    try:
        # For writing, as locks over NFS want it.
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = _is_ours(path, file)
    except OSError:
        ours = False
    if not ours:
        os.close(file)
        raise StillHeld
    return Found(path, file)


def _is_ours(path: Path, file: int) -> bool:
    """Whether nobody was quicker and has removed them, and nobody else can have written them."""
    status = os.fstat(file)
    try:
        there = path.lstat()
    except OSError:
        return False
    return os.path.samestat(status, there) and status.st_uid in {0, os.geteuid()}
