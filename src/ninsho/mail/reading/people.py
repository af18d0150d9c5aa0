"""Address fields that others have written: whoever can be made out, with names; nothing is refused.

Encoded words are decoded only once the structure is known: a comma or an address within one is part of a name.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from ninsho.mail.reading.mail import Address
from ninsho.mail.reading.words import words_decoded

_QUOTED: Final = r'"(?:[^"\\]|\\.)*+"'
_WORD: Final = r"=\?[^?\s]{1,128}\?[BbQq]\?[^?]*+\?="
_OTHERS: Final = rf"""(?P<angle> < (?: {_QUOTED} | [^<>"] )*+ > )
    | (?P<special> [(,:;] )
    | (?P<text> {_WORD} | \[[^\[\]<>]*+\] | (?: [^"<>(,:;\[=] | =(?!\?) )++ | . )"""
_TOKEN: Final = re.compile(rf"(?P<quoted> {_QUOTED} ) | {_OTHERS}", re.VERBOSE | re.DOTALL)
_UNQUOTED: Final = re.compile(_OTHERS, re.VERBOSE | re.DOTALL)
_PARENTHESIS: Final = re.compile(r"[^()\\]*+(?:\\.[^()\\]*+)*+([()])", re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ENCODED_WORD: Final = re.compile(_WORD)
_ROUTE: Final = re.compile(r"\A(?:@[^:,<>@\s]++[,\s]*+)++:")
# What only names have: behind it stands no user of the machine that the message comes from.
_NOT_LOCAL: Final = frozenset(' "=')


class _Token(NamedTuple):
    kind: str
    text: str


def people(text: str) -> tuple[Address, ...]:
    """Read an unfolded address list whose encoded words stand as they came."""
    return tuple(_people(text))


def _people(text: str) -> Iterator[Address]:
    reading = _Mailbox()
    for kind, token in _tokens(text):
        match kind, token:
            case "special", "," | ";":
                yield from reading.finished()
                reading = _Mailbox()
            case "special", ":" if not reading.angle:
                # What stands before it is the name of a group (RFC 5322 §3.4).
                reading = _Mailbox()
            case "angle", _ if reading.angle:
                # Somebody has forgotten a comma.
                yield from reading.finished()
                reading = reading.next(token)
            case _:
                reading.takes(kind, token)
    yield from reading.finished()


def _tokens(text: str) -> Iterator[_Token]:
    """Cut an address list; once a quote or a parenthesis has no end, those behind it are text: one look at each."""
    at, pattern, comments = 0, _TOKEN, True
    while found := pattern.match(text, at):
        kind, cut, at = found.lastgroup or "", found[0], found.end()
        if cut == '"':
            pattern = _UNQUOTED
        if cut == "(" and comments:
            end = _behind_comment(text, at)
            comments = end is not None
            if end is not None:
                kind, cut, at = "comment", text[at : end - 1], end
        yield _Token(kind, cut)


def _behind_comment(text: str, at: int) -> int | None:
    depth = 1
    while depth:
        found = _PARENTHESIS.match(text, at)
        if not found:
            return None
        depth += 1 if found[1] == "(" else -1
        at = found.end()
    return at


class _Mailbox:
    """One mailbox while it is read."""

    def __init__(self) -> None:
        self.angle = ""
        self._before: list[_Token] = []
        self._behind: list[_Token] = []
        self._comment = ""

    def takes(self, kind: str, text: str) -> None:
        """Take one more token."""
        if kind == "angle":
            self.angle = text
        elif kind == "comment":
            self._comment = text
        else:
            (self._behind if self.angle else self._before).append(_Token(kind, text))

    def next(self, angle: str) -> "_Mailbox":
        """Return the mailbox that begins behind this one, without a comma between."""
        mailbox = _Mailbox()
        mailbox.angle, mailbox._before, self._behind = angle, self._behind, []
        return mailbox

    def finished(self) -> Iterator[Address]:
        """Give who it is, if anybody."""
        bare = "".join(token.text for token in self._before).strip(" \t")
        if self.angle:
            name = _phrase(self._before) or _phrase(self._behind)
            yield self._named(name, _ROUTE.sub("", self.angle[1:-1].strip(), count=1))
        elif "@" in _ENCODED_WORD.sub("", bare):
            yield self._named(*_apart(bare))
        elif bare and bare.isascii() and _NOT_LOCAL.isdisjoint(bare):
            yield self._named("", bare)
        elif bare:
            yield self._named(_phrase(self._before), "")

    def _named(self, name: str, address: str) -> Address:
        # An ideographic space within a name stays.
        shown = words_decoded(name).strip() or words_decoded(_ESCAPED.sub(r"\1", self._comment)).strip()
        return Address(shown, "".join(each for each in address if each.isprintable() and not each.isspace()))


def _phrase(tokens: list[_Token]) -> str:
    return "".join(_unquoted(token.text) if token.kind == "quoted" else token.text for token in tokens).strip()


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1])


def _apart(bare: str) -> tuple[str, str]:
    """Take a name and an address apart that no brackets keep apart."""
    words = bare.split()
    found = [number for number, word in enumerate(words) if "@" in word]
    if bare.startswith('"') or not found:
        return "", bare
    address = words.pop(found[-1])
    return " ".join(words), address
