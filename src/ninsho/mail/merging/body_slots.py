"""Text parts with values, encoded per message as far as the values reach: all else was encoded once."""

import re
from binascii import b2a_qp
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Final, Protocol

from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.charsets.kana import full_width
from ninsho.mail.content import base64_lines, crlf, has_long_line
from ninsho.mail.merging.filling import Numbered, Values
from ninsho.mail.merging.limits import NeedsComposing
from ninsho.mail.merging.values import Raw

LINE: Final = 57  # octets, which become the 76 characters of a line (RFC 2045 §6.8)
LONG: Final = 4 * LINE  # octets that are worth being encoded beforehand
SHORT: Final = 900  # octets that are one line at most, whatever stands in front

_HALF_WIDTH = re.compile("[\uff61-\uff9f]")
# Voiced marks: what they belong to may stand in front of the place.
_JOINING = ("\uff9e", "\uff9f")
# What mailboxes would change, or lose (RFC 2049 §3); composed in full it is encoded.
_FRAGILE = re.compile(rb"^From |[ \t](?:\r\n|\Z)|\0", re.MULTILINE)


class Body(Protocol):
    """Makes the octets of a part from the values of a row."""

    def __call__(self, values: Values) -> bytes:
        """Return the octets; raise ``NeedsComposing``."""
        ...


class Words:
    """Values as a part has them: escaped in HTML, in lines of LF, in the kana and the charset of the part."""

    __slots__ = ("_derived", "_encode", "_html", "_kana", "charset", "easy")

    def __init__(self, charset: Charset, *, html: bool, kana: bool, derived: bool) -> None:
        self.charset = charset
        # Without the charset's own method in between: 0.3 µs.
        self._encode: Callable[[str], bytes] = str.encode if charset == UTF_8 else charset.encode
        self._html, self._kana, self._derived = html, kana, derived
        # What letters and digits need nothing done to.
        self.easy = not kana

    def text(self, value: str) -> str:
        """Return a value as text."""
        if self.easy and value.isalnum():
            return value
        if isinstance(value, Raw):
            # Text that was made of the HTML has the value as text.
            if self._derived:
                raise NeedsComposing
        elif self._html:
            value = escape(value)
        elif self._derived:
            # In HTML, white space is a space.
            value = " ".join(value.split())
        if "\r" in value:
            value = value.replace("\r\n", "\n").replace("\r", "\n")
        return self._in_kana(value) if self._kana else value

    def _in_kana(self, value: str) -> str:
        if not _HALF_WIDTH.search(value):
            return value
        if value.startswith(_JOINING):
            raise NeedsComposing
        return full_width(value)

    def octets(self, text: str) -> bytes:
        """Return text in the charset."""
        return _encoded(self._encode, text.replace("\n", "\r\n") if "\n" in text else text)


def _encoded(encode: Callable[[str], bytes], text: str) -> bytes:
    try:
        return encode(text)
    except UnicodeEncodeError as error:
        # What happens to such characters is said to compose().
        raise NeedsComposing from error


class Fixed:
    """Octets in base64 for wherever in a line they begin: each of the 57 ways is encoded when it is first wanted."""

    __slots__ = ("_octets", "_ways")

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._ways: dict[int, tuple[bytes, bytes, bytes]] = {}

    def at(self, room: int) -> tuple[bytes, bytes, bytes]:
        """Return what fills the *room* of the line before, whole lines in base64, and what begins the next line."""
        if (way := self._ways.get(room)) is None:
            octets = self._octets
            end = len(octets) - (len(octets) - room) % LINE
            way = self._ways[room] = octets[:room], base64_lines(octets[room:end]), octets[end:]
        return way


class Base64Body:
    """Text in base64."""

    __slots__ = ("_begin", "_carry", "_rest", "_words")

    def __init__(self, pieces: Numbered, words: Words) -> None:
        self._words = words
        texts, places = _alternating(pieces)
        begin = words.octets(texts[0])
        end = len(begin) - len(begin) % LINE
        self._begin = [base64_lines(begin[:end])] if end else []
        self._carry = begin[end:]
        behind = [words.octets(text) for text in texts[1:]]
        self._rest = [
            (at, octets, Fixed(octets) if len(octets) >= LONG else None)
            for at, octets in zip(places, behind, strict=True)
        ]

    def __call__(self, values: Values) -> bytes:
        """Return the octets; raise ``NeedsComposing``."""
        words, out, pending = self._words, self._begin.copy(), [self._carry]
        for at, octets, fixed in self._rest:
            pending.append(words.octets(words.text(values[at])))
            if fixed is None:
                pending.append(octets)
                continue
            held = b"".join(pending)
            filling, lines, rest = fixed.at(-len(held) % LINE)
            if held:
                out.append(base64_lines(held + filling))
            out.append(lines)
            pending = [rest]
        if held := b"".join(pending):
            out.append(base64_lines(held))
        # The last line has an end as well.
        return b"\r\n".join((*out, b""))


