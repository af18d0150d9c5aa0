"""Header fields as they are sent: encoded where they are not ASCII, folded where they are long, whole where they name.

The standard library's folding cuts message identifiers and puts encoded words where none may stand; some receivers
refuse such messages.
"""

import re
from collections.abc import Iterator

from ninsho.mail.address_fields import ADDRESS_FIELDS, ENCODED_FOLD_LIMIT, address_value, in_utf8, line_is_long
from ninsho.mail.charsets.charset import Charset
from ninsho.mail.encoded_words import WORD_LIMIT, Settle, encoded_words
from ninsho.mail.unsendable import Unsendable, excerpt

LINE_LIMIT = 998  # octets (RFC 5322 §2.1.1)
_USEFUL = 36  # octets: where less is left of a line, a word begins the next one

# There are readers to whom a fold between quotes is two spaces. Encoded words in quotes take more than one line.
_QUOTED_OR_WORD = re.compile(r'[ \t]*(?:"(?:\\.|[^"\\]){0,72}"|[^ \t])+')
NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 §2.2; what is longer leaves no room for a value
CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# Nothing in these may be encoded: they name things, or have a grammar of their own.
STRUCTURED = frozenset(
    {
        *("message-id", "resent-message-id", "references", "in-reply-to", "content-id", "date", "resent-date"),
        *("received", "return-path", "mime-version", "auto-submitted", "dkim-signature", "authentication-results"),
        *("content-type", "content-disposition", "content-transfer-encoding"),
        *("list-id", "list-help", "list-archive", "list-owner", "list-post", "list-subscribe"),
        *("list-unsubscribe", "list-unsubscribe-post", "x-priority", "importance"),
    }
)

# Those that name people, to whom nothing is sent for that.
NAMING_FIELDS = ADDRESS_FIELDS | {"disposition-notification-to", "return-receipt-to", "errors-to"}
# What a reader would take for an encoded word; some take it for one with spaces in it, too.
_ENCODED_WORD = re.compile(r"=\?[^?]+\?[BbQq]\?[^?]*\?=")


def field(name: str, value: str, *, settle: Settle = in_utf8, utf8: bool = False) -> str:
    """Return a header field, folded, with CRLF behind each line; in ASCII, or with *utf8* as SMTPUTF8 has it.

    *value* is one line; what may be encoded of it is written as *settle* says. Raises ``Unsendable`` for a name or a
    value that no field can have.
    """
    refuse_broken(name, value)
    if name.lower() in NAMING_FIELDS:
        return f"{name}: {address_value(name, value, utf8=utf8, settle=settle)}\r\n"
    if name.lower() in STRUCTURED and not (value.isascii() or utf8):
        raise Unsendable(f"{name}: expected ASCII, got {excerpt(value)}")
    if name.lower() in STRUCTURED:
        return folded(name, value)
    return _folded(name, _encoded(name, *settle(value), utf8=utf8))


def folded(name: str, value: str) -> str:
    """Return a header field whose *value* is written already, folded at its white space, if that is not quoted."""
    return _folded(name, (found[0] for found in _QUOTED_OR_WORD.finditer(value)))


def refuse_broken(name: str, value: str) -> None:
    """Raise ``Unsendable`` where a field would be another field, or more than one."""
    if not NAME.fullmatch(name):
        raise Unsendable(f"expected the name of a header field, got {excerpt(name)}")
    if found := CONTROL.search(value):
        raise Unsendable(f"{name}: expected one line, got {found[0]!a} at character {found.start() + 1}")


def _words(value: str) -> Iterator[str]:
    """Give each word with the white space in front."""
    return (found[0] for found in re.finditer(r"[ \t]*[^ \t]+", value))


def _encoded(name: str, value: str, charset: Charset, *, utf8: bool) -> Iterator[str]:
    """Give the words of an unstructured field; what lies between the first and the last to be encoded is so, too."""
    words = list(_words(value))
    odd = _odd(words, value, LINE_LIMIT - len(f"{name}: "), utf8=utf8)
    if not odd:
        yield from words
        return
    begin, end = odd[0], odd[-1] + 1
    yield from words[:begin]
    text = "".join(words[begin:end])
    if end == len(words):
        text += value[len(value.rstrip(" \t")) :]
    space = text[:1] if begin else ""
    room = ENCODED_FOLD_LIMIT - len("".join(words[:begin]).encode()) - len(f"{name}: ")
    first, *others = encoded_words(text[len(space) :], charset, first=room if room > _USEFUL else WORD_LIMIT)
    yield space + first
    yield from (f" {word}" for word in others)
    yield from words[end:]


def _odd(words: list[str], value: str, limit: int, *, utf8: bool) -> list[int]:
    """Return which words must be encoded: each must fit into a line, and be read as nothing else."""
    # White space at either end would get lost.
    if value != value.strip(" \t"):
        return list(range(len(words)))
    odd = {at for at, word in enumerate(words) if not (utf8 or word.isascii()) or len(word.encode()) > limit}
    if odd or _ENCODED_WORD.search(value):
        # Also half of an encoded word: with one of ours it may be read as a whole.
        odd.update(at for at, word in enumerate(words) if "=?" in word or "?=" in word)
    return sorted(odd)


def _folded(name: str, words: Iterator[str]) -> str:
    """Put words together to lines of at most 78 octets, 76 where one is encoded, if they let themselves."""
    # The first word stands beside the name: there are receivers that refuse a line without a word.
    first = next(words, "")
    lines = [f"{name}: {first}" if first[:1] not in (" ", "\t") else f"{name}:{first}"]
    # But for a name as long as a line: then there is no room for an encoded word.
    if first.startswith("=?") and line_is_long(lines[0]):
        lines = [f"{name}:", f" {first}"]
    for word in words:
        line = lines[-1] + word
        if line_is_long(line):
            lines.append(word)
        else:
            lines[-1] = line
    for line in lines:
        if len(line.encode()) > LINE_LIMIT:
            raise Unsendable(f"{name}: expected words of at most {LINE_LIMIT} octets, got {excerpt(line.strip())}")
    return "\r\n".join((*lines, ""))
