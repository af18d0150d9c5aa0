"""``compose``: a message from words."""

import os
import re
from email.message import EmailMessage
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, cast

from ninsho.mail.attachment import Attachment, distinct
from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.encoding import settled
from ninsho.mail.composing.header import header_fields, try_field, word_of
from ninsho.mail.composing.letter import Letter
from ninsho.mail.composing.manner import Spelling, manner
from ninsho.mail.composing.parts import file_part, multipart, text_part
from ninsho.mail.composing.shapes import USUAL, Leaf, Place, Shape
from ninsho.mail.files import octets_of
from ninsho.mail.parameters import parameter
from ninsho.mail.policy import Written
from ninsho.mail.unsendable import Unsendable, excerpt

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.mail.composing.words import Words

_METHOD = re.compile(r"^METHOD:([A-Z-]+)\s*$", re.MULTILINE | re.IGNORECASE)


def compose(**words: "Unpack[Words]") -> EmailMessage:
    """Return a message, complete with Date and Message-ID, that writes itself in the charsets it was told.

    *from_* alone must be given. *text* and *html* are str, or bytes whose charset is found out; where html alone is
    given, a text is made from it. *attach* are files, by their paths, or ``Attachment``. With a folder in *images*,
    files that the HTML shows are found there and sent along; nothing else is ever read. Raises ``TypeError`` for an
    unknown word, ``Unsendable`` for what cannot stand in a message, and says where.
    """
    return _Composition(Letter.told(words)).message()


