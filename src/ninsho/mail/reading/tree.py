"""The MIME entities of a message (RFC 2046 §5.1), cut in one pass however deep they are nested; nothing is refused.

A recursive parser looks at each line once for each level, or runs out of stack: here each line that begins with two
hyphens is looked up once.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ninsho.mail.reading.header import Header, read_header
from ninsho.mail.reading.parameters import Structured, structured
from ninsho.mail.reading.words import raw_text

TEXT: Final = "text/plain"
MESSAGE: Final = "message/rfc822"
_NOT_CLOSED: Final = "a multipart without its last boundary"
_BEHIND: Final = "something behind the last boundary: left out"
_NO_BOUNDARY: Final = "a multipart without its boundary: taken for text"


@dataclass(frozen=True, slots=True)
class Part:
    """An entity with nothing within: its *type* in lower case, its *body* as it came.

    *alternative* is the number of the multipart/alternative that it is in, the outermost; None where it is in none.
    """

    header: Header
    type: str
    content: Structured
    disposition: Structured
    body: bytes = field(repr=False)
    alternative: int | None = None

    @property
    def encoding(self) -> str:
        """The transfer encoding in lower case."""
        return raw_text(self.header.first("content-transfer-encoding")).partition(";")[0].strip(" \t\"'").lower()


class Tree(NamedTuple):
    """The *header* of a message, what it says of its content, its *parts* in their order, and what was wrong."""

    header: Header
    content: Structured
    parts: tuple[Part, ...]
    defects: tuple[str, ...]


class _Mark(NamedTuple):
    """A boundary: of which frame, whether its last, where its line begins and where the next one does."""

    depth: int
    closing: bool
    start: int
    end: int


@dataclass(slots=True)
class _Frame:
    """A multipart that is open; *shadowed* is the frame whose boundary is the same."""

    boundary: bytes
    shadowed: int | None
    part: Part
    start: int
    alternative: int | None
    default: str
    children: int = 0


def tree_of(octets: bytes) -> Tree:
    """Cut a message."""
    cutter = _Cutter(octets)
    parts = tuple(cutter.parts())
    first = cutter.first
    return Tree(first.header, first.content, parts, tuple(dict.fromkeys(cutter.defects)))


class _Cutter:
    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._frames: list[_Frame] = []
        self._depths: dict[bytes, int] = {}
        self._gaps = {b"\n\n": -1, b"\n\r\n": -1}
        self._alternatives = 0
        self.defects: list[str] = []
        self.first = Part(Header((), 0), TEXT, Structured("", {}), Structured("", {}), b"")

    def parts(self) -> Iterator[Part]:
        """Give each entity that is not a multipart."""
        at: int | None = 0
        while at is not None:
            part, start, mark = self._entity(at)
            if at == 0:
                self.first = part
            if not self._opens(part, start):
                mark = mark or self._mark(start, len(self._octets))
                yield self._leaf(part, start, mark)
            else:
                mark = self._mark(start, len(self._octets))
            at = yield from self._behind(mark)

    def _entity(self, at: int) -> tuple[Part, int, _Mark | None]:
        """Read the header at *at*; return what it describes, where its body begins, and the boundary if it has none."""
        end, start = self._empty_line(at)
        mark = self._mark(at, end)
        if mark is not None:
            end = start = mark.start
        header = read_header(self._octets[at:end])
        self.defects += header.defects
        if header.size < end - at:
            start, mark = at + header.size, None
        return self._described(header), start, mark

    def _described(self, header: Header) -> Part:
        frame = self._frames[-1] if self._frames else None
        content = structured(raw_text(header.first("content-type")))
        disposition = structured(raw_text(header.first("content-disposition")))
        default = frame.default if frame else TEXT
        # RFC 2045 §5.2: what cannot be read as a type is text.
        return Part(
            header, _type(content.value, default), content, disposition, b"", frame.alternative if frame else None
        )

    def _opens(self, part: Part, start: int) -> bool:
        """Open *part* if it is a multipart with a boundary."""
        if not part.type.startswith("multipart/"):
            return False
        # Lines lose white space at their end on their way.
        boundary = part.content.get("boundary").rstrip().encode("utf-8", "replace")
        if not boundary:
            self.defects.append(_NO_BOUNDARY)
            return False
        alternative = part.alternative
        if alternative is None and part.type == "multipart/alternative":
            alternative, self._alternatives = self._alternatives, self._alternatives + 1
        default = MESSAGE if part.type == "multipart/digest" else TEXT
        shadowed = self._depths.get(boundary)
        self._depths[boundary] = len(self._frames)
        self._frames.append(_Frame(boundary, shadowed, part, start, alternative, default))
        return True

    def _leaf(self, part: Part, start: int, mark: _Mark | None) -> Part:
        body = self._octets[start : mark.start if mark else len(self._octets)]
        kind = TEXT if part.type.startswith("multipart/") else part.type
        return Part(part.header, kind, part.content, part.disposition, body, part.alternative)

    def _behind(self, mark: _Mark | None) -> Generator[Part, None, int | None]:
        """Close what *mark* closes; return where the next entity begins, None where there is none any more."""
        while mark is not None:
            yield from self._closed(mark.depth + (not mark.closing), mark)
            if not mark.closing:
                self._frames[mark.depth].children += 1
                return mark.end
            behind = self._mark(mark.end, len(self._octets))
            if self._octets[mark.end : behind.start if behind else None].strip():
                self.defects.append(_BEHIND)
            mark = behind
        if any(frame.children for frame in self._frames):
            self.defects.append(_NOT_CLOSED)
        yield from self._closed(0, None)
        return None

    def _closed(self, depth: int, mark: _Mark | None) -> Iterator[Part]:
        """Close the frames from *depth*; one without parts was text."""
        while len(self._frames) > depth:
            frame = self._frames.pop()
            if frame.shadowed is None:
                del self._depths[frame.boundary]
            else:
                self._depths[frame.boundary] = frame.shadowed
            if not frame.children:
                self.defects.append(_NO_BOUNDARY)
                yield self._leaf(frame.part, frame.start, mark)

    def _empty_line(self, at: int) -> tuple[int, int]:
        """Return where the header at *at* ends, and where what is behind the empty line begins."""
        octets = self._octets
        for empty in (b"\r\n", b"\n"):
            if octets.startswith(empty, at):
                return at, at + len(empty)
        for gap, known in self._gaps.items():
            # Remembered: many headers may stand before the same empty line, and most messages have but one kind.
            if known < at:
                found = octets.find(gap, at)
                self._gaps[gap] = len(octets) if found < 0 else found
        gap, found = min(self._gaps.items(), key=lambda item: item[1])
        return min(found + 1, len(octets)), min(found + len(gap), len(octets))

    def _mark(self, at: int, limit: int) -> _Mark | None:
        """Find the next boundary of any open frame whose line begins from *at* and before *limit*."""
        if not self._frames:
            return None
        octets = self._octets
        found = at if octets.startswith(b"--", at) else -1
        while True:
            if found < 0:
                found = octets.find(b"\n--", max(at - 1, 0), limit) + 1
                if not found:
                    return None
            end = octets.find(b"\n", found)
            end = len(octets) if end < 0 else end + 1
            line = octets[found + 2 : end].rstrip(b" \t\r\n")
            closing = line not in self._depths
            depth = self._depths.get(line.removesuffix(b"--") if closing else line)
            if depth is not None:
                return _Mark(depth, closing, max(_line_end(octets, found), at), end)
            at, found = end, -1


def _type(value: str, default: str) -> str:
    if not value:
        return default
    # RFC 2045 §5.2: what cannot be read as a type is text.
    kind = value.split(maxsplit=1)[0]
    return kind if kind.count("/") == 1 else TEXT


def _line_end(octets: bytes, start: int) -> int:
    """Return where the line end in front of *start* begins: it belongs to the boundary (RFC 2046 §5.1.1)."""
    start -= octets[start - 1 : start] == b"\n"
    return start - (octets[start - 1 : start] == b"\r")
