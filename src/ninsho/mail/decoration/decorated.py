"""What decoration mail needs for its recipients' carrier, all of it in one answer."""

import html as entities
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ninsho.mail.charsets.charset import Charset
from ninsho.mail.charsets.encoding import encodable
from ninsho.mail.composing.shapes import Shape
from ninsho.mail.decoration.carriers import Carrier, named_carrier, shared_carrier
from ninsho.mail.decoration.limits import LIMITS, Limits
from ninsho.mail.decoration.shapes import SHAPES
from ninsho.mail.emoji.charsets import carrier_charset
from ninsho.mail.emoji.mapping import GETA, Fallback, to_carrier, to_unicode, without_emoji
from ninsho.mail.emoji.octets import has_emoji
from ninsho.mail.html.line_ends import without_line_ends

# What the carriers' handsets read along with emoji: docomo's not those of other charsets, au's no UTF-8, SoftBank's
# nothing but UTF-8.
_CHARSETS: Final = {
    Carrier.DOCOMO: "shift_jis",
    Carrier.AU: "iso-2022-jp",
    Carrier.SOFTBANK: "utf-8",
    Carrier.WILLCOM: "shift_jis",
    Carrier.EMOBILE: "shift_jis",
}
# Characters of HTML by their numbers; a digit in front may be that of a keycap.
_NUMBERED: Final = re.compile(r"([0-9#*]?)((?:&#(?:[0-9]{3,7}|x[0-9a-f]{2,6})(?:;|(?![0-9a-f])))++)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Decoration:
    """How a message must be for the handsets of ``carrier``; for ``PC`` it stays as it is.

    ``shape`` is its MIME tree and ``charset`` what header and texts are in; None leaves that to others. Texts pass
    through ``emoji``, the HTML through ``html``. Images within it have Content-IDs with one "@", which au demands.
    """

    carrier: Carrier
    shape: Shape
    charset: Charset | None
    strip_line_ends: bool
    limits: Limits
    fallback: Fallback = GETA

    def emoji(self, text: str, charset: Charset) -> str:
        """Return *text* with emoji that the carrier's handsets show in *charset*, in which it will be after all."""
        if self.charset is None:
            return text
        if has_emoji(self.carrier, charset):
            return to_carrier(text, self.carrier, fallback=self.fallback)
        # Unicode's own: docomo's and au's servers of today make theirs of it.
        return to_unicode(text) if charset.label == "utf-8" else without_emoji(text, fallback=self.fallback)

    def html(self, html: str, charset: Charset) -> str:
        """Return *html* with such emoji, and in one line where old handsets would show line ends as spaces."""
        html = _NUMBERED.sub(lambda found: self._numbered(found, charset), html)
        html = self.emoji(html, charset)
        return without_line_ends(html) if self.strip_line_ends else html

    def _numbered(self, found: "re.Match[str]", charset: Charset) -> str:
        """Return characters that are numbers as emoji; as they were where they are none, or more than that."""
        text = entities.unescape(found[2])
        shown = self.emoji(found[1] + text, charset)
        is_emoji = shown != found[1] + text and not any(map(str.isascii, text)) and encodable(shown, charset)
        return shown if is_emoji else found[0]

    def check(self, *, text: int, html: int, images: Sequence[int] = ()) -> None:
        """Raise ``Unsendable`` where the sizes in octets are more than the carrier delivers."""
        self.limits.check(self.carrier, text=text, html=html, images=images)


def decorated(
    addresses: Iterable[str],
    told: bool | str,  # noqa: FBT001 - it is a word of compose, passed on
    *,
    charset: str | Charset | None = None,
    fallback: Fallback = GETA,
) -> Decoration:
    """Return what a message to *addresses* needs, *told* the carrier's name, or that it follows from them, or not to.

    *charset* is what to write in instead of what the carrier's handsets take best; *fallback* stands for emoji that
    they have not. Raises ``Unsendable`` where several carriers would need several messages.
    """
    carrier = Carrier.PC if told is False else shared_carrier(addresses) if told is True else named_carrier(told)
    if carrier is Carrier.PC:
        return Decoration(carrier, SHAPES[carrier], None, strip_line_ends=False, limits=Limits())
    return Decoration(
        carrier,
        SHAPES[carrier],
        carrier_charset(carrier, charset or _CHARSETS[carrier]),
        strip_line_ends=True,
        limits=LIMITS.get(carrier, Limits()),
        fallback=fallback,
    )
