"""What decoration mail needs for its recipients' carrier, all of it in one answer."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from ninsho.mail.charsets.charset import Charset
from ninsho.mail.composing.shapes import Shape
from ninsho.mail.decoration.carriers import Carrier, named_carrier, shared_carrier
from ninsho.mail.decoration.limits import LIMITS, Limits
from ninsho.mail.decoration.shapes import SHAPES
from ninsho.mail.emoji.charsets import carrier_charset
from ninsho.mail.emoji.mapping import GETA, Fallback, to_carrier, to_unicode, without_emoji
from ninsho.mail.emoji.octets import has_emoji

# What the carriers' handsets read along with emoji: docomo's not those of other charsets, au's no UTF-8, SoftBank's
# nothing but UTF-8.
_CHARSETS: Final = {
    Carrier.DOCOMO: "shift_jis",
    Carrier.AU: "iso-2022-jp",
    Carrier.SOFTBANK: "utf-8",
    Carrier.WILLCOM: "shift_jis",
    Carrier.EMOBILE: "shift_jis",
}
# The <pre> alone shows line ends; the space around them is none that anybody sees.
_PREFORMATTED: Final = re.compile(r"(<(pre|textarea)\b.*?</\2\s*>)", re.DOTALL | re.IGNORECASE)
_LINE_ENDS: Final = re.compile(r"[ \t]*[\r\n][ \t\r\n]*")
_IN_TAG: Final = re.compile(r"<[^<>]*>")


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

    def emoji(self, text: str) -> str:
        """Return *text* with emoji that the carrier's handsets show in this charset."""
        if self.charset is None:
            return text
        if has_emoji(self.carrier, self.charset):
            return to_carrier(text, self.carrier, fallback=self.fallback)
        # Unicode's own: docomo's and au's servers of today make theirs of it.
        return to_unicode(text) if self.charset.label == "utf-8" else without_emoji(text, fallback=self.fallback)

    def html(self, html: str) -> str:
        """Return *html* with such emoji, and in one line where old handsets would show line ends as spaces."""
        html = self.emoji(html)
        return without_line_ends(html) if self.strip_line_ends else html

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


def without_line_ends(html: str) -> str:
    """Return *html* in one line, but for ``<pre>``; a space stays where the line end was one between words."""
    pieces = _PREFORMATTED.split(html)
    # What was split off stands behind what is between: the text, the element, its name.
    return "".join(
        _in_one_line(piece) if number % 3 == 0 else piece for number, piece in enumerate(pieces) if number % 3 != 2
    ).strip()


def _in_one_line(html: str) -> str:
    html = _IN_TAG.sub(lambda found: _LINE_ENDS.sub(" ", found[0]), html)
    return _LINE_ENDS.sub(_what_was_meant, html)


def _what_was_meant(found: "re.Match[str]") -> str:
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    # Japanese has no spaces between words.
    is_spaced = before.isascii() and after.isascii() and (before, after) != (">", "<")
    return " " if before and after and is_spaced else ""