class _Composition:
    """One message in the making."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._manner = manner(letter)
        wanted = self._manner.charset
        charsets = letter.charsets if wanted is None else (wanted, wanted, wanted)
        self._header_charset, self._body_charset, self._name_charset = charsets
        self._spelling = self._spelling_in(self._body_charset)
        in_header = self._spelling_in(self._header_charset)
        self._policy = Written.told(self._header_charset, letter.unencodable, in_header)
        self._leaves: dict[Leaf, list[EmailMessage]] = {}

    def _spelling_in(self, used: Charset) -> Spelling:
        letter = self._letter
        return Spelling(self._manner, used, letter.unencodable, full_kana=letter.folds_kana(used))

    def message(self) -> EmailMessage:
        """Put it together; characters that a charset lacks are found now, not when it is written."""
        self._fill()
        # Its payload stays where it is: asked for, octets of eight bits would come as text.
        message = self._built(self._shape()) or self._text("", "text", "plain")
        described = list(message.raw_items())
        for name, _ in described:
            del message[name]
        for name, value in header_fields(self._letter):
            try_field(self._policy, name, value, word_of(name))
            message[name] = value
        message["MIME-Version"] = "1.0"
        for name, value in described:
            message.set_raw(name, value)
        return message

    def _shape(self) -> Shape:
        # A text alone is what every handset reads.
        if not self._leaves.get(Leaf.HTML):
            return USUAL
        self._manner.check(
            text=sum(self._sizes(Leaf.TEXT)), html=sum(self._sizes(Leaf.HTML)), images=self._sizes(Leaf.IMAGES)
        )
        return self._manner.shape

    def _sizes(self, leaf: Leaf) -> list[int]:
        return [len(cast("bytes", part.get_payload(decode=True))) for part in self._leaves.get(leaf, [])]

    def _fill(self) -> None:
        letter = self._letter
        files = letter.attachments
        html, shown = self._html()
        if letter.text is not None:
            self._leaves[Leaf.TEXT] = [self._plain(letter.decoded(letter.text, "text"))]
        elif html is not None and letter.text_from_html:
            from ninsho.mail.html.text import text_of  # noqa: PLC0415 - brings a parser along

            self._leaves[Leaf.TEXT] = [self._plain(text_of(html))]
        if html is not None:
            self._leaves[Leaf.HTML] = [self._text(self._spelling.html(html), "html", "html")]
            # What has a Content-ID is shown within the HTML, and no file for itself.
            shown += [file for file in files if file.content_id is not None]
            files = [file for file in files if file.content_id is None]
        if letter.calendar is not None:
            self._leaves[Leaf.CALENDAR] = [self._invitation(letter.calendar)]
        self._leaves[Leaf.IMAGES] = [self._file(file, inline=True) for file in distinct(shown)]
        self._leaves[Leaf.FILES] = [self._file(file, inline=False) for file in files]

    def _html(self) -> tuple[str | None, list[Attachment]]:
        """Return the HTML, styles and images taken care of, and these images."""
        letter = self._letter
        if letter.html is None:
            return None, []
        html = letter.decoded(letter.html, "html")
        if letter.inline_css:
            from ninsho.mail.html.style import css_inlined  # noqa: PLC0415

            html = css_inlined(html)
        from ninsho.mail.html.images import with_inline_images  # noqa: PLC0415

        html, images = with_inline_images(html, None if letter.images is None else Path(letter.images))
        return html, [
            Attachment(data=image.data, filename=image.filename, content_type=image.content_type, content_id=image.cid)
            for image in images
        ]

    def _plain(self, text: str) -> EmailMessage:
        # What is told of it is said of the text as it was given; lines are broken as wide as they will be.
        text, _ = settled(self._spelling(text), self._body_charset, unencodable=self._letter.unencodable, place="text")
        text, parameters = self._broken(text)
        return self._text(text, "text", "plain", *parameters)

    def _broken(self, text: str) -> tuple[str, tuple[str, ...]]:
        """Return a text in lines, and the parameters of its type that say so; lines that flow are never broken hard."""
        wrap, flows = self._letter.wrap, self._letter.flowed
        if wrap is None and not flows:
            return text, ()
        from ninsho.mail.flowed import flowed  # noqa: PLC0415
        from ninsho.mail.wrapping import Wrapping, wrapped  # noqa: PLC0415

        wrapping = wrap if isinstance(wrap, Wrapping) else Wrapping() if wrap is None else Wrapping(width=wrap)
        if not flows:
            return wrapped(text, wrapping), ()
        flow = flowed(text, width=wrapping.width)
        return flow.text, flow.parameters

    def _text(self, text: str, place: str, subtype: str, *parameters: str) -> EmailMessage:
        letter = self._letter
        return text_part(
            text,
            subtype,
            charset=self._body_charset,
            unencodable=letter.unencodable,
            encoding=letter.encoding,
            place=place,
            parameters=parameters,
            policy=self._policy,
        )

    def _invitation(self, given: "str | bytes | os.PathLike[str]") -> EmailMessage:
        """Return the part of a calendar's event, its method in the type as well (RFC 6047 §2.4)."""
        octets = octets_of(given, "calendar") if isinstance(given, os.PathLike) else given
        text = _in_utf8(octets, "calendar") if isinstance(octets, bytes) else octets
        if not isinstance(text, str):
            raise TypeError(f"calendar: expected text, octets or a Path, got {type(given).__name__}")
        method = _METHOD.search(text)
        if not method:
            raise Unsendable(f"calendar: expected an event with a line such as METHOD:REQUEST, got {excerpt(text)}")
        return text_part(
            text,
            "calendar",
            charset=UTF_8,
            unencodable="error",
            encoding="auto",
            place="calendar",
            parameters=[parameter("method", method[1].upper())],
            policy=self._policy,
        )

    def _file(self, file: Attachment, *, inline: bool) -> EmailMessage:
        return file_part(file, names=self._name_charset, inline=inline, policy=self._policy)

    def _built(self, place: Place) -> EmailMessage | None:
        """Return what stands at *place*; None where nothing does."""
        parts = self._parts(place)
        if isinstance(place, Leaf) or (len(parts) < 2 and not (place.always and parts)):
            return parts[0] if parts else None
        # Neither base64 nor quoted-printable has "=_", and no text can know the rest.
        return multipart(place.subtype, parts, f"=_{token_hex(16)}", policy=self._policy)

    def _parts(self, place: Place) -> list[EmailMessage]:
        if isinstance(place, Leaf):
            return self._leaves.get(place, [])
        each = ([self._built(child)] if isinstance(child, Shape) else self._parts(child) for child in place.children)
        return [part for some in each for part in some if part is not None]


def _in_utf8(octets: bytes, place: str) -> str:
    try:
        # RFC 5545 §3.1.4: that alone, whatever the other parts are in.
        return octets.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unsendable(f"{place}: expected UTF-8, got {excerpt(octets[error.start : error.end])}") from None
