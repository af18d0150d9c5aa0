"""The talk with a server as a chat: ``>`` sent, ``<`` received, ``=`` state, ``!`` error; secrets never come here."""

import logging
from collections.abc import Callable
from typing import Protocol

from ninsho.wire.smtp import Reply, shown

LOGGER = logging.getLogger("ninsho.client")
# What is longer is a message.
LINE_SHOWN = 1024  # octets


class Watch(Protocol):
    """Whoever wants to see the talk."""

    def sent(self, data: bytes | str) -> None:
        """Take what was sent, or what stands for it."""

    def received(self, reply: Reply) -> None:
        """Take a reply."""

    def noted(self, text: str, *, error: bool = False) -> None:
        """Take what happened to the connection."""


class Transcript:
    """Gives each line of the talk, with its mark, to *write*."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def sent(self, data: bytes | str) -> None:
        """Write commands line by line; of a message only how long it is."""
        if isinstance(data, str):
            self._write(f"> {data}")
            return
        for line in data.removesuffix(b"\r\n").split(b"\r\n"):
            self._write(f"> {shown(line[:LINE_SHOWN])}")

    def received(self, reply: Reply) -> None:
        """Write a reply as it came."""
        *lines, last = reply.lines
        for line in lines:
            self._write(f"< {reply.code}-{shown(line)}")
        self._write(f"< {reply.code} {shown(last)}".rstrip())

    def noted(self, text: str, *, error: bool = False) -> None:
        """Write what happened."""
        self._write(f"{'!' if error else '='} {text}")


class Recorder(Transcript):
    """Keeps the ``lines`` of the talk, for tests."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        super().__init__(self.lines.append)


def logged() -> Transcript | None:
    """Return a transcript that goes to the logger ``ninsho.client``; None where nobody listens at level DEBUG."""
    return Transcript(_log) if LOGGER.isEnabledFor(logging.DEBUG) else None


def _log(line: str) -> None:
    LOGGER.debug("%s", line)
