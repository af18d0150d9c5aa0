"""A program that runs from ``with`` to the end of the block in a directory of its own, and its log."""

import re
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self, TypeVar

from ninsho.cli.throwaway.child import PAUSE, kept_directory, reserved_port, running
from ninsho.errors import NinshoError

T = TypeVar("T")

# How long anything here is waited for unless the caller says otherwise, in seconds; all of it takes milliseconds.
PATIENCE = 15.0


class ProgramUnavailable(NinshoError):
    """A program is missing, or this user may not run it, or it did not start; the message says which."""


class ThrowawayProgram(ABC):
    """A program that ``with`` makes and runs, and of which nothing is left at the end of the block.

    That holds after Ctrl-C too, and even where this process is killed. A subclass says in ``lay_out`` what to run.
    """

    #: Everything the program has is in here.
    directory: Path
    #: A port on 127.0.0.1 that the program may listen on.
    port: int

    #: What the program is called.
    name: ClassVar[str]
    #: Raised where the program cannot be run.
    unavailable: ClassVar[type[ProgramUnavailable]] = ProgramUnavailable
    #: The environment variable that names ``directory``, and by which the program's processes are known.
    variable: ClassVar[str] = "THROWAWAY_DIRECTORY"
    #: The rest of its environment, but for PATH.
    environment: Mapping[str, str] = {}
    #: The log's name in ``directory``, and what stands there as soon as the program accepts connections.
    log_name: ClassVar[str] = "log"
    ready: ClassVar[str]

    _process: subprocess.Popen[bytes]
    _undo: ExitStack

    @abstractmethod
    def lay_out(self) -> Sequence[str | Path]:
        """Write what the program needs into ``directory``; return the command that runs it in the foreground."""

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            self.directory = undo.enter_context(kept_directory(self.name, variable=self.variable))
            # The program drops its privileges: every user may pass through to what is his, and none may look around.
            self.directory.chmod(0o711)
            with reserved_port() as self.port:
                command = self.lay_out()
                self._process = undo.enter_context(
                    running(command, directory=self.directory, variable=self.variable, environment=self.environment)
                )
                self._wait_until_ready()
            self._undo = undo.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._undo.close()

    @property
    def pid(self) -> int:
        """The program's process id."""
        return self._process.pid

    def log_text(self) -> str:
        """Return what the program has logged so far."""
        with suppress(FileNotFoundError):
            return (self.directory / self.log_name).read_text(errors="replace")
        return ""

    def wait_for_log(self, pattern: str, *, timeout: float = PATIENCE) -> re.Match[str]:
        """Return the first match of *pattern* in the log; raise ``TimeoutError`` if none comes."""
        return self.wait_for(
            lambda: re.search(pattern, self.log_text()), what=f"{pattern!r} in its log", timeout=timeout
        )

    def wait_for(self, find: Callable[[], T | None], *, what: str, timeout: float = PATIENCE) -> T:
        """Return what *find* finds once that is not None; raise ``TimeoutError``, which names *what* failed to come."""
        deadline = time.monotonic() + timeout
        while (finding := find()) is None:
            if (status := self._process.poll()) is not None:
                raise self.unavailable(f"{self.name}: ended with status {status}: {self._last_words()}")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{self.name}: no {what} within {timeout:g} s: {self._last_words()}")
            time.sleep(PAUSE)
        return finding

    def _wait_until_ready(self) -> None:
        try:
            self.wait_for_log(self.ready)
        except TimeoutError as error:
            raise self.unavailable(str(error)) from None

    def _last_words(self) -> str:
        output = (self.directory / "output").read_text(errors="replace")
        return " / ".join((self.log_text() + output).splitlines()[-5:]) or "it said nothing"
