"""The accounts of a file, read again when the file changes."""

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.accounts import Account
from ninsho.stores.census import Holder
from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.listed import Listed
from ninsho.stores.reporting import report

INTERVAL = 0.1  # seconds from one look at the file to the next
SETTLED = 100_000_000  # nanoseconds

Reader: TypeAlias = Callable[[Iterable[str]], Iterator[Entry]]


class FileAccounts:
    """A store whose accounts are what *read* makes of the lines of the file at *path*.

    A change counts within 0.2 s. A file that is broken by then leaves the last good accounts in place, and is reported;
    one that has vanished makes the store unavailable. The first reading raises ``ConfigurationError`` for every line
    that is wrong. A file of 10,000 lines takes 0.15 s, in which nobody is served: larger sites want the database.
    """

    immediate = True

    def __init__(
        self,
        path: Path,
        read: Reader,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = time.time_ns,
    ) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        self._now = now
        # The file's status when it was read; None: it may have been in the middle of a change.
        self._seen: tuple[int, ...] | None = None
        self._trouble = ""
        self._due = clock() + INTERVAL
        try:
            self._take()
        except OSError as error:
            raise ConfigurationError([self._unreadable(error)]) from None
        except MalformedList as error:
            raise ConfigurationError(self._problems(error)) from None

    def find(self, username: str) -> Account | None:
        """Return the account of *username*, None if there is none; raise ``StoreUnavailable`` without a file."""
        # Looking at the file takes 2 µs, at the clock a twentieth of that.
        if self._clock() >= self._due:
            self._look()
        if self._trouble:
            raise StoreUnavailable(self._trouble)
        return self._accounts.find(username)

    def schemes(self) -> dict[str, int]:
        """How many accounts hold which scheme."""
        return dict(self._accounts.schemes())

    def lacking(self, schemes: Collection[str]) -> int:
        """How many accounts that may log in now hold none of these *schemes*."""
        return self._accounts.lacking(schemes)

    def holders(self, scheme: str, limit: int, every: int = 1) -> list[Holder]:
        """Accounts that hold *scheme*, at most *limit*: the first ones, or only one of *every* so many."""
        return self._accounts.holders(scheme, limit, every)

    def _look(self) -> None:
        self._due = self._clock() + INTERVAL
        try:
            status = self._path.stat()
            # Most programs that change such a file truncate it, and then write: in between, users would be unknown.
            if _identity(status) != self._seen and self._settled(status):
                self._take_change()
            self._trouble = ""
        except OSError as error:
            self._trouble = self._unreadable(error)

    def _take_change(self) -> None:
        try:
            self._take()
        except MalformedList as error:
            for problem in self._problems(error):
                report(f"{problem}; the accounts read before stay in force")

    def _take(self) -> None:
        with self._path.open("rb") as file:
            status = os.fstat(file.fileno())
            # What is not UTF-8 is told with its line, by whoever reads the lines.
            lines = file.read().decode(errors="surrogateescape").split("\n")
        self._seen = _identity(status) if self._settled(status) else None
        self._accounts = Listed(self._read(lines))

    def _settled(self, status: os.stat_result) -> bool:
        """Whether the last change is so long ago that another one would show in the time of the change."""
        return not 0 <= self._now() - status.st_mtime_ns < SETTLED

    def _unreadable(self, error: OSError) -> str:
        return f"{self._path}: cannot be read: {error.strerror}"

    def _problems(self, error: MalformedList) -> list[str]:
        return [f"{self._path}:{line}: {problem}" for line, problem in error.problems]


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
