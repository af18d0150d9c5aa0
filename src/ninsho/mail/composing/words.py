"""The words of ``compose`` and ``send``: what a message says, in plain data."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypedDict

from ninsho.mail.charsets.charset import Charset
from ninsho.mail.charsets.encoding import Unencodable
from ninsho.mail.composing.bodies import Encoding
from ninsho.mail.composing.people import Mailboxes

if TYPE_CHECKING:
    import os
    from email.message import Message

    from ninsho.mail.attachment import Attachment, Data
    from ninsho.mail.wrapping import Wrapping

Priority: TypeAlias = Literal["high", "normal", "low"]
AutoSubmitted: TypeAlias = Literal["auto-generated", "auto-replied"]
Kana: TypeAlias = Literal["auto", "keep", "full"]
File: TypeAlias = "str | os.PathLike[str] | Attachment | tuple[str, bytes] | Message[Any, Any]"
Files: TypeAlias = "File | Mapping[str, Data] | Iterable[File]"


@dataclass(frozen=True, slots=True)
class Charsets:
    """One charset for the header, one for the texts, one for the names of files."""

    header: str | Charset = "utf-8"
    body: str | Charset = "utf-8"
    names: str | Charset = "utf-8"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """How a recipient leaves a list (RFC 2369); with an HTTPS *url* in one click (RFC 8058)."""

    url: str | None = None
    mailto: str | None = None


class Words(TypedDict, total=False):
    """All that may be said of a message; see ``docs/composing.md``."""

    from_: Mailboxes
    to: Mailboxes | None
    cc: Mailboxes | None
    bcc: Mailboxes | None
    reply_to: Mailboxes | None
    sender: Mailboxes | None
    subject: str | bytes | None
    text: str | bytes | None
    html: str | bytes | None
    attach: "Files | None"
    images: "os.PathLike[str] | str | None"
    inline_css: bool | None
    text_from_html: bool | None
    calendar: "str | bytes | os.PathLike[str] | None"
    priority: Priority | None
    unsubscribe: Unsubscribe | str | None
    auto_submitted: AutoSubmitted | None
    in_reply_to: "str | Message[Any, Any] | None"
    references: Iterable[str] | None
    message_id: str | None
    date: datetime | None
    headers: Mapping[str, str | Sequence[str]] | None
    charset: "str | Charset | Charsets | None"
    unencodable: Unencodable | None
    kana: Kana | None
    source_charset: str | None
    encoding: Encoding | None
    wrap: "int | Wrapping | None"
    flowed: bool | None
    decoration: bool | str | None
