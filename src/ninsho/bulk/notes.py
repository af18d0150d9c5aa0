"""A run's own notes in a file: which messages were handed over, and what was heard of them.

The ledger is told of many messages in one commit, the notes of each, by one write that waits for no disk: what a
process has written stays written when the process is killed. So after a kill only what was on its way at that moment is
unknown. When the whole machine stops, the notes are lost, and are believed no more: then the ledger alone counts.

Rows are listed before the commit that claims them, each on a line that begins with ``-``; that one octet becomes ``+``
before the message goes to the wire. So a full disk is met while nothing is on its way, and no line is ever half of
another one. A row that the notes do not list, as somebody has cut or emptied them, is not known to be unsent.

The process holds a lock on its notes for as long as it lives, by which others know that it does.
"""

import fcntl
import json
import os
import re
from collections.abc import Collection, Iterable
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from secrets import token_hex
from tempfile import gettempdir
from threading import Lock
from typing import Final, Self

from ninsho.bulk.database import LedgerUnavailable
from ninsho.bulk.outcomes import Settled
from ninsho.errors import NinshoError

_LISTED: Final = b"-"
_TAKEN: Final = b"+"
_LINE: Final = re.compile(rb"([-+])(\d+)\n|=(\d+) (\[.*\])\n")


class Notes:
    """The notes of this process; they lie beside *ledger*, a file, or where temporary files are."""

    def __init__(self, ledger: Path | None) -> None:
        folder, name = (Path(gettempdir()), "ninsho") if ledger is None else (ledger.parent, ledger.name)
        self.path = folder / f"{name}-run-{token_hex(8)}"
        try:
            self._file = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unwritten(error) from error
        fcntl.flock(self._file, fcntl.LOCK_EX)
        # Verdicts come from one thread, claims from others.
        self._lock = Lock()
        self._end = 0
        # Where the line of a row begins that is listed and was not taken.
        self._places: dict[int, int] = {}
        self._full: OSError | None = None

    def list(self, rows: Iterable[int]) -> None:
        """Note that *rows* are about to be claimed; raise ``LedgerUnavailable`` where there is no room for that."""
        # A transaction may be done twice.
        new = [row for row in rows if row not in self._places]
        lines = [b"%b%d\n" % (_LISTED, row) for row in new]
        try:
            begin = self._add(b"".join(lines))
        except OSError as error:
            raise self._unwritten(error) from error
        self._places |= zip(new, accumulate(map(len, lines), initial=begin), strict=False)

    def take(self, row: int) -> None:
        """Note that a row's message goes to the wire now; raise ``LedgerUnavailable`` where that cannot be noted.

        So it does where a verdict could not be: the next one would be unknown as well, should the ledger fail too.
        """
        if self._full is not None:
            raise self._unwritten(self._full)
        try:
            # One octet, which is written or not, over another one: it takes no room.
            written = os.pwrite(self._file, _TAKEN, self._places[row])
        except OSError as error:
            raise self._unwritten(error) from error
        if not written:
            raise self._unwritten(OSError("nothing was written"))
        del self._places[row]

    def hear(self, row: int, settled: Settled) -> None:
        """Note what became of it; where there is no room for that, the ledger is told all the same."""
        try:
            self._add(b"=%d %b\n" % (row, json.dumps(settled).encode()))
        except OSError as error:
            self._full = error

    def close(self, *, keep: bool) -> None:
        """Let go of them; *keep* the file where the ledger has not been told everything."""
        if not keep:
            self.path.unlink(missing_ok=True)
        os.close(self._file)

    def _add(self, octets: bytes) -> int:
        """Write *octets* behind all others, or nothing of them; return where they begin."""
        with self._lock:
            begin = end = self._end
            try:
                while octets:
                    written = os.pwrite(self._file, octets, end)
                    octets, end = octets[written:], end + written
            except OSError:
                os.ftruncate(self._file, begin)
                raise
            self._end = end
            return begin

    def _unwritten(self, error: OSError) -> LedgerUnavailable:
        return LedgerUnavailable(f"{self.path}: cannot be written: {error.strerror or error}")


class Found:
    """The notes of a process that has ended, of which this one has the lock now.

    Of the rows in question ``listed`` are all that they name, ``taken`` those whose messages were handed over.
    """

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        self.listed: set[int] = set()
        self.taken: set[int] = set()
        self.heard: dict[int, Settled] = {}

    def read(self, rows: Collection[int]) -> Self:
        """Read what they say of *rows*, of which there are few; a line that is no whole one says nothing."""
        wanted = {str(row).encode() for row in rows}
        with self._path.open("rb") as lines:
            for line in lines:
                if found := _LINE.fullmatch(line):
                    mark, listed, heard, values = found.groups()
                    if mark is None and heard in wanted:
                        self._hear(int(heard), values)
                    elif listed in wanted:
                        (self.taken if mark == _TAKEN else self.listed).add(int(listed))
        self.listed |= self.taken
        return self

    def _hear(self, row: int, values: bytes) -> None:
        # Whatever somebody has made of the file, nobody must be kept from going on.
        with suppress(ValueError, TypeError, IndexError):
            self.heard[row] = Settled.read(json.loads(values))

    def close(self, *, remove: bool) -> None:
        """Let go of them, and *remove* them where the ledger knows all that they say."""
        if remove:
            self._path.unlink(missing_ok=True)
        os.close(self._file)


class StillHeld(NinshoError):
    """The process whose notes these are lives, or another one reads them, or has them from it, at this moment."""


def found(path: Path) -> Found | None:
    """Take over the notes at *path*; None where there are none to be read and believed. Raises ``StillHeld``."""
    try:
        # For writing, as locks over NFS want it.
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    if os.fstat(file).st_uid not in {0, os.geteuid()}:
        # Anybody may have written them.
        os.close(file)
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        there = os.path.samestat(os.fstat(file), path.lstat())
    except OSError:
        there = False
    if not there:
        # Somebody was quicker, and may have removed them.
        os.close(file)
        raise StillHeld
    return Found(path, file)
