"""For whom a message is written: for everybody, or for the handsets of one of Japan's carriers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.encoding import CannotEncode, Unencodable, settled
from ninsho.mail.charsets.kana import full_width
from ninsho.mail.composing.letter import Letter
from ninsho.mail.composing.people import address_list, addresses_in
from ninsho.mail.composing.shapes import USUAL, Shape
from ninsho.mail.composing.words import Charsets


class Manner(Protocol):
    """What a message must be like; ``charset`` is None where nothing is wanted of it."""

    @property
    def shape(self) -> Shape:
        """The MIME tree."""

    @property
    def charset(self) -> Charset | None:
        """What header and texts are in."""

    def emoji(self, text: str, charset: Charset) -> str:
        """Return *text* with the emoji that can be shown in *charset*."""

    def html(self, html: str, charset: Charset) -> str:
        """Return *html* as it can be shown in *charset*."""

    def check(self, *, text: int, html: int, images: Sequence[int] = ()) -> None:
        """Raise ``Unsendable`` where the sizes in octets are too much."""


class Plain:
    """For everybody."""

    shape: Shape = USUAL
    charset: Charset | None = None

    def emoji(self, text: str, charset: Charset) -> str:  # noqa: ARG002 - as others
        """Change nothing."""
        return text

    def html(self, html: str, charset: Charset) -> str:  # noqa: ARG002
        """Change nothing."""
        return html

    def check(self, *, text: int, html: int, images: Sequence[int] = ()) -> None:
        """Allow everything."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What becomes of words and texts before they are written in *charset*, or in UTF-8 where that lacks some."""

    manner: Manner
    charset: Charset
    unencodable: Unencodable
    full_kana: bool

    def __call__(self, text: str) -> str:
        """Return *text* as it is written."""
        return self._spelt(text, self.manner.emoji)

    def html(self, html: str) -> str:
        """Return *html* as it is written."""
        return self._spelt(html, self.manner.html)

    def _spelt(self, text: str, spell: Callable[[str, Charset], str]) -> str:
        text = full_width(text) if self.full_kana else text
        spelt = spell(text, self.charset)
        # UTF-8 has emoji of its own.
        return spell(text, UTF_8) if self._falls_back(spelt) else spelt

    def _falls_back(self, text: str) -> bool:
        if self.unencodable != "utf-8":
            return False
        try:
            return settled(text, self.charset, unencodable=self.unencodable, place="")[1] is not self.charset
        except CannotEncode:
            # Whoever writes it says so, and where it stands.
            return False


def manner(letter: Letter) -> Manner:
    """Return how *letter* wants to be written; raise ``Unsendable`` where its recipients want it in several ways."""
    if not letter.decoration:
        return Plain()
    from ninsho.mail.decoration.decorated import decorated  # noqa: PLC0415 - it reads tables of emoji

    named = ((letter.to, "to"), (letter.cc, "cc"), (letter.bcc, "bcc"))
    addresses = [one for given, place in named if given for one in addresses_in(address_list(given, place), place)]
    told = letter.charset.body if isinstance(letter.charset, Charsets) else letter.charset
    return decorated(addresses, letter.decoration, charset=told)
