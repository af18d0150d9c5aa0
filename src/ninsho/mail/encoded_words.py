"""Encoded words (RFC 2047): text in header fields, cut between characters, never within one."""

import re
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from typing import TypeAlias

from ninsho.mail.charsets.charset import Charset

WORD_LIMIT = 75  # octets (RFC 2047 §2)

# What text is written as, and the charset for it, which has its characters.
Settle: TypeAlias = Callable[[str], tuple[str, Charset]]

# What one reads as one character: marks, variation selectors, skin tones and joiners stay with what they follow.
_CLUSTER = re.compile(
    "[\U0001f1e6-\U0001f1ff]{2}"
    "|.[\u0300-\u036f\u3099\u309a\uff9e\uff9f\ufe00-\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]*"
    "(?:\u200d.[\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]*)*",
    re.DOTALL,
)
# RFC 2047 §5 (3): what stands for itself even within a phrase, and the space, which becomes "_".
_SHORT = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!*+-/ "
_QUOTED = [chr(octet).replace(" ", "_") if octet in _SHORT else f"={octet:02X}" for octet in range(256)]


def encoded_words(text: str, charset: Charset, *, first: int = WORD_LIMIT, room: int = WORD_LIMIT) -> list[str]:
    """Return *text* as encoded words of at most *room* octets, the first of at most *first*.

    White space between two of them is not part of the text. A character that takes more than *room* has a word of its
    own all the same. Raises ``UnicodeEncodeError`` where *charset* lacks a character.
    """
    if len(whole := _word(text, charset)) <= first:
        return [whole]
    return list(_cut(text, charset, first, room))


def _cut(text: str, charset: Charset, first: int, room: int) -> Iterator[str]:
    limit, word, piece = first, "", ""
    for cluster in _small_clusters(text, charset, room):
        longer = _word(piece + cluster, charset)
        if piece and len(longer) > limit:
            yield word
            limit, piece = room, ""
            longer = _word(cluster, charset)
        piece += cluster
        word = longer
    yield word


def _small_clusters(text: str, charset: Charset, room: int) -> Iterator[str]:
    """Give the characters of *text*, those that fit in no word in pieces."""
    for cluster in _CLUSTER.findall(text):
        if len(cluster) > 1 and len(_word(cluster, charset)) > room:
            yield from cluster
        else:
            yield cluster


def _word(text: str, charset: Charset) -> str:
    """Return one encoded word, in the encoding that is shorter."""
    octets = charset.encode(text)
    others = len(octets.translate(None, _SHORT))
    if not charset.stateful and len(octets) + 2 * others < -(-len(octets) // 3) * 4:
        return f"=?{charset.label}?Q?{''.join([_QUOTED[octet] for octet in octets])}?="
    return f"=?{charset.label}?B?{b2a_base64(octets, newline=False).decode()}?="
