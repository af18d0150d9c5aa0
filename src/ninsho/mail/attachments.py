"""Attachments that are encoded while they are sent, however large their files are."""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from secrets import token_hex

from ninsho.mail.attachment import Attachment
from ninsho.mail.content import Content, Octets, base64_lines, pieces
from ninsho.mail.files import reading, regular
from ninsho.mail.material import Material, from_octets
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import ContentChanged, Unsendable, excerpt

_LINE = 57  # octets, which become the 76 characters of a line (RFC 2045 §6.8)
_READ = _LINE * 4096


@dataclass(frozen=True, slots=True)
class StreamedMessage:
    """A message whose *attachments* are read from their files while it is sent, each in turn, behind what it has."""

    message: EmailMessage
    attachments: Sequence[Attachment]


def from_streamed(streamed: StreamedMessage, terms: Terms) -> Material:
    """Take a message with attachments; raise ``Unsendable`` where one cannot be read."""
    # The standard library's policies take 20 ms to import.
    from ninsho.mail.marks import with_marks  # noqa: PLC0415
    from ninsho.mail.written import written  # noqa: PLC0415

    if not isinstance(streamed.message, EmailMessage):
        raise Unsendable(f"expected an EmailMessage to attach files to, got {type(streamed.message).__name__}")
    files = [_Encoded(attachment) for attachment in streamed.attachments]
    marked = with_marks(streamed.message, [(file.attachment, file.beginning(), file.mark) for file in files])
    material = from_octets(written(marked, terms), terms)
    if not isinstance(material.content, Octets):
        raise TypeError(material.content)
    material.content = _Spliced(material.content.octets, files)
    return material


class _Encoded:
    """A file as base64; *mark* stands for it in the message."""

    def __init__(self, attachment: Attachment) -> None:
        if not isinstance(attachment, Attachment) or attachment.path is None:
            raise Unsendable(f"expected an attachment with a path, got {excerpt(attachment)}")
        self.path = regular(attachment.path, "attach")
        self.attachment = attachment
        self.mark = token_hex(32)
        with reading(self.path, "attach"):
            self._state = _state(self.path.stat())
        octets = self._state[1]
        lines = -(-octets // _LINE)
        # All lines but the last end with CRLF: what stands behind the mark ends that one.
        self.size = -(-octets // 3) * 4 + max(0, lines - 1) * 2

    def beginning(self) -> bytes:
        """Return as much of the file as its charset can be told by."""
        with reading(self.path, "attach"), self.path.open("rb") as file:
            octets = file.read(_READ)
        # Half a character at the end would speak for another charset.
        return octets[: octets.rfind(b"\n") + 1] or octets

    def lines(self) -> Iterator[bytes]:
        """Give the file in base64; raise ``ContentChanged`` before its end."""
        left = self.size
        held = b""
        try:
            with self.path.open("rb") as file:
                while octets := file.read(_READ):
                    chunk = base64_lines(octets)
                    chunk = b"\r\n" + chunk if left != self.size else chunk
                    left -= len(chunk)
                    if left < 0:
                        break
                    if held:
                        yield held
                    held = chunk
                changed = left or _state(os.fstat(file.fileno())) != self._state
        except OSError as error:
            # With an OSError behind it, it would look as if the connection had broken.
            raise ContentChanged(f"attach: {self.path}: cannot be read any more: {error.strerror}") from None
        if changed:
            raise ContentChanged(f"attach: {self.path}: changed while it was sent")
        yield held


class _Spliced(Content):
    """Octets with files in the places of their marks."""

    __slots__ = ("_files", "_texts")

    def __init__(self, octets: bytes, files: Sequence[_Encoded]) -> None:
        self._files = files
        self._texts = []
        for file in files:
            text, _, octets = octets.partition(file.mark.encode())
            self._texts.append(text)
        self._texts.append(octets)
        self.size = sum(map(len, self._texts)) + sum(file.size for file in files)

    def plain(self) -> Iterable[bytes]:
        """Give the octets as BDAT sends them; raise ``ContentChanged`` before the last of them."""
        for text, file in zip(self._texts, self._files, strict=False):
            yield from pieces(text)
            yield from file.lines()
        yield from pieces(self._texts[-1])


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_ino, status.st_size, status.st_mtime_ns
