"""Address fields written anew, in ASCII or UTF-8: names become encoded words, domains A-labels, nobody somebody else.

The standard library loses the quotes of names as it folds, and with them mail to strangers: ``"x@y.example, ..." <z>``.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from ninsho.mail.addresses import Token, a_labels, mailboxes, tokens, unquoted
from ninsho.mail.charsets.charset import UTF_8, Charset
from ninsho.mail.encoded_words import Settle, encoded_words
from ninsho.mail.unsendable import Unsendable, excerpt

# Those whose display names alone may be encoded (RFC 2047 §5).
ADDRESS_FIELDS = frozenset(
    f"{prefix}{name}" for prefix in ("", "resent-") for name in ("from", "sender", "reply-to", "to", "cc", "bcc")
)
FOLD_LIMIT = 78  # octets (RFC 5322 §2.1.1)
ENCODED_FOLD_LIMIT = 76  # octets of a line with an encoded word (RFC 2047 §2)

_ROOM = 74  # octets of the longest encoded word, and of the field's name and colon where it stands beside them
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_SPACE = Token("space", " ")


def meant(value: str, place: str) -> list[str]:
    """Return whom an unfolded address list names, alike however it is written; raise ``Unsendable``."""
    return [_identity(address) for address in mailboxes(value, place)]


def in_utf8(text: str) -> tuple[str, Charset]:
    """Write *text* as it is."""
    return text, UTF_8


def address_value(name: str, value: str, *, utf8: bool, settle: Settle = in_utf8) -> str:
    """Return an unfolded address list folded, in ASCII unless *utf8*; raise ``Unsendable`` where it cannot be so.

    Names and comments are written as *settle* says, addresses as they are.
    """
    expected = meant(value, name)
    if not utf8:
        _refuse_utf8(name, expected)
    found = tokens(value) if utf8 else _in_ascii(tokens(value), settle, _ROOM - len(name))
    folded = _folded(name, found)
    # Read back: whoever was not named must get nothing.
    if meant(folded.replace("\r\n", ""), name) != expected:
        raise Unsendable(f"{name}: cannot be encoded: {excerpt(value)}")
    return folded


def line_is_long(line: str) -> bool:
    """Tell whether a line of a header field should have been folded."""
    return len(line.encode()) > (ENCODED_FOLD_LIMIT if "=?" in line else FOLD_LIMIT)


def _identity(address: str) -> str:
    local, at, domain = address.rpartition("@")
    if not at:
        return unquoted(address)
    return f"{unquoted(local)}@{a_labels(domain)}"


def _refuse_utf8(name: str, addresses: Iterable[str]) -> None:
    for address in addresses:
        # The domain is ASCII by now.
        if not address.isascii():
            raise Unsendable(f"{name}: expected a server that offers SMTPUTF8 for {excerpt(address)}, got one without")


def _in_ascii(given: Iterable[Token], settle: Settle, room: int) -> Iterator[Token]:
    for in_phrase, run in groupby(_with_a_labels(given), _is_of_phrase):
        found = list(run)
        yield from _phrase(found, settle, room) if in_phrase else (_comment(token, settle, room) for token in found)


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


def _phrase(run: list[Token], settle: Settle, room: int) -> Iterator[Token]:
    """Encode a run of words as one: only white space may stand between an encoded word and others (RFC 2047 §5)."""
    text = "".join(unquoted(token.text) if token.kind == "quoted" else token.text for token in run)
    # Many readers decode within quotes what looks like an encoded word.
    if text.isascii() and not any(token.kind == "quoted" and "=?" in token.text for token in run):
        yield from run
        return
    if run[0].kind == "space":
        yield _SPACE
    text, charset = settle(text.strip(" \t"))
    for word in encoded_words(text, charset, first=room, room=room):
        yield Token("atom", word)
        yield _SPACE


def _comment(token: Token, settle: Settle, room: int) -> Token:
    if token.text.isascii():
        return token
    # A parenthesis stands at either end.
    text, charset = settle(_ESCAPED.sub(r"\1", token.text[1:-1]))
    words = encoded_words(text, charset, first=room - 2, room=room - 2)
    return Token("comment", f"({' '.join(words)})")


def _folded(name: str, found: Iterable[Token]) -> str:
    lines = [f"{name}:"]
    for space, text in _unbroken(found):
        line = lines[-1] + (space if len(lines) > 1 or len(lines[0]) > len(name) + 1 else " ") + text
        # The first stands beside the name: there are receivers that refuse a line without a word.
        if line_is_long(line) and lines[0] != f"{name}:":
            lines.append(f" {text}")
        else:
            lines[-1] = line
    return "\r\n".join(lines).removeprefix(f"{name}:").strip(" \t")


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
