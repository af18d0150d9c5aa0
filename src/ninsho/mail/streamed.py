"""Messages larger than memory: a file is read twice, measured first and then sent, in pieces."""

import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

from ninsho.mail.content import CHUNK, SMALL, Content, crlf, has_long_line, has_strays, with_line_ends
from ninsho.mail.headers import header_end, header_size, refuse_lone_cr, without_blind
from ninsho.mail.material import Material, from_octets, is_utf8
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import ContentChanged, Unsendable, excerpt

if TYPE_CHECKING:
    import os

HEADER_LIMIT = 1 << 20  # octets of the header of a message that is streamed
REENCODED_LIMIT = 1 << 26  # octets of a message that is read whole since it must be re-encoded


class Readable(Protocol):
    """What can be read from its beginning to its end."""

    def read(self, size: int, /) -> bytes:
        """Return at most *size* octets, none at the end."""


Opener: TypeAlias = Callable[[], AbstractContextManager[Readable]]


def from_path(path: "os.PathLike[str]", terms: Terms) -> Material:
    """Take the message in a file; raise ``Unsendable`` where it cannot be read."""
    path = Path(path)
    # A pipe gives its message once, and a message may be wanted twice.
    if path.exists() and not path.is_file():
        raise Unsendable(f"{path}: expected a regular file, got something else")
    return _taken(lambda: path.open("rb"), str(path), terms)


def from_file(file: BinaryIO, terms: Terms) -> Material:
    """Take the message in an open file, from its beginning; it must stay open until it is sent."""
    name = str(getattr(file, "name", "the file"))
    if isinstance(file.read(0), str):
        raise TypeError(f"{name}: expected a file opened for bytes, got one opened for text")
    return _taken(lambda: nullcontext(_Reading(file)), name, terms)


class _Reading:
    """One pass through an open file, whoever else moves about in it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._at = 0

    def read(self, size: int, /) -> bytes:
        self._file.seek(self._at)
        octets = self._file.read(size)
        self._at += len(octets)
        return octets


def _taken(opened: Opener, name: str, terms: Terms) -> Material:
    try:
        with opened() as file:
            head = file.read(SMALL + 1)
        return from_octets(head, terms) if len(head) <= SMALL else _measured(opened, name, terms)
    except OSError as error:
        raise Unsendable(f"{name}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        # A path with NUL, a file that is closed.
        raise Unsendable(f"{excerpt(name)}: cannot be read: {error}") from error


def _measured(opened: Opener, name: str, terms: Terms) -> Material:
    header = _header(opened)
    measure = Measure()
    for chunk in sent(opened):
        measure.feed(chunk)
    seen = without_blind(header)
    utf8 = not seen.isascii() and terms.utf8_header and is_utf8(seen)
    if measure.fits(terms) and (utf8 or seen.isascii()):
        content = FileContent(opened, name, measure)
        return Material(header, content, b" BODY=8BITMIME" if measure.eight_bit else b"", utf8=utf8)
    if measure.size > REENCODED_LIMIT:
        raise Unsendable(
            f"{name}: expected 7-bit lines of at most 998 octets in a message of more than {REENCODED_LIMIT} octets, "
            "got what this server does not take as it is"
        )
    with opened() as file:
        return from_octets(b"".join(_chunks(file)), terms)


def _chunks(file: Readable) -> Iterator[bytes]:
    return iter(partial(file.read, CHUNK), b"")


class Measure:
    """What there is to know about a message, found in one pass."""

    __slots__ = ("_line", "checksum", "eight_bit", "long_line", "nul", "size")

    def __init__(self) -> None:
        self.size = 0
        self.checksum = 0
        self.eight_bit = False
        self.nul = False
        self.long_line = False
        # How long the line is that the last piece broke off.
        self._line = 0

    def feed(self, chunk: bytes) -> None:
        """Take the next piece, with CRLF for each line end."""
        self.size += len(chunk)
        self.checksum = zlib.crc32(chunk, self.checksum)
        self.eight_bit = self.eight_bit or not chunk.isascii()
        self.nul = self.nul or b"\0" in chunk
        self.long_line = self.long_line or self._goes_on(chunk) or has_long_line(chunk)
        end = chunk.rfind(b"\n") + 1
        self._line = len(chunk) - end + (0 if end else self._line)

    def fits(self, terms: Terms) -> bool:
        """Tell whether the server takes it as it is."""
        return not self.nul and not self.long_line and (terms.eight_bit or not self.eight_bit)

    def _goes_on(self, chunk: bytes) -> bool:
        return self._line + (chunk.find(b"\n") + 1 or len(chunk)) > 1000


class FileContent(Content):
    """Content read from a file each time it is sent; a file that has changed is never sent to its end."""

    __slots__ = ("_measure", "_name", "_opened")

    def __init__(self, opened: Opener, name: str, measure: Measure) -> None:
        self._opened = opened
        self._name = name
        self._measure = measure
        self.size = measure.size

    def plain(self) -> Iterator[bytes]:
        """Give the octets as BDAT sends them; raise ``ContentChanged`` before the last of them."""
        held = b""
        again = Measure()
        try:
            for chunk in sent(self._opened):
                again.feed(chunk)
                if again.size > self.size:
                    break
                if held:
                    yield held
                held = chunk
        except (OSError, Unsendable) as error:
            # With an OSError behind it, it would look as if the connection had broken.
            raise ContentChanged(f"{self._name}: cannot be read any more: {error}") from None
        if (again.size, again.checksum) != (self.size, self._measure.checksum):
            raise ContentChanged(f"{self._name}: changed while it was sent")
        yield held


def sent(opened: Opener) -> Iterator[bytes]:
    """Read what is sent of a file: with CRLF for each line end, without blind copies."""
    with opened() as file:
        yield from _without_blind(_lines_ended(_chunks(file)))


def _lines_ended(chunks: Iterable[bytes]) -> Iterator[bytes]:
    held, last = b"", b"\n"
    for piece in chunks:
        chunk = held + piece
        # Whether a CR at the end begins a CRLF, the next piece tells.
        held = b"\r" if chunk.endswith(b"\r") else b""
        chunk = chunk[:-1] if held else chunk
        last = crlf(chunk) if has_strays(chunk) else chunk
        yield last
    if held or not last.endswith(b"\n"):
        yield b"\r\n"


def _without_blind(chunks: Iterator[bytes]) -> Iterator[bytes]:
    head = _head(chunks)
    size = header_size(head)
    yield without_blind(head[:size]) + head[size:]
    yield from chunks


def _head(chunks: Iterator[bytes]) -> bytes:
    """Read until the header is whole."""
    head = b""
    for chunk in chunks:
        head += chunk
        if header_end(head) is not None:
            break
        if len(head) > HEADER_LIMIT:
            raise Unsendable(f"expected an empty line behind a header of at most {HEADER_LIMIT} octets, got none")
    return head


def _header(opened: Opener) -> bytes:
    """Return the header as it was given, blind copies and all."""
    with opened() as file:
        head = _head(_chunks(file))
    refuse_lone_cr(head)
    head = with_line_ends(head[: header_end(head)])
    return head[: header_size(head)]