class LinesBody:
    """Text whose lines are encoded each for itself: quoted-printable, or as it is."""

    __slots__ = ("_encode", "_segments", "_words")

    def __init__(self, pieces: Numbered, words: Words, encode: Callable[[bytes], bytes]) -> None:
        self._words, self._encode = words, encode
        self._segments: list[bytes | Sequence[str | int]] = []
        for line, fixed in _runs(pieces):
            self._segments.append(encode(words.octets("".join(map(str, line)))) if fixed else line)

    def __call__(self, values: Values) -> bytes:
        """Return the octets; raise ``NeedsComposing``."""
        words, out = self._words, []
        for segment in self._segments:
            if isinstance(segment, bytes):
                out.append(segment)
                continue
            text = "".join([piece if isinstance(piece, str) else words.text(values[piece]) for piece in segment])
            out.append(self._encode(words.octets(text)))
        return b"".join(out)


class WholeBody:
    """Text on which something is done as a whole, such as wrapping, once its values are known."""

    __slots__ = ("_encode", "_finish", "_pieces", "_words")

    def __init__(
        self, pieces: Numbered, words: Words, finish: Callable[[str], str], encode: Callable[[bytes], bytes]
    ) -> None:
        self._pieces, self._words, self._finish, self._encode = pieces, words, finish, encode

    def __call__(self, values: Values) -> bytes:
        """Return the octets; raise ``NeedsComposing``."""
        words = self._words
        text = self._finish(
            "".join([piece if isinstance(piece, str) else words.text(values[piece]) for piece in self._pieces])
        )
        return self._encode(words.octets(text))


def body(pieces: Numbered, words: Words, encoding: str, finish: Callable[[str], str] | None = None) -> Body | None:
    """Return what makes a part in a transfer encoding; None where nothing here does."""
    encode = _ENCODERS.get(encoding)
    if encode is None:
        return None
    if encoding == "7bit" and words.charset.stateful:
        encode = _seven_bit
    if finish is not None:
        return WholeBody(pieces, words, finish, encode)
    return Base64Body(pieces, words) if encoding == "base64" else LinesBody(pieces, words, encode)


def _seven_bit(octets: bytes) -> bytes:
    _refuse_unfit(octets)
    return octets


def _ascii(octets: bytes) -> bytes:
    if not octets.isascii():
        raise NeedsComposing
    _refuse_unfit(octets)
    if _FRAGILE.search(octets):
        raise NeedsComposing
    return octets


def _eight_bit(octets: bytes) -> bytes:
    _refuse_unfit(octets)
    return octets


def _refuse_unfit(octets: bytes) -> None:
    if b"\0" in octets or (len(octets) > SHORT and has_long_line(octets)):
        raise NeedsComposing


def _quoted_printable(octets: bytes) -> bytes:
    return crlf(b2a_qp(octets, istext=True))


def _base64_body(octets: bytes) -> bytes:
    return base64_lines(octets) + b"\r\n" * bool(octets)


_ENCODERS: Final = {
    "base64": _base64_body,
    "quoted-printable": _quoted_printable,
    "7bit": _ascii,
    "8bit": _eight_bit,
}


def _alternating(pieces: Numbered) -> tuple[list[str], list[int]]:
    """Return the texts before, between and behind the places, and these."""
    texts, places = [""], []
    for piece in pieces:
        if isinstance(piece, str):
            texts[-1] += piece
        else:
            places.append(piece)
            texts.append("")
    return texts, places


def _runs(pieces: Numbered) -> Iterator[tuple[list[str | int], bool]]:
    """Give lines that are only text, and lines with places, as many as follow each other; and which of both it is."""
    held: list[str | int] = []
    has_place = False
    for piece in pieces:
        if isinstance(piece, int):
            held.append(piece)
            has_place = True
            continue
        first, end, rest = piece.partition("\n")
        held.append(first + end)
        if not end:
            continue
        if has_place:
            yield held, False
            held, has_place = [], False
        else:
            rest, held = "".join(map(str, held)) + rest, []
        lines, end, last = rest.rpartition("\n")
        if lines or end:
            yield [lines + end], True
        held = [last] if last else []
    if held:
        yield held, not has_place
