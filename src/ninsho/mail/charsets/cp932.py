"""Shift_JIS as Microsoft has it (CP932), which is what mail labels shift_jis."""

import re
from typing import Final

from ninsho.mail.charsets.errors import Errors
from ninsho.mail.charsets.lookalikes import jis_forms

CODEC: Final = "shift_jis"

# Python's codec has them for single octets that are none: 0x80, 0xA0, 0xFD to 0xFF.
_NONE = re.compile("[\x80\uf8f0-\uf8f3]")


def encode(text: str) -> bytes:
    """Return *text* in Shift_JIS; raise ``UnicodeEncodeError``."""
    if found := _NONE.search(text):
        raise UnicodeEncodeError(CODEC, text, *found.span(), "no such character in CP932")
    try:
        return jis_forms(text).encode("cp932")
    except UnicodeEncodeError as fault:
        raise UnicodeEncodeError(CODEC, text, fault.start, fault.end, fault.reason) from None


def decode(octets: bytes, errors: Errors = "strict") -> str:
    """Return the text of Shift_JIS; raise ``UnicodeDecodeError`` if *errors* is strict."""
    text = octets.decode("cp932", errors)
    if errors == "replace":
        return _NONE.sub("\N{REPLACEMENT CHARACTER}", text)
    if found := _NONE.search(text):
        place = len(text[: found.start()].encode("cp932"))
        raise UnicodeDecodeError(CODEC, octets, place, place + 1, "this octet stands for no character")
    return text
