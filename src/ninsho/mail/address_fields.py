"""Address fields written anew, in ASCII or UTF-8: names become encoded words, domains A-labels, nobody somebody else.

The standard library loses the quotes of names as it folds, and with them mail to strangers: ``"x@y.example, ..." <z>``.
"""

import re
from collections.abc import Iterable, Iterator
from email.header import Header
from itertools import groupby

from ninsho.mail.addresses import Token, a_labels, mailboxes, tokens
from ninsho.mail.unsendable import Unsendable, excerpt

# Those whose display names alone may be encoded (RFC 2047 §5).
ADDRESS_FIELDS = frozenset(
    f"{prefix}{name}" for prefix in ("", "resent-") for name in ("from", "sender", "reply-to", "to", "cc", "bcc")
)
FOLD_LIMIT = 78  # RFC 5322 §2.1.1

_ENCODED_WORD_LIMIT = 76  # RFC 2047 §2: that, and the space in front of it
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = Token("space", " ")


def meant(value: str, place: str) -> list[str]:
    """Return whom an unfolded address list names, alike however it is written; raise ``Unsendable``."""
    return [_identity(address) for address in mailboxes(value, place)]


def address_value(name: str, value: str, *, utf8: bool) -> str:
    """Return an unfolded address list folded, in ASCII unless *utf8*; raise ``Unsendable`` where it cannot be so."""
    expected = meant(value, name)
    if not utf8:
        _refuse_utf8(name, expected)
    found = tokens(value) if utf8 else _in_ascii(tokens(value))
    folded = _folded(name, found)
    # Read back: whoever was not named must get nothing.
    if meant(folded.replace("\r\n", ""), name) != expected:
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}")
    return folded


def _identity(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at:
        return _unquoted(address)
    return f"{_unquoted(local)}@{a_labels(domain)}"


def _unquoted(word: str) -> str:
    return _ESCAPED.sub(r"\1", word[1:-1]) if word.startswith('"') else word


def _refuse_utf8(name: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        # The domain is ASCII by now.
        if not address.isascii():
            raise Unsendable(f"{name}: expected a server that offers SMTPUTF8 for {excerpt(address)}, got one without")


def _in_ascii(given: Iterable[Token]) -> Iterator[Token]:
    for in_phrase, run in groupby(_with_a_labels(given), _is_of_phrase):
        found = list(run)
        yield from _phrase(found) if in_phrase else map(_comment, found)


def _with_a_labels(found: Iterable[Token]) -> Iterator[Token]:
    in_domain = False
    for token in found:
        if token.kind not in ("space", "comment", "atom") and token.text != ".":
            in_domain = token.text == "@"
        if in_domain and token.kind == "atom" and not token.text.isascii():
            yield Token("atom", a_labels(token.text))
        else:
            yield token


def _is_of_phrase(token: Token) -> bool:
    # What is an encoded word already stays one.
    encoded_word = token.text.startswith("=?") and token.text.endswith("?=")
    return token.kind in ("quoted", "space") or token.text == "." or (token.kind == "atom" and not encoded_word)


def _phrase(run: list[Token]) -> Iterator[Token]:
    """Encode a run of words as one: only white space may stand between an encoded word and others (RFC 2047 §5)."""
    text = "".join(_unquoted(token.text) if token.kind == "quoted" else token.text for token in run)
    if text.isascii():
        yield from run
        return
    if run[0].kind == "space":
        yield _SPACE
    for word in _encoded_words(text.strip(" \t")):
        yield Token("atom", word)
        yield _SPACE


def _comment(token: Token) -> Token:
    if token.text.isascii():
        return token
    words = _encoded_words(_ESCAPED.sub(r"\1", token.text[1:-1]))
    return Token("comment", f"({' '.join(words)})")


def _encoded_words(text: str) -> list[str]:
    return Header(text, "utf-8", maxlinelen=_ENCODED_WORD_LIMIT).encode(linesep="\n").split("\n ")


def _folded(name: str, found: Iterable[Token]) -> str:
    lines = [""]
    room = FOLD_LIMIT - len(f"{name}: ")
    for space, text in _unbroken(found):
        if lines[-1] and len(lines[-1]) + len(space) + len(text) > room:
            lines.append(f" {text}")
            room = FOLD_LIMIT
        else:
            lines[-1] += space + text
    return "\r\n".join(lines).strip(" \t")


def _unbroken(found: Iterable[Token]) -> Iterator[tuple[str, str]]:
    """Give what cannot be folded within, and the white space in front; behind a comma there may be some."""
    space, text = "", ""
    for token in found:
        if text and (token.kind == "space" or text.endswith((",", ";"))):
            yield space, text
            space, text = "", ""
        if token.kind == "space":
            space = token.text
        else:
            text += token.text
    if text:
        yield space, text
