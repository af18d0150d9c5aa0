"""From the values of a row to its message: by the pre-rendered template where that goes, composed in full where not."""

import re
from collections.abc import Callable, Sequence
from email.utils import parsedate_to_datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from ninsho.mail.charsets.charset import Charset
from ninsho.mail.charsets.encoding import encodable
from ninsho.mail.composing.compose import compose
from ninsho.mail.composing.letter import Letter
from ninsho.mail.composing.render import render
from ninsho.mail.content import Content
from ninsho.mail.material import Material, from_octets
from ninsho.mail.merging.filling import Values
from ninsho.mail.merging.header_slots import (
    FieldWriter,
    MailboxesField,
    MailboxField,
    UnsubscribeFields,
    nothing,
    verbatim,
)
from ninsho.mail.merging.limits import NeedsComposing
from ninsho.mail.merging.mailboxes import MailboxFilling
from ninsho.mail.merging.rendered import Marks, Rendered, Slot, Treatment, rendered
from ninsho.mail.merging.wording import Wording
from ninsho.mail.policy import Written
from ninsho.mail.sources import taken
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import Unsendable
from ninsho.mail.wrapping import Wrapping, wrapped

if TYPE_CHECKING:
    from ninsho.mail.signing.signer import Signer

_FIELDS: Final = {"from_": "From", "sender": "Sender", "reply_to": "Reply-To", "to": "To", "cc": "Cc"}
# An image that is a value may be a file, or be within the URL itself: then it becomes a part.
_IMAGE = re.compile(
    r"""(?:\bsrc|\bbackground|\bsrcset|\burl)\s*[=(]\s*["']?(?!https?:|cid:)[^"'\s>)]*\Z""", re.IGNORECASE
)
# A letter that makes of a part one that is not ASCII: the first that its charset has.
_WIDE: Final = "あéя"


class Mold:
    """A message's wording, rendered; the last two values of a row are its Message-ID and its Date."""

    def __init__(self, wording: Wording, sign: "Sequence[Signer]") -> None:
        self._wording = wording
        self._sign = sign
        self._count = len(wording.expressions)
        self._letter = Letter.told(wording.filled(self._marks().texts, marked=True))
        self._plain = None if self._is_beyond() else self._rendered(self._marks())
        self._wide: Rendered | None = None
        self._has_wide = False

    def material(self, values: Values, terms: Terms) -> Material:
        """Return what the message of a row comes to; raise ``Unsendable``."""
        whole = self._plain
        if whole is not None and whole.narrow and not "".join(values).isascii():
            whole = self._for_more()
        if whole is not None:
            try:
                return self._as_material(whole.content(values), whole, values, terms)
            except NeedsComposing:
                pass
        return self._composed(values, terms)

    def _for_more(self) -> Rendered | None:
        """Return the template whose parts are made for more than ASCII; None where that cannot be."""
        if not self._has_wide:
            self._wide, self._has_wide = self._made_wide(), True
        return self._wide

    def _as_material(self, content: Content, whole: Rendered, values: Values, terms: Terms) -> Material:
        if self._sign or not whole.trusted:
            return from_octets(self._signed(b"".join(content.plain())), terms)
        # Nothing else is asked of its header: the envelope is told.
        return Material(b"", content, message_id=values[self._count])

    def _signed(self, octets: bytes) -> bytes:
        if not self._sign:
            return octets
        from ninsho.mail.signing.signer import signed  # noqa: PLC0415 - only where something is signed

        return signed(octets, self._sign)

    def _composed(self, values: Values, terms: Terms) -> Material:
        """Compose the message of a row in full."""
        words = self._wording.filled(values[: self._count])
        words["message_id"], words["date"] = values[self._count], parsedate_to_datetime(values[self._count + 1])
        message = compose(**words)
        return from_octets(render(message, sign=self._sign), terms) if self._sign else taken(message, terms)

    def _marks(self, wide: str = "") -> Marks:
        return Marks(self._count, wide)

    def _made_wide(self) -> Rendered | None:
        body = self._letter.charsets[1]
        wide = next((letter for letter in _WIDE if encodable(letter, body)), "")
        try:
            return self._rendered(self._marks(wide)) if wide else None
        except Unsendable:
            # A row will say why.
            return None

    def _rendered(self, marks: Marks) -> Rendered | None:
        words = self._wording.filled(marks.texts, marked=True)
        # What is wrapped is the text with its values.
        words["wrap"] = None
        writer = self._writer()
        treatment = Treatment(
            slots=self._slots(writer),
            writer=writer,
            kana=self._folds(self._letter.charsets[1]),
            derived=self._letter.text is None,
            finish=self._finish(),
        )
        try:
            return rendered(compose(**words), marks, treatment)
        except NeedsComposing:
            return None

    def _is_beyond(self) -> bool:
        """Tell whether something is asked for that takes the whole text of each row."""
        letter, html = self._letter, self._wording.texts.get("html")
        if letter.flowed or letter.decoration or self._wording.files_change:
            return True
        if html is None or not html.places:
            return False
        # Of HTML that is one value nothing is known: neither its styles, nor its images, nor its text.
        texts = "".join(piece for piece in html.pieces if isinstance(piece, str))
        return not texts.strip() or any(map(_IMAGE.search, _before_values(html.pieces)))

    def _finish(self) -> Callable[[str], str] | None:
        wrap = self._letter.wrap
        if wrap is None:
            return None
        wrapping = wrap if isinstance(wrap, Wrapping) else Wrapping(width=wrap)
        return lambda text: wrapped(text, wrapping)

    def _folds(self, used: Charset) -> bool:
        return self._letter.folds_kana(used)

    def _writer(self) -> FieldWriter:
        header = self._letter.charsets[0]
        policy = Written.told(header, self._letter.unencodable)
        return FieldWriter(policy, self._wording.names, kana=self._folds(header))

    def _slots(self, writer: FieldWriter) -> dict[str, Slot]:
        """Return what writes the fields that have a value of their own."""
        slots: dict[str, Slot] = {
            _FIELDS[place].lower(): _people(_FIELDS[place], fillings, writer)
            for place, fillings in self._wording.changing().items()
            if place in _FIELDS
        }
        slots["message-id"] = verbatim("Message-ID", self._count)
        slots["date"] = verbatim("Date", self._count + 1)
        if self._wording.leaves_anyhow:
            slots["list-unsubscribe"] = UnsubscribeFields(writer, *self._wording.unsubscribe)
            slots["list-unsubscribe-post"] = nothing
        return slots


def _before_values(pieces: Sequence[str | int]) -> list[str]:
    """Return the texts behind each of which a value stands."""
    return [piece for piece, value in pairwise(pieces) if isinstance(piece, str) and isinstance(value, int)]


def _people(name: str, fillings: Sequence[MailboxFilling], writer: FieldWriter) -> Slot:
    if len(fillings) == 1:
        return MailboxField(name, fillings[0], writer)
    return MailboxesField(name, fillings, writer)
