"""Which charset octets are in: what they say themselves, and what a label says that they need not keep to.

``detect`` takes the first that fits: ASCII, ISO-2022-JP, UTF-8, EUC-JP, Shift_JIS, and ISO-8859-1, which fits all.
``decoded`` believes a label unless the octets contradict it:

===================================  ===============================  =================================
labelled                             the octets                       taken for
===================================  ===============================  =================================
not at all, or by an unknown name    any                              what ``detect`` finds
iso-2022-jp                          have ①, 髙, half-width kana      CP50221, as this label always is
a charset without escapes            designate JIS by ``ESC $ B``     ISO-2022-JP
a charset of single octets           are UTF-8                        UTF-8
shift_jis, euc-jp, gb2312, big5 …    are UTF-8, six octets of it      UTF-8
a charset of single octets           are EUC-JP or Shift_JIS, kana    that
shift_jis or euc-jp                  have kana in the other alone     the other
any                                  mean nothing in it, but for      it; U+FFFD stands for what is none
                                     a tenth of the characters
any                                  mean nothing in it               what ``detect`` finds
us-ascii, iso-8859-1                 any                              windows-1252: it has the quotes
iso-8859-9; tis-620                  any                              windows-1254; windows-874
gb2312, gbk; euc-kr; big5            any                              gb18030; cp949; cp950
utf-7                                any                              UTF-7, read where it is named only
===================================  ===============================  =================================

Nothing tells an even number of half-width kana in Shift_JIS from kanji in EUC-JP, if nothing else is there.
"""

import re
from collections.abc import Mapping
from typing import Final

from ninsho.mail.charsets.charset import ISO_2022_JP, UTF_8, Charset, charset
from ninsho.mail.unsendable import Unsendable

_ASCII: Final = charset("us-ascii")
_LATIN_1: Final = charset("iso-8859-1")
_EUC_JP: Final = charset("euc-jp")
_SHIFT_JIS: Final = charset("shift_jis")
_UTF_16: Final = charset("utf-16")
_ISO_2022_KR: Final = charset("iso-2022-kr")
_UTF_7: Final = Charset("utf-7", "utf_7", seven_bit=True)

_BYTE_ORDER_MARK = re.compile(rb"\xff\xfe|\xfe\xff")
_JIS = re.compile(rb"\x1b(?:\$\(?[@B]|\$\([DOPQ]|\(I)|\x0e[\x21-\x5f]+\x0f")
_KOREAN: Final = b"\x1b$)C"
_KANA = re.compile("[\u3041-\u3096\u30a1-\u30fa]")
# Western letters with accents, and quotation marks, can be read as rare kanji, or as a kana or two: so not all that can
# be read is Japanese. Something common must be there, kana or kanji of JIS's first level.
_COMMON: Final[Mapping[Charset, "re.Pattern[bytes]"]] = {
    _EUC_JP: re.compile(rb"\A(?:[\x00-\x7f]|\x8f..|[\xd0-\xfe].)*+[\x8e\xa1-\xcf]"),
    _SHIFT_JIS: re.compile(
        rb"[\x82\x83][\x40-\x7e]|[\x81-\x97][\x80-\xfc]|(?:[\x81-\x97][\x40-\x7e]){2}|[\xa1-\xdf]{3}"
    ),
}

_SINGLE_OCTETS = re.compile(r"us-ascii|iso-8859-\d+|windows-\d+|koi8-.|macintosh")
_WIDER: Final[Mapping[str, str]] = {
    "us-ascii": "windows-1252",
    "iso-8859-1": "windows-1252",
    "iso-8859-9": "windows-1254",
    "tis-620": "windows-874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc-kr": "cp949",
    "big5": "cp950",
}
_ASCII_OCTETS: Final = bytes(range(128))
_EVIDENCE: Final = 3  # kana
_UTF_8_EVIDENCE: Final = 6  # octets: some pairs of half-width kana are UTF-8 as well
_MOST_DAMAGE: Final = 0.1  # of the characters beyond ASCII


def detect(octets: bytes) -> Charset:
    """Return the charset that *octets* seem to be in; ISO-8859-1 fits all."""
    if octets.isascii():
        return _seven_bit(octets)
    if _BYTE_ORDER_MARK.match(octets):
        return _UTF_16
    for attempt in (UTF_8, _EUC_JP, _SHIFT_JIS):
        if _text(octets, attempt) is not None and _is_plausible(octets, attempt):
            return attempt
    return _nearest(octets)


def decoded(octets: bytes, *, declared: str | None = None) -> str:
    """Return the text of *octets*, which somebody labelled *declared*; U+FFFD stands for what is none. Never raises."""
    actual = _actual(octets, _known(declared))
    text = actual.decode(octets, "replace")
    if actual is _UTF_7:
        # Python lets halves of surrogate pairs through, which nobody can write down again.
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def _seven_bit(octets: bytes) -> Charset:
    if _KOREAN in octets:
        return _ISO_2022_KR
    return ISO_2022_JP if _JIS.search(octets) else _ASCII


def _is_plausible(octets: bytes, attempt: Charset) -> bool:
    return attempt not in _COMMON or _COMMON[attempt].search(octets) is not None


def _nearest(octets: bytes) -> Charset:
    """Return the first charset in which few characters are broken, as in a text that was cut: else ISO-8859-1."""
    for attempt in (UTF_8, _EUC_JP, _SHIFT_JIS):
        if _damage(attempt.decode(octets, "replace")) <= _MOST_DAMAGE and _is_plausible(octets, attempt):
            return attempt
    return _LATIN_1


def _known(declared: str | None) -> Charset | None:
    if declared is None:
        return None
    if declared.strip().lower() in ("utf-7", "unicode-1-1-utf-7"):
        return _UTF_7
    try:
        return _meant(charset(declared))
    except Unsendable:
        return None


def _meant(label: Charset) -> Charset:
    return charset(_WIDER.get(label.label, label))


def _actual(octets: bytes, declared: Charset | None) -> Charset:
    found = detect(octets)
    if declared is not None:
        text = declared.decode(octets, "replace")
        if not _contradicts(octets, found, declared, text) and _damage(text) <= _MOST_DAMAGE:
            return declared
    return _meant(found)


def _contradicts(octets: bytes, found: Charset, declared: Charset, text: str) -> bool:
    """Tell whether *octets* seem to be in another charset than *declared*, by which they are *text*."""
    if found is ISO_2022_JP:
        return not declared.stateful or "\N{REPLACEMENT CHARACTER}" in text
    is_single = _SINGLE_OCTETS.fullmatch(declared.label) is not None
    if found is UTF_8:
        evidence = len(octets.translate(None, _ASCII_OCTETS))
        return declared.ascii_compatible and evidence >= (2 if is_single else _UTF_8_EVIDENCE)
    if is_single or declared in (_EUC_JP, _SHIFT_JIS):
        return found in (_EUC_JP, _SHIFT_JIS) and _kana(found.decode(octets, "replace")) >= _EVIDENCE > _kana(text)
    return False


def _text(octets: bytes, attempt: Charset) -> str | None:
    try:
        return attempt.decode(octets)
    except UnicodeDecodeError:
        return None


def _damage(text: str) -> float:
    """Return the share of broken characters among those beyond ASCII."""
    beyond_ascii = len(text) - len(text.encode("ascii", "ignore"))
    return text.count("\N{REPLACEMENT CHARACTER}") / max(beyond_ascii, 1)


def _kana(text: str) -> int:
    return len(_KANA.findall(text))
