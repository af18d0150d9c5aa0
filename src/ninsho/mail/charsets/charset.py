"""A charset: its MIME name, and how text becomes octets in it."""

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from ninsho.mail.charsets import cp932, cp50221, cp51932
from ninsho.mail.charsets.errors import Errors
from ninsho.mail.charsets.names import MEANT, NAMES, NOT_FOR_MAIL, label
from ninsho.mail.unsendable import Unsendable, excerpt

_ENCODERS: Final[Mapping[str, Callable[[str], bytes]]] = {
    "cp932": cp932.encode,
    "cp50221": cp50221.encode,
    "cp51932": cp51932.encode,
}
_DECODERS: Final[Mapping[str, Callable[[bytes, Errors], str]]] = {
    "cp932": cp932.decode,
    "cp50221": cp50221.decode,
    "cp51932": cp51932.decode,
}
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()+ -]{0,39}")
_LABEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:()+-]{0,39}")
_STATEFUL = re.compile(r"iso2022_.*|hz")
_SHIFTS = re.compile("[\x0e\x0f\x1b]")
# Octets of two and four, and EBCDIC.
_NOT_ASCII = re.compile(r"utf_(16|32).*|cp(037|273|424|500|875|1026|1140)")


@dataclass(frozen=True, slots=True)
class Charset:
    """A charset that text is written in.

    ``label`` is what MIME says, in lower case; ``codec`` the name of what makes it, which ``str.encode`` need not know:
    text becomes octets by ``encode``. If ``seven_bit``, every octet is below 128; if ``stateful``, some of them change
    what follows (ISO-2022, HZ). What is not ``ascii_compatible`` (UTF-16) can be a body in base64 alone. Raises
    ``Unsendable`` for a label that MIME cannot say.
    """

    label: str
    codec: str
    seven_bit: bool = False
    stateful: bool = False
    ascii_compatible: bool = True

    def __post_init__(self) -> None:
        if not _LABEL.fullmatch(self.label):
            raise Unsendable(f"charset: expected a label such as iso-8859-1, got {excerpt(self.label)}")

    def __str__(self) -> str:
        return self.label

    @property
    def in_fields(self) -> "Charset":
        """What stands for it in the header and in names of files, among ASCII: itself, or UTF-8 (RFC 2047 §2)."""
        return self if self.ascii_compatible else UTF_8

    def encode(self, text: str) -> bytes:
        """Return *text* in octets; raise ``UnicodeEncodeError``, which has the first character that there is not."""
        if encode := _ENCODERS.get(self.codec):
            return encode(text)
        if self.stateful and (found := _SHIFTS.search(text)):
            raise UnicodeEncodeError(self.label, text, *found.span(), "it would change what follows it")
        return text.encode(self.codec)

    def decode(self, octets: bytes, errors: Errors = "strict") -> str:
        """Return the text of *octets*; raise ``UnicodeDecodeError`` if *errors* is strict."""
        if decode := _DECODERS.get(self.codec):
            return decode(octets, errors)
        return octets.decode(self.codec, errors)


def charset(name: "str | Charset", *, place: str = "charset") -> Charset:
    """Return the charset that MIME, or Python, calls *name*; raise ``Unsendable`` for one that text cannot be sent in.

    What Japan means is had by the usual names: ``iso-2022-jp`` is CP50221, ``shift_jis`` CP932, ``euc-jp`` CP51932.
    *place* is what an error calls whatever told it.
    """
    if isinstance(name, Charset):
        return name
    if not isinstance(name, str):
        raise TypeError(f"{place}: expected the name of a charset, got {type(name).__name__}")
    try:
        return _named(name)
    except LookupError as fault:
        raise Unsendable(f"{place}: {fault}") from None


# Labels of mail that is read are other people's: so it is not all of them.
@lru_cache(maxsize=256)
def _named(name: str) -> Charset:
    codec = _codec(name)
    if codec in NOT_FOR_MAIL:
        raise LookupError(f"expected one for text in mail, got {excerpt(name)}: {NOT_FOR_MAIL[codec]}")
    stateful = _STATEFUL.fullmatch(codec) is not None or codec == "cp50221"
    return Charset(
        label(codec),
        codec,
        seven_bit=stateful or codec == "ascii",
        stateful=stateful,
        ascii_compatible=_NOT_ASCII.fullmatch(codec) is None,
    )


def _codec(name: str) -> str:
    plain = name.strip().lower().replace("_", "-")
    if known := NAMES.get(plain):
        return known
    try:
        found = codecs.lookup(plain if _NAME.fullmatch(plain) else "")
    except LookupError:
        raise _unknown(name) from None
    # rot13, base64 and their like make octets of octets.
    if not found._is_text_encoding:  # noqa: SLF001 - str.encode asks the same
        raise _unknown(name)
    codec = found.name.replace("-", "_")
    return MEANT.get(codec, codec)


def _unknown(name: str) -> LookupError:
    return LookupError(f'expected the name of a charset, such as "utf-8" or "iso-2022-jp", got {excerpt(name)}')


UTF_8: Final = charset("utf-8")
ISO_2022_JP: Final = charset("iso-2022-jp")
