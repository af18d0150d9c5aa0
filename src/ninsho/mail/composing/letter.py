"""A message as plain data, before it has parts and octets."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from ninsho.mail.attachment import Attachment
from ninsho.mail.charsets.charset import UTF_8, Charset, charset
from ninsho.mail.charsets.encoding import Unencodable
from ninsho.mail.charsets.kana import full_width
from ninsho.mail.composing.bodies import Encoding
from ninsho.mail.composing.people import Mailboxes
from ninsho.mail.composing.words import AutoSubmitted, Charsets, File, Kana, Priority, Unsubscribe
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from ninsho.mail.wrapping import Wrapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """The words of ``compose``, and what goes without saying."""

    from_: Mailboxes
    to: Mailboxes = ()
    cc: Mailboxes = ()
    bcc: Mailboxes = ()
    reply_to: Mailboxes = ()
    sender: Mailboxes | None = None
    subject: str = ""
    text: str | bytes | None = field(default=None, repr=False)
    html: str | bytes | None = field(default=None, repr=False)
    attach: "File | Iterable[File]" = ()
    images: "os.PathLike[str] | str | None" = None
    inline_css: bool = False
    text_from_html: bool = True
    calendar: "str | bytes | os.PathLike[str] | None" = None
    priority: Priority | None = None
    unsubscribe: Unsubscribe | str | None = None
    auto_submitted: AutoSubmitted | None = None
    in_reply_to: str | None = None
    references: Iterable[str] = ()
    message_id: str | None = None
    date: datetime | None = None
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    charset: str | Charset | Charsets | None = None
    unencodable: Unencodable = "error"
    kana: Kana = "auto"
    source_charset: str | None = None
    encoding: Encoding = "auto"
    wrap: "int | Wrapping | None" = None
    flowed: bool = False
    decoration: bool | str = False

    def __post_init__(self) -> None:
        # Asked for several times: what can be gone through once would be empty then.
        for name in ("to", "cc", "bcc", "reply_to", "from_", "sender", "attach", "references"):
            given = getattr(self, name)
            if isinstance(given, Iterator):
                object.__setattr__(self, name, list(given))

    @property
    def charsets(self) -> tuple[Charset, Charset, Charset]:
        """Those of the header, the texts, and the names of files."""
        if isinstance(self.charset, Charsets):
            return charset(self.charset.header), charset(self.charset.body), charset(self.charset.names)
        told = charset(self.charset or UTF_8)
        return told, told, told

    @property
    def attachments(self) -> list[Attachment]:
        """The files to send along."""
        given = [self.attach] if isinstance(self.attach, str | os.PathLike | Attachment) else list(self.attach)
        return [one if isinstance(one, Attachment) else Attachment(one) for one in given]

    def decoded(self, given: str | bytes, place: str) -> str:
        """Return a text that may have been given in octets."""
        if isinstance(given, bytes):
            from ninsho.mail.charsets.detection import decoded  # noqa: PLC0415 - most texts are text

            given = decoded(given, declared=self.source_charset)
        if not isinstance(given, str):
            raise TypeError(f"{place}: expected text, got {type(given).__name__}")
        return given.removeprefix("\ufeff")

    def in_kana(self, text: str, used: Charset) -> str:
        """Return *text* with the katakana that its charset stands for."""
        return full_width(text) if self.folds_kana(used) else text

    def folds_kana(self, used: Charset) -> bool:
        """Tell whether katakana become full-width in a charset: RFC 1468 knows no half-width ones."""
        if self.kana not in ("auto", "keep", "full"):
            raise Unsendable(f"kana: expected auto, keep or full, got {self.kana!r}")
        return self.kana == "full" or (self.kana == "auto" and used.label == "iso-2022-jp")
