"""The names of charsets: which codec is meant by one, and the name that MIME prefers for it."""

import re
from collections.abc import Mapping
from typing import Final

# Names that Python does not know or has for something else, and those that are asked for most; with "-" for "_".
_JAPANESE: Final = {
    "cp932": "shift-jis x-sjis sjis-win windows-31j cswindows31j ms932 x-ms-cp932 x-windows-31j",
    "cp50221": "iso-2022-jp jis iso-2022-jp-ms cp50220 cp50221 cp50222 windows-50220 windows-50221 x-windows-iso2022jp",
    "cp51932": "euc-jp x-euc-jp x-euc cseucpkdfmtjapanese eucjp-win eucjp-ms cp51932 windows-51932",
}
_OTHERS: Final = {
    "unicode-1-1-utf-8": "utf_8",
    "x-unicode-2-0-utf-8": "utf_8",
    # What Outlook calls its Korean.
    "ks-c-5601-1987": "cp949",
    "windows-949": "cp949",
    "windows-874": "cp874",
    "iso-8859-8-i": "iso8859_8",
    "x-gbk": "gbk",
    "x-euc-kr": "euc_kr",
    "x-big5": "big5",
    "x-mac-roman": "mac_roman",
}
NAMES: Final[Mapping[str, str]] = {
    **{name: codec for codec, names in _JAPANESE.items() for name in names.split()},
    **_OTHERS,
}

# Codecs of Python's that are less than mail means by their names, or more.
MEANT: Final[Mapping[str, str]] = {
    "shift_jis": "cp932",
    "iso2022_jp": "cp50221",
    "euc_jp": "cp51932",
    "utf_8_sig": "utf_8",
}

NOT_FOR_MAIL: Final[Mapping[str, str]] = {
    "utf_7": "mail readers have ceased to read it",
    **dict.fromkeys(("idna", "punycode"), "it is for domain names"),
    **dict.fromkeys(("unicode_escape", "raw_unicode_escape"), "it is for Python's source"),
    **dict.fromkeys(("undefined", "charmap", "mbcs", "oem"), "nobody else knows what it means"),
}

_LABELS: Final[Mapping[str, str]] = {
    "cp932": "shift_jis",
    "cp50221": "iso-2022-jp",
    "cp51932": "euc-jp",
    "ascii": "us-ascii",
    "cp874": "windows-874",
    "cp949": "ks_c_5601-1987",
    "hz": "hz-gb-2312",
    "mac_roman": "macintosh",
    "shift_jisx0213": "shift_jisx0213",
    "shift_jis_2004": "shift_jis-2004",
}
_RULES: Final = (
    (re.compile(r"iso8859_(\d+)"), r"iso-8859-\1"),
    (re.compile(r"iso2022_(.+)"), r"iso-2022-\1"),
    (re.compile(r"cp(125\d)"), r"windows-\1"),
    (re.compile(r"utf_(16|32)_([bl]e)"), r"utf-\1\2"),
    (re.compile(r"big5hkscs"), "big5-hkscs"),
)


def label(codec: str) -> str:
    """Return what MIME calls a codec."""
    if known := _LABELS.get(codec):
        return known
    for pattern, preferred in _RULES:
        codec = pattern.sub(preferred, codec)
    return codec.replace("_", "-")
