"""Domain names beyond ASCII: the A-labels that the DNS knows them by (RFC 5890)."""

from typing import Final
from unicodedata import category, normalize

LABEL_LIMIT: Final = 63  # octets (RFC 1035 §2.3.4)
FULL_STOPS: Final = str.maketrans("\u3002\uff0e\uff61", "...")  # RFC 3490 §3.1
# IDNA 2003 makes "ss" of a sharp s, a plain sigma of the final one, and nothing of the joiners: so of one name another.
# RFC 5891 and UTS #46 by now keep them, as browsers do (RFC 5894 §7.2).
_DEVIATIONS: Final = frozenset("\u00df\u03c2\u200c\u200d")


def a_labels(name: str) -> str:
    """Return *name* with each label that is not ASCII as an A-label; raise ``ValueError`` for one that cannot be."""
    if name.isascii():
        return name
    labels = name.translate(FULL_STOPS).split(".")
    return ".".join(label if label.isascii() else _a_label(label) for label in labels)


def _a_label(label: str) -> str:
    from encodings import idna  # noqa: PLC0415 - seldom needed

    if not _DEVIATIONS.intersection(label):
        try:
            return idna.ToASCII(label).decode().lower()
        except UnicodeError:
            pass
    return _newer_a_label(label)


def _newer_a_label(label: str) -> str:
    """Write a label with characters that IDNA 2003 changes or does not know yet (RFC 5891 §4.4)."""
    label = normalize("NFKC", normalize("NFKC", label).lower())
    if any(category(char)[0] not in "LMN" and char not in "-\u200c\u200d" for char in label):
        raise ValueError("a label has characters that no domain name has")
    written = "xn--" + label.encode("punycode").decode()
    if len(written) > LABEL_LIMIT:
        raise ValueError(f"a label has more than {LABEL_LIMIT} octets")
    return written
