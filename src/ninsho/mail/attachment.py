"""A file to send along, as it is told: where it is, and what the recipient sees of it."""

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TypeAlias

from ninsho.mail.files import octets_of
from ninsho.mail.unsendable import Unsendable, excerpt

Data: TypeAlias = "bytes | bytearray | memoryview | str"

_TOKEN = r"[!#-'*+.0-9A-Z^-z{|}~-]++"  # noqa: S105 - RFC 2045 §5.1
_TYPE = re.compile(rf"({_TOKEN})/{_TOKEN}")
_PARAMETER = re.compile(
    rf"""[ \t]*+; [ \t]*+ (?P<written> ({_TOKEN}) = (?: {_TOKEN} | "(?:[ !#-\[\]-~]|\\[ -~])*+" ))""", re.VERBOSE
)
# RFC 2046 §5: these must not be in base64.
_COMPOSITE = ("multipart", "message")
_CONTENT_ID = re.compile(r"<?([!-;=?-~]{1,255})>?")
_NAME_LIMIT = 255  # characters, as file systems have them
_SURROGATE = re.compile("[\ud800-\udfff]")
# Also what turns the order of characters about, so that "gpj.exe" ends with "exe.jpg" (Unicode TR 36 §2.9).
_UNSHOWABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file to send along: that of a *path*, or *data* under a *filename*.

    *filename* and *content_type* are worked out from the path where they are not given. *charset* is that of a text's
    octets, else found out; *data* that is text is written in it, or in UTF-8. With a *content_id*, HTML shows it as
    ``cid:…``. Raises ``TypeError`` for what is neither a path nor data.
    """

    path: "os.PathLike[str] | str | None" = None
    filename: str | None = None
    content_type: str | None = None
    data: "Data | None" = field(default=None, repr=False, kw_only=True)
    charset: str | None = field(default=None, kw_only=True)
    content_id: str | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        if (self.path is None) == (self.data is None):
            raise TypeError("expected an attachment with either a path or data")
        if self.path is not None and not _is_path(self.path):
            raise TypeError(f"expected an attachment with the path of a file, got {type(self.path).__name__}")
        if self.data is not None and not isinstance(self.data, bytes | bytearray | memoryview | str):
            raise TypeError(f"expected an attachment with data of bytes or text, got {type(self.data).__name__}")

    def octets(self) -> bytes:
        """Return what it holds; raise ``Unsendable`` where its file cannot be read."""
        if self.data is None:
            return octets_of(self.path or "", "attach")
        if not isinstance(self.data, str):
            return bytes(self.data)
        from ninsho.mail.charsets.charset import charset  # noqa: PLC0415 - most are octets
        from ninsho.mail.charsets.encoding import encoded  # noqa: PLC0415

        place = place_of(self)
        return encoded(self.data, charset(self.told_charset or "", place=place), unencodable="error", place=place)[0]

    @property
    def told_charset(self) -> str | None:
        """The charset of its text, where that need not be found out."""
        return "utf-8" if self.charset is None and isinstance(self.data, str) else self.charset


def _is_path(path: object) -> bool:
    return isinstance(path, str) or (isinstance(path, os.PathLike) and isinstance(os.fspath(path), str))


def file_name(attachment: Attachment) -> str:
    """Return the name that the recipient sees, without a path, whoever's system it is of; empty where there is none."""
    given = attachment.filename
    if given is None and attachment.content_id is not None and attachment.path is None:
        return ""
    name = _last(attachment)
    if len(name) > _NAME_LIMIT:
        raise Unsendable(
            f"{place_of(attachment)}: expected a file name of at most {_NAME_LIMIT} characters, got {excerpt(name)}"
        )
    # What is no UTF-8 on this machine cannot be told to another.
    name = _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", name)
    if name in ("", ".", "..") or _UNSHOWABLE.search(name):
        shown = excerpt(name if given is None else given)
        raise Unsendable(f"{place_of(attachment)}: expected a file name of printable characters, got {shown}")
    return name


def _last(attachment: Attachment) -> str:
    given = attachment.filename
    if given is None and attachment.path is not None:
        # A backslash may be part of a name on this system; on another it would part folders.
        return Path(attachment.path).name.replace("\\", "_")
    return PureWindowsPath(PurePosixPath(given).name).name if isinstance(given, str) else ""


def content_type(attachment: Attachment, name: str) -> str:
    """Return the media type, as told or else by the *name*; what is mail in itself is a file like others."""
    kind = attachment.content_type
    if kind is None:
        from mimetypes import guess_type  # noqa: PLC0415 - reads the system's tables

        guessed, packed = guess_type(name)
        kind = guessed if guessed and not packed else "application/octet-stream"
    if not isinstance(kind, str) or not (words := _TYPE.match(kind)):
        raise _no_type(attachment)
    if words[1].lower() in _COMPOSITE:
        return "application/octet-stream"
    return "; ".join([words[0], *_parameters(kind[words.end() :], attachment)])


def _parameters(text: str, attachment: Attachment) -> Iterator[str]:
    """Give the parameters of a content type, but for the name: that is told once."""
    at = 0
    while found := _PARAMETER.match(text, at):
        at = found.end()
        if found[2].lower().partition("*")[0] != "name":
            yield found["written"]
    if text[at:].strip(" \t"):
        raise _no_type(attachment)


def _no_type(attachment: Attachment) -> Unsendable:
    got = excerpt(attachment.content_type)
    return Unsendable(f"{place_of(attachment)}: expected a content type such as text/plain, got {got}")


def content_id(attachment: Attachment) -> str:
    """Return what HTML names it by, without angle brackets (RFC 2392 §2); raise ``Unsendable`` where nothing could."""
    given = attachment.content_id
    if not isinstance(given, str) or not (found := _CONTENT_ID.fullmatch(given)):
        raise Unsendable(
            f"{place_of(attachment)}: expected a Content-ID such as logo@example.org, got {excerpt(given)}"
        )
    return found[1]


def distinct(images: Iterable[Attachment]) -> Iterator[Attachment]:
    """Give *images*; raise ``Unsendable`` where two have one Content-ID."""
    seen = set()
    for image in images:
        if (named := content_id(image)) in seen:
            raise Unsendable(f"attach: expected a Content-ID for each image, got {excerpt(named)} twice")
        seen.add(named)
        yield image


def place_of(attachment: Attachment) -> str:
    """Return what an error calls it."""
    return "attach" if attachment.path is None else f"attach: {attachment.path}"
