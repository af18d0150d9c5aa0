"""Attachments that are encoded while they are sent, however large their files are."""

import binascii
import copy
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from secrets import token_hex

from ninsho.mail.content import Content, Octets, pieces
from ninsho.mail.material import Material, from_octets
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import ContentChanged, Unsendable, excerpt

_LINE = 57  # octets, which become the 76 characters of a line (RFC 2045 §6.8)
_READ = _LINE * 4096
# RFC 2046 §5: these must not be in base64.
_COMPOSITE = ("multipart", "message")
_TYPE = re.compile(r"([!#-'*+.0-9A-Z^-z{|}~-]+)/([!#-'*+.0-9A-Z^-z{|}~-]+ *(?:;[ -~]*)?)")  # RFC 2045 §5.1
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send along; *filename* and *content_type* are worked out from the path where they are not given."""

    path: "os.PathLike[str] | str"
    filename: str | None = None
    content_type: str | None = None


@dataclass(frozen=True, slots=True)
class StreamedMessage:
    """A message whose *attachments* are read from their files while it is sent, each in turn, behind what it has."""

    message: EmailMessage
    attachments: Sequence[Attachment]


def from_streamed(streamed: StreamedMessage, terms: Terms) -> Material:
    """Take a message with attachments; raise ``Unsendable`` where one cannot be read."""
    from ninsho.mail.written import written  # noqa: PLC0415 - the standard library's policies take 20 ms to import

    if not isinstance(streamed.message, EmailMessage):
        raise Unsendable(f"expected an EmailMessage to attach files to, got {type(streamed.message).__name__}")
    files = [_Encoded(attachment) for attachment in streamed.attachments]
    material = from_octets(written(_with_marks(streamed.message, files), terms), terms)
    if not isinstance(material.content, Octets):
        raise TypeError(material.content)
    material.content = _Spliced(material.content.octets, files)
    return material


class _Encoded:
    """A file as base64; *mark* stands for it in the message."""

    def __init__(self, attachment: Attachment) -> None:
        if not isinstance(attachment, Attachment) or not isinstance(attachment.path, str | os.PathLike):
            raise Unsendable(f"expected an attachment with a path, got {excerpt(attachment)}")
        self.path = Path(attachment.path)
        self.attachment = attachment
        self.mark = token_hex(32)
        try:
            self._state = _state(self.path.stat())
        except OSError as error:
            raise Unsendable(f"{self.path}: cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise Unsendable(f"{excerpt(attachment.path)}: cannot be read: {error}") from None
        octets = self._state[1]
        lines = -(-octets // _LINE)
        # All lines but the last end with CRLF: what stands behind the mark ends that one.
        self.size = -(-octets // 3) * 4 + max(0, lines - 1) * 2

    def lines(self) -> Iterator[bytes]:
        """Give the file in base64; raise ``ContentChanged`` before its end."""
        left = self.size
        held = b""
        try:
            with self.path.open("rb") as file:
                while octets := file.read(_READ):
                    chunk = _base64(octets)
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
            raise ContentChanged(f"{self.path}: cannot be read any more: {error.strerror}") from None
        if changed:
            raise ContentChanged(f"{self.path}: changed while it was sent")
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


def _base64(octets: bytes) -> bytes:
    encoded = binascii.b2a_base64(octets, newline=False)
    return b"\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)])


def _with_marks(message: EmailMessage, files: Iterable[_Encoded]) -> EmailMessage:
    message = copy.deepcopy(message)
    if message.get_content_type() != "multipart/mixed":
        message.make_mixed()
    for file in files:
        message.attach(_part(file))
    return message


def _part(file: _Encoded) -> EmailMessage:
    name = _name(file)
    main, sub = _type(file, name)
    part = EmailMessage()
    part.set_content(file.mark.encode(), main, sub, cte="7bit", disposition="attachment", filename=name)
    part.replace_header("Content-Transfer-Encoding", "base64")
    del part["MIME-Version"]
    return part


def _name(file: _Encoded) -> str:
    name = file.attachment.filename if file.attachment.filename is not None else file.path.name
    # What is no UTF-8 on this machine cannot be told to another.
    shown = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", name) if isinstance(name, str) else ""
    if not shown or any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in shown):
        raise Unsendable(f"{file.path}: expected a file name of printable characters, got {excerpt(name)}")
    return shown


def _type(file: _Encoded, name: str) -> tuple[str, str]:
    from mimetypes import guess_type  # noqa: PLC0415 - reads the system's tables

    guessed, packed = guess_type(name)
    given = file.attachment.content_type
    kind = (guessed if guessed and not packed else "application/octet-stream") if given is None else given
    if not isinstance(kind, str) or not (words := _TYPE.fullmatch(kind)):
        raise Unsendable(f"{file.path}: expected a content type such as text/plain, got {excerpt(kind)}")
    return ("application", "octet-stream") if words[1].lower() in _COMPOSITE else (words[1], words[2])
