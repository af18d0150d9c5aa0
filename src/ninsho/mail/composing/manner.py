"""For whom a message is written: for everybody, or for the handsets of one of Japan's carriers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ninsho.mail.charsets.charset import Charset
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

    def emoji(self, text: str) -> str:
        """Return *text* with the emoji that can be shown."""

    def html(self, html: str) -> str:
        """Return *html* as it can be shown."""

    def check(self, *, text: int, html: int, images: Sequence[int] = ()) -> None:
        """Raise ``Unsendable`` where the sizes in octets are too much."""


class Plain:
    """For everybody."""

    shape: Shape = USUAL
    charset: Charset | None = None

    def emoji(self, text: str) -> str:
        """Change nothing."""
        return text

    def html(self, html: str) -> str:
        """Change nothing."""
        return html

    def check(self, *, text: int, html: int, images: Sequence[int] = ()) -> None:
        """Allow everything."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """What becomes of words in the header before they are encoded."""

    manner: Manner
    full_kana: bool

    def __call__(self, text: str) -> str:
        """Return *text* as it is written."""
        text = self.manner.emoji(text)
        return full_width(text) if self.full_kana else text


def manner(letter: Letter) -> Manner:
    """Return how *letter* wants to be written; raise ``Unsendable`` where its recipients want it in several ways."""
    if not letter.decoration:
        return Plain()
    from ninsho.mail.decoration.decorated import decorated  # noqa: PLC0415 - it reads tables of emoji

    named = ((letter.to, "to"), (letter.cc, "cc"), (letter.bcc, "bcc"))
    addresses = [one for given, place in named if given for one in addresses_in(address_list(given, place), place)]
    told = letter.charset.body if isinstance(letter.charset, Charsets) else letter.charset
    return decorated(addresses, letter.decoration, charset=told)
