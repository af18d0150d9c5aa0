"""Header fields with values, written per message: the common ones at once, the others by the writer of all fields."""

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Final

from ninsho.mail.charsets.charset import ISO_2022_JP, UTF_8
from ninsho.mail.charsets.kana import full_width
from ninsho.mail.composing.header import unsubscribe_fields
from ninsho.mail.composing.people import address_list
from ninsho.mail.composing.words import Unsubscribe
from ninsho.mail.content import has_long_line
from ninsho.mail.merging.filling import Filling, Values
from ninsho.mail.merging.limits import NeedsComposing
from ninsho.mail.merging.mailboxes import MailboxFilling
from ninsho.mail.policy import Written
from ninsho.mail.unsendable import Unsendable

_LINE: Final = 76  # octets of a line with an encoded word, which has one fewer (RFC 2047 §2)
_USEFUL: Final = 36  # octets: where less is left of the first line, others decide
_UTF8_FRAME: Final = len("=?utf-8?B??=")
_UTF8_FURTHER: Final = (75 - _UTF8_FRAME) // 4 * 3  # octets of text
_JIS_FRAME: Final = len("=?iso-2022-jp?B??=")
_SHIFTS: Final = 6  # octets that lead to kanji and back
_JIS_FURTHER: Final = (75 - _JIS_FRAME) // 4 * 3
_PLAIN_LINE: Final = 78  # RFC 5322 §2.1.1

# Characters of which none joins the one before it, and which base64 writes shorter than quoted-printable does.
_KANJI = "\u3001-\u3029\u3030-\u3096\u309b-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uff01-\uff5d"
_quick = re.compile(rf"[ -~\u0400-\u0482\u048a-\u04ff\u3000{_KANJI}\uac00-\ud7a3\uff5e-\uff9d]+").fullmatch
# Those that ISO-2022-JP may have.
_jis = re.compile(rf"[ -~\u3000{_KANJI}]+").fullmatch
_odd = re.compile(r"[^ ]*[^ -~](?:.*[^ -~])?[^ ]*").search
# Names of these need neither quotes nor encoding.
_atoms = re.compile(r"[A-Za-z0-9'-]+(?: [A-Za-z0-9'-]+)*").fullmatch


class FieldWriter:
    """Writes any field as ``compose`` does; *kana* says that half-width ones become full-width."""

    __slots__ = ("_policy", "kana", "names", "words")

    def __init__(self, policy: Written, names: Sequence[str], *, kana: bool) -> None:
        # What is written here goes to the wire as it is.
        self._policy = policy.clone(linesep="\r\n")
        self.names = names
        self.kana = kana
        # What makes encoded words of the common texts.
        self.words: Callable[[str, int], list[bytes] | None] = _none
        if policy.header_charset == ISO_2022_JP:
            self.words = _jis_words
        elif policy.header_charset == UTF_8 and not kana:
            self.words = _utf8_words

    def written(self, name: str, value: str) -> bytes:
        """Return a field, folded."""
        try:
            octets = self._policy.fold_binary(name, full_width(value) if self.kana else value)
        except (Unsendable, UnicodeError) as error:
            # Composed in full it may do, with SMTPUTF8; or what is wrong is said there.
            raise NeedsComposing from error
        if has_long_line(octets):
            raise NeedsComposing
        return octets


def _none(_text: str, _first: int) -> None:
    return None


def _utf8_words(text: str, first: int) -> list[bytes] | None:
    """Cut text between characters into encoded words; None where others do that better."""
    if not _quick(text):
        return None
    octets = text.encode()
    words, start, end = [], 0, (first - _UTF8_FRAME) // 4 * 3
    while end < len(octets):
        while octets[end] & 0xC0 == 0x80:
            end -= 1
        words.append(b"=?utf-8?B?%b?=" % b2a_base64(octets[start:end], newline=False))
        start, end = end, end + _UTF8_FURTHER
    words.append(b"=?utf-8?B?%b?=" % b2a_base64(octets[start:], newline=False))
    return words


def _jis_words(text: str, first: int) -> list[bytes] | None:
    """Cut text in ISO-2022-JP, as the one above."""
    if not _jis(text):
        return None
    words, start, room = [], 0, (first - _JIS_FRAME) // 4 * 3
    try:
        while start < len(text):
            # As many characters as there is room for of kanji; where ASCII stands between them it may be too many.
            end = start + (room - _SHIFTS) // 2
            while len(octets := ISO_2022_JP.encode(text[start:end])) > room:
                end -= 1
            words.append(b"=?iso-2022-jp?B?%b?=" % b2a_base64(octets, newline=False))
            start, room = end, _JIS_FURTHER
    except UnicodeEncodeError:
        return None
    return words


