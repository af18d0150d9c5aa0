"""Messages that are given whole: on standard input, in files, mailboxes and directories."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import IO, BinaryIO, NamedTuple, cast

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send import mbox
from ninsho.cli.send.fields import lacking
from ninsho.mail.content import SMALL
from ninsho.mail.sources import Source
from ninsho.mail.streamed import HEADER_LIMIT

STANDARD_INPUT = "-"


class Given(NamedTuple):
    """A message, and where it was found."""

    place: str
    message: Source


class Mail:
    """The messages at *places*: ``-``, files, mailboxes, directories, Maildirs; what they lack of *sender* is added.

    ``count`` is how many there are, None where only reading can tell. Raises ``WrongUsage`` for a place where there is
    nothing. What is opened is closed with *stack*.
    """

    def __init__(self, places: Sequence[str], sender: str | None, stack: ExitStack) -> None:
        self._sender = sender
        self._stack = stack
        self._files = [file for place in places for file in _files(place)]
        self.count = None if any(map(_is_mailbox, self._files)) else len(self._files)

    def __iter__(self) -> Iterator[Given]:
        for place in self._files:
            try:
                yield from self._read(place)
            except OSError:
                # The client says what is wrong with it, and goes on with the others.
                yield Given(place, Path(place))

    def _read(self, place: str) -> Iterator[Given]:
        if place == STANDARD_INPUT:
            yield from self._parted("standard input", self._kept(sys.stdin.buffer, b""))
            return
        with Path(place).open("rb") as file:
            if Path(place).is_file():
                yield from self._parted(place, file)
            else:
                # A pipe's end can be read once.
                yield from self._parted(place, self._kept(file, b""))

    def _parted(self, place: str, file: "IO[bytes]") -> Iterator[Given]:
        head = file.read(HEADER_LIMIT)
        file.seek(0)
        if head.startswith(mbox.MARK):
            for number, octets in enumerate(mbox.messages(file), 1):
                yield Given(f"{place}, message {number}", self._completed(octets))
        elif len(head) < HEADER_LIMIT:
            yield Given(place, self._completed(head))
        else:
            yield Given(place, self._streamed(file, Path(place), lacking(_header(head), self._sender)))

    def _completed(self, octets: bytes) -> bytes:
        return lacking(_header(octets), self._sender) + octets

    def _streamed(self, file: "IO[bytes]", path: Path, lines: bytes) -> Source:
        """Return a message that may be larger than memory."""
        if path.is_file() and not lines:
            return path
        return cast("BinaryIO", self._kept(file, lines) if lines else file)

    def _kept(self, file: "IO[bytes]", lines: bytes) -> "IO[bytes]":
        """Copy to where it can be read twice: memory if it is small, else disk."""
        copy: IO[bytes] = self._stack.enter_context(SpooledTemporaryFile(SMALL))  # noqa: SIM115 - until all is sent
        copy.write(lines)
        copyfileobj(file, copy)
        copy.seek(0)
        return copy


def _files(place: str) -> list[str]:
    path = Path(place)
    if place != STANDARD_INPUT and not path.exists():
        raise WrongUsage(f"--message: {place}: expected a file, a directory or -, got nothing")
    if not path.is_dir() or place == STANDARD_INPUT:
        return [place]
    maildir = [folder for folder in (path / "new", path / "cur") if folder.is_dir()]
    found = [file for folder in maildir or [path] for file in sorted(folder.iterdir())]
    return [str(file) for file in found if file.is_file() and not file.name.startswith(".")]


def _is_mailbox(place: str) -> bool:
    if not Path(place).is_file():
        return False
    try:
        with Path(place).open("rb") as file:
            return file.read(len(mbox.MARK)) == mbox.MARK
    except OSError:
        return False


def _header(head: bytes) -> bytes:
    ends = [end for end in (head.find(b"\n\n"), head.find(b"\n\r\n")) if end >= 0]
    return b"" if head.startswith((b"\n", b"\r\n")) else head[: min(ends) + 1] if ends else head
