"""Texts of header fields: octets that nobody has encoded, and encoded words (RFC 2047) as senders really cut them."""

import binascii
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from ninsho.mail.charsets.detection import decoded

# White space within one is against RFC 2047 §2, and is seen.
_WORD: Final = re.compile(
    r"=\?(?P<charset>[^?*\s=]{1,64})(?:\*[^?\s]{0,64})?\?(?P<encoding>[BbQq])\?(?P<text>[^?]*+)\?="
)
_NOT_BASE64: Final = re.compile(r"[^A-Za-z0-9+/]")
# A value goes back into headers, logs and terminals: it stays one line.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Word(NamedTuple):
    """An encoded word."""

    charset: str
    encoding: str
    text: str


def raw_text(octets: bytes, hint: str | None = None) -> str:
    """Return a value whose encoded words stay as they are; what is not ASCII is in *hint*, or what it looks like."""
    if octets.isascii() and b"\x1b" not in octets and b"\x0e" not in octets:
        return octets.decode("ascii")
    return decoded(octets, declared=hint)


def words_decoded(text: str) -> str:
    """Decode the encoded words of *text*, wherever they stand: within quotes and words too, where none should."""
    if "=?" not in text:
        return one_line(text)
    return one_line("".join(_decoded(text)))


def one_line(text: str) -> str:
    """Return *text* with a space for each control character."""
    return text if text.isprintable() else _CONTROL.sub(" ", text)


def _decoded(text: str) -> Iterator[str]:
    run: list[Word] = []
    at = 0
    for found in _WORD.finditer(text):
        between = text[at : found.start()]
        # RFC 2047 §6.2: white space between two encoded words is not shown.
        if not run or between.strip():
            yield from _texts(run)
            yield between
            run = []
        run.append(Word(found["charset"], found["encoding"].lower(), found["text"]))
        at = found.end()
    yield from _texts(run)
    yield text[at:]


def _texts(run: Iterable[Word]) -> Iterator[str]:
    """Join the words of one charset before they are decoded: many senders cut within characters."""
    for charset, words in groupby(run, key=lambda word: word.charset.lower()):
        yield decoded(b"".join(_octets(words)), declared=charset)


def _octets(words: Iterable[Word]) -> Iterator[bytes]:
    for encoding, alike in groupby(words, key=lambda word: word.encoding):
        texts = [word.text for word in alike]
        if encoding == "q":
            yield from (binascii.a2b_qp(text.encode("utf-8", "replace"), header=True) for text in texts)
        else:
            yield from _from_base64(texts)


def _from_base64(texts: list[str]) -> Iterator[bytes]:
    cleaned = [_NOT_BASE64.sub("", text) for text in texts]
    # Some cut within four characters of base64 as well: then only all of them together make whole ones.
    if any(len(text) % 4 and "=" not in raw for text, raw in zip(cleaned[:-1], texts, strict=False)):
        together = "".join(cleaned)
        if not (len(together) + texts[-1].count("=")) % 4:
            cleaned = [together]
    yield from map(padded, cleaned)


def padded(text: str | bytes) -> bytes:
    """Decode base64 of nothing but its alphabet, whose padding may be missing; half a character is lost."""
    octets = text.encode() if isinstance(text, str) else text
    if len(octets) % 4 == 1:
        octets = octets[:-1]
    return binascii.a2b_base64(octets + b"=" * (-len(octets) % 4))