class TextField:
    """A field of text, such as Subject."""

    __slots__ = ("_begin", "_filling", "_name", "_room", "_writer")

    def __init__(self, name: str, filling: Filling, writer: FieldWriter) -> None:
        self._name, self._filling, self._writer = name, filling, writer
        self._begin = f"{name}: ".encode()
        self._room = _PLAIN_LINE - len(self._begin)

    def __call__(self, values: Values) -> bytes:
        """Return the field with the values of a row."""
        text = self._filling.line(values, self._writer.names, self._name)
        if not text.strip(" \t"):
            # Whether there is such a field is not said here.
            raise NeedsComposing
        return self._quickly(text) or self._writer.written(self._name, text)

    def _quickly(self, text: str) -> bytes | None:
        if "=?" in text:
            return None
        if " " not in text and not text.isascii():
            return self._throughout(text)
        if text != text.strip():
            return None
        if text.isascii():
            return b"%b%b\r\n" % (self._begin, text.encode()) if len(text) <= self._room else None
        odd = _odd(text)
        return self._throughout(text) if odd is None or len(odd[0]) == len(text) else self._among_others(text, odd)

    def _throughout(self, text: str) -> bytes | None:
        """Return the field all of which is encoded, if there is room for a word beside the name."""
        if _LINE - len(self._begin) < _USEFUL:
            return None
        words = self._writer.words(text, _LINE - len(self._begin))
        return b"%b%b\r\n" % (self._begin, b"\r\n ".join(words)) if words else None

    def _among_others(self, text: str, odd: "re.Match[str]") -> bytes | None:
        """Return the field where some words stay as they are, if all of it is a line."""
        words = self._writer.words(odd[0], _LINE - len(self._begin))
        if not words or len(words) > 1 or len(self._begin) + len(words[0]) + len(text) - len(odd[0]) > _LINE:
            return None
        return b"%b%b%b%b\r\n" % (
            self._begin,
            text[: odd.start()].encode(),
            words[0],
            text[odd.end() :].encode(),
        )


class MailboxField:
    """An address field with one mailbox, such as To mostly is."""

    __slots__ = ("_begin", "_mailbox", "_name", "_writer")

    def __init__(self, name: str, mailbox: MailboxFilling, writer: FieldWriter) -> None:
        self._name, self._mailbox, self._writer = name, mailbox, writer
        self._begin = f"{name}: ".encode()

    def __call__(self, values: Values) -> bytes:
        """Return the field with the values of a row."""
        name, address = self._mailbox.filled(values, self._writer.names)
        if not address.isascii():
            raise NeedsComposing
        return self._quickly(name, address) or self._writer.written(
            self._name, address_list([(name, address)], self._name)
        )

    def _quickly(self, name: str, address: str) -> bytes | None:
        if not name:
            fits = len(self._begin) + len(address) <= _PLAIN_LINE
            return b"%b%b\r\n" % (self._begin, address.encode()) if fits else None
        if not name.isascii():
            words = self._writer.words(name, 74 - len(self._name))
            return self._line(words[0], address.encode(), _LINE) if words and len(words) == 1 else None
        if len(self._begin) + len(name) > _PLAIN_LINE or not _atoms(name):
            return None
        return self._line(name.encode(), address.encode(), _PLAIN_LINE)

    def _line(self, name: bytes, address: bytes, room: int) -> bytes:
        fits = len(self._begin) + len(name) + len(address) + 3 <= room
        return b"%b%b%b<%b>\r\n" % (self._begin, name, b" " if fits else b"\r\n ", address)


class MailboxesField:
    """An address field with several mailboxes."""

    __slots__ = ("_mailboxes", "_name", "_writer")

    def __init__(self, name: str, mailboxes: Sequence[MailboxFilling], writer: FieldWriter) -> None:
        self._name, self._mailboxes, self._writer = name, mailboxes, writer

    def __call__(self, values: Values) -> bytes:
        """Return the field with the values of a row."""
        filled = [mailbox.filled(values, self._writer.names) for mailbox in self._mailboxes]
        if not all(address.isascii() for _, address in filled):
            raise NeedsComposing
        return self._writer.written(self._name, address_list(filled, self._name))


class UnsubscribeFields:
    """What says how to leave a list, where all of it is a value: which fields there are depends on that."""

    __slots__ = ("_mailto", "_url", "_writer")

    def __init__(self, writer: FieldWriter, url: Filling | None, mailto: Filling | None) -> None:
        self._url, self._mailto, self._writer = url, mailto, writer

    def __call__(self, values: Values) -> bytes:
        """Return the fields with the values of a row."""
        url, mailto = (
            way.line(values, self._writer.names, "unsubscribe") if way else None for way in (self._url, self._mailto)
        )
        found = unsubscribe_fields(Unsubscribe(url=url, mailto=mailto))
        return b"".join(self._writer.written(name, value) for name, value in found)


def verbatim(name: str, at: int) -> Callable[[Values], bytes]:
    """Return what writes a field whose value, at place *at*, is short and ASCII."""
    return lambda values: f"{name}: {values[at]}\r\n".encode()


def nothing(_values: Values) -> bytes:
    """Write no field."""
    return b""
