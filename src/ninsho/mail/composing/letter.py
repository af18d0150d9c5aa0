"""A message as plain data, before it has parts and octets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self, get_args

from ninsho.mail.attachment import Attachment
from ninsho.mail.charsets.charset import UTF_8, Charset, charset
from ninsho.mail.charsets.encoding import Unencodable
from ninsho.mail.composing.attached import attached
from ninsho.mail.composing.bodies import Encoding
from ninsho.mail.composing.people import Mailboxes
from ninsho.mail.composing.words import AutoSubmitted, Charsets, Files, Kana, Priority, Unsubscribe
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    import os
    from email.message import Message

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
    subject: str | bytes = ""
    text: str | bytes | None = field(default=None, repr=False)
    html: str | bytes | None = field(default=None, repr=False)
    attach: "Files" = ()
    images: "os.PathLike[str] | str | None" = None
    inline_css: bool = False
    text_from_html: bool = True
    calendar: "str | bytes | os.PathLike[str] | None" = None
    priority: Priority | None = None
    unsubscribe: Unsubscribe | str | None = None
    auto_submitted: AutoSubmitted | None = None
    in_reply_to: "str | Message[Any, Any] | None" = None
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
            # An open file names nobody, nor files; it is refused in its place.
            if isinstance(given, Iterator) and not hasattr(given, "read"):
                object.__setattr__(self, name, list(given))
        if self.unencodable not in get_args(Unencodable):
            known = ", ".join(get_args(Unencodable))
            raise Unsendable(f"unencodable: expected one of {known}, got {self.unencodable!r}")

    @classmethod
    def told(cls, words: Mapping[str, Any]) -> Self:
        """Return what *words* say, of which None says nothing; raise ``TypeError`` for one that there is not."""
        known = cls.__dataclass_fields__
        for word in words:
            if word not in known:
                raise TypeError(f"compose() got an unexpected word {word!r}{_suggestion(word, known)}")
        if words.get("from_") is None:
            raise TypeError("compose() expected the word 'from_', got none")
        return cls(**{word: given for word, given in words.items() if given is not None})

    @property
    def charsets(self) -> tuple[Charset, Charset, Charset]:
        """Those of the header, the texts, and the names of files."""
        if isinstance(self.charset, Charsets):
            header, body, names = map(charset, (self.charset.header, self.charset.body, self.charset.names))
        else:
            header = body = names = charset(self.charset or UTF_8)
        return header.in_fields, body, names.in_fields

    @property
    def attachments(self) -> list[Attachment]:
        """The files to send along."""
        return attached(self.attach)

    def decoded(self, given: str | bytes, place: str) -> str:
        """Return a text that may have been given in octets."""
        if self.source_charset is not None:
            charset(self.source_charset, place="source_charset")
        if isinstance(given, bytes):
            from ninsho.mail.charsets.detection import decoded  # noqa: PLC0415 - most texts are text

            given = decoded(given, declared=self.source_charset)
        if not isinstance(given, str):
            raise TypeError(f"{place}: expected text, got {type(given).__name__}")
        return given.removeprefix("\ufeff")

    def folds_kana(self, used: Charset) -> bool:
        """Tell whether katakana become full-width in a charset: RFC 1468 knows no half-width ones."""
        if self.kana not in ("auto", "keep", "full"):
            raise Unsendable(f"kana: expected auto, keep or full, got {self.kana!r}")
        return self.kana == "full" or (self.kana == "auto" and used.label == "iso-2022-jp")


def _suggestion(word: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415 - for a mistake only

    found = get_close_matches(word, known, 1)
    return f" (did you mean {found[0]!r}?)" if found else ""
