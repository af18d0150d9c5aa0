"""Domain names beyond ASCII: the A-labels that the DNS knows them by (RFC 5890)."""

import re
from typing import Final
from unicodedata import category, normalize, ucd_3_2_0

LABEL_LIMIT: Final = 63  # octets (RFC 1035 §2.3.4)
FULL_STOPS: Final = str.maketrans("\u3002\uff0e\uff61", "...")  # RFC 3490 §3.1
# IDNA 2003 makes "ss" of a sharp s, a plain sigma of the final one, and nothing of the joiners: so of one name another.
# RFC 5891 and UTS #46 by now keep them, as browsers do (RFC 5894 §7.2).
_DEVIATIONS: Final = frozenset("\u00df\u03c2\u200c\u200d")
# Letters, digits and the hyphen, and the underscore of private networks (RFC 5890 §2.3.1).
_JOINERS: Final = "\u200c\u200d"
_STAND_INS: Final = "\ufffc\ufffd"
_LDH: Final = re.compile(r"[A-Za-z0-9_-]+")


def a_labels(name: str) -> str:
    """Return *name* with each label that is not ASCII as an A-label; raise ``ValueError`` for one that cannot be."""
    if name.isascii():
        return name
    labels = name.translate(FULL_STOPS).split(".")
    return ".".join(label if label.isascii() else _a_label(label) for label in labels)


def _a_label(label: str) -> str:
    written = (None if _is_newer(label) else _older_a_label(label)) or _newer_a_label(label)
    # Checked after the mapping, which makes dots and slashes out of look-alikes.
    if not _LDH.fullmatch(written):
        raise ValueError("a label has characters that no domain name has")
    if len(written) > LABEL_LIMIT:
        raise ValueError(f"a label has more than {LABEL_LIMIT} octets")
    return written


def _is_newer(label: str) -> bool:
    """Tell whether IDNA 2003 would leave something as it is that it does not know: it knows Unicode 3.2."""
    return any(char in _DEVIATIONS or ucd_3_2_0.category(char) == "Cn" for char in label)


def _older_a_label(label: str) -> str | None:
    from encodings import idna  # noqa: PLC0415 - seldom needed

    try:
        return idna.ToASCII(label).decode().lower()
    except UnicodeError:
        return None


def _newer_a_label(label: str) -> str:
    """Write a label with characters that IDNA 2003 changes or does not know yet (RFC 5891 §4.4, UTS #46 §4)."""
    from stringprep import in_table_b1  # noqa: PLC0415 - seldom needed

    label = "".join(char for char in label if char in _JOINERS or not in_table_b1(char))
    label = normalize("NFKC", normalize("NFKC", label).lower())
    if not all(map(_is_of_label, label)):
        raise ValueError("a label has characters that no domain name has")
    if label.isascii():
        return label
    # RFC 5891 §4.2.3.1.
    if label[2:4] == "--":
        raise ValueError("a label has hyphens where they mark what is encoded already")
    return "xn--" + label.encode("punycode").decode()


def _is_of_label(char: str) -> bool:
    if char.isascii():
        return _LDH.fullmatch(char) is not None
    # Signs as well, as browsers have it: i❤.ws. Two stand for what is not there.
    return char in _JOINERS or (
        (category(char)[0] in "LMN" or category(char) in ("So", "Sk")) and char not in _STAND_INS
    )
