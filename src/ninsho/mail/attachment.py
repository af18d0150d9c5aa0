"""A file to send along, as it is told: where it is, and what the recipient sees of it."""

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    import os

_TYPE = re.compile(r"([!#-'*+.0-9A-Z^-z{|}~-]+)/[!#-'*+.0-9A-Z^-z{|}~-]+ *(?:;[ -~]*)?")  # RFC 2045 §5.1
# RFC 2046 §5: these must not be in base64.
_COMPOSITE = ("multipart", "message")
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send along: that of a *path*, or *data* under a *filename*.

    *filename* and *content_type* are worked out from the path where they are not given. *charset* is that of a text's
    octets, else found out. With a *content_id*, HTML shows it as ``cid:…``.
    """

    path: "os.PathLike[str] | str | None" = None
    filename: str | None = None
    content_type: str | None = None
    data: bytes | None = field(default=None, repr=False, kw_only=True)
    charset: str | None = field(default=None, kw_only=True)
    content_id: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (self.path is None) == (self.data is None):
            raise TypeError("expected an attachment with either a path or data")

    def octets(self) -> bytes:
        """Return what it holds; raise ``Unsendable`` where its file cannot be read."""
        if self.data is not None:
            return bytes(self.data)
        try:
            return Path(self.path or "").read_bytes()
        except OSError as error:
            raise Unsendable(f"{self.path}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            # A path with NUL.
            raise Unsendable(f"{excerpt(self.path)}: cannot be read: {error}") from None


def file_name(attachment: Attachment) -> str:
    """Return the name that the recipient sees, without a path, whoever's system it is of; empty where there is none."""
    given = attachment.filename
    if given is None and attachment.path is not None:
        # The system's own path: a backslash may be part of a name.
        given = Path(attachment.path).name
    elif isinstance(given, str):
        given = PureWindowsPath(PurePosixPath(given).name).name
    elif given is None and attachment.content_id is not None:
        return ""
    # What is no UTF-8 on this machine cannot be told to another.
    name = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", given) if isinstance(given, str) else ""
    if not name or _UNSHOWABLE.search(name):
        raise Unsendable(f"{_place(attachment)}: expected a file name of printable characters, got {excerpt(given)}")
    return name


def content_type(attachment: Attachment, name: str) -> str:
    """Return the media type, as told or else by the *name*; what is mail in itself is a file like others."""
    kind = attachment.content_type
    if kind is None:
        from mimetypes import guess_type  # noqa: PLC0415 - reads the system's tables

        guessed, packed = guess_type(name)
        kind = guessed if guessed and not packed else "application/octet-stream"
    if not isinstance(kind, str) or not (words := _TYPE.fullmatch(kind)):
        raise Unsendable(f"{_place(attachment)}: expected a content type such as text/plain, got {excerpt(kind)}")
    return "application/octet-stream" if words[1].lower() in _COMPOSITE else kind


def _place(attachment: Attachment) -> str:
    return "attach" if attachment.path is None else str(attachment.path)
