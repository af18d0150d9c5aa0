"""A program that speaks SASL in lines on its standard input and output."""

import os
import subprocess
from collections.abc import Iterable, Mapping
from contextlib import suppress
from threading import Timer
from typing import Self

# Machines that run tests are busy.
PATIENCE = 30.0


class Refused(Exception):
    """The program ended, or said that it would not go on; the message is all that it said."""


class Spoken:
    """A child process for ``with``; one that stays silent for too long is ended."""

    def __init__(self, command: Iterable[str], *, environment: Mapping[str, str] | None = None) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})},
            # Without a terminal a program reads passwords from its standard input.
            start_new_session=True,
        )
        self._timer = Timer(PATIENCE, self._process.kill)
        self._timer.start()
        self.transcript = ""

    def say(self, text: str) -> None:
        self.transcript += f"> {text}\n"
        try:
            self._process.stdin.write(text.encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise Refused(self.transcript + self._process.stdout.read().decode(errors="backslashreplace")) from None

    def line(self) -> str:
        """What it says next; raises ``Refused`` where it ends instead."""
        line = self._process.stdout.readline().decode(errors="backslashreplace")
        self.transcript += line
        if not line:
            raise Refused(self.transcript)
        return line.rstrip("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._process.kill()
        # What it never read does not matter any more.
        with suppress(BrokenPipeError), self._process:
            self._process.stdin.close()
