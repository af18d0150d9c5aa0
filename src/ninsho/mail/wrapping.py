"""Lines of text broken at a width in columns: between words, by 禁則, never within an address; and line ends kept."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ninsho.mail.columns import Ambiguous, columns, context, graphemes
from ninsho.mail.kinsoku import BLANKS, anywhere, parts, parts_by_rule, within_words
from ninsho.mail.unsendable import Unsendable

NARROWEST = 8  # columns

_LINE = re.compile(r"[^\r\n]+")
_SIGNATURE = re.compile(r"(?:\A|(?<=[\r\n]))-- (?=[\r\n]|\Z)")

# What is one however long it is. An IRI goes on behind its ASCII characters to a space, or else up to hiragana, as a
# sentence begins: "https://example.jp/をご覧". An address has none in front, and ends with ASCII letters where it can.
_WHOLE = re.compile(
    r"""(?: (?<![a-z0-9+.-]) (?: [a-z0-9+.-]++:// | mailto: | tel: ) | (?<![a-z0-9_]) www\. )
        [!#-;=?-\[\]_a-z~]*+
        (?: (?<=[/=?&\#_-]) (?: [\w!#-;=?-\[\]~]{1,200}+ (?=[\ \t\u3000>]) | (?: (?![ぁ-ゟ]) [\w!#-;=?-\[\]~] )++ ) )?
    | (?: (?<![a-z0-9_!\#-'*+/=?^`{|}~.-]) [a-z0-9_!\#-'*+/=?^`{|}~.-]{1,64}+
        | (?<! [^\W_ぁ-ゟ]) (?<! [_!\#-'*+/=?^`{|}~.-]) (?: (?![ぁ-ゟ]) [\w!\#-'*+/=?^`{|}~.-] ){1,64}+
      ) @ (?: (?: [a-z0-9-]{1,63}\. )+ [a-z]{2,63} | (?: [\w-]{1,63}\. )+ [^\W\d_]{2,63} )
    """,
    re.VERBOSE | re.IGNORECASE,
)
# What would make another line of it: a quoted one, a signature.
_MARK = re.compile(r">|--(?![!-~])")
_LEAD = re.compile(rf"[{BLANKS}]*+(?:--(?![!-~])[{BLANKS}]*+)?")

Rule: TypeAlias = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class Wrapping:
    """Where lines are broken: before they are wider than *width* columns.

    Lines that hold one of *keep* (a pattern is searched for) stay as they are, as quoted ones and the signature do.
    *ambiguous* is the width of characters that are wide among East Asian ones, as Ж and ①; None goes by the text.
    Raises ``Unsendable`` for a width of less than 8 columns.
    """

    width: int = 72
    kinsoku: bool = True
    keep: tuple[str | re.Pattern[str], ...] = ()
    ambiguous: Ambiguous | None = None

    def __post_init__(self) -> None:
        if self.width < NARROWEST:
            raise Unsendable(f"wrap: expected a width of at least {NARROWEST} columns, got {self.width}")


def wrapped(text: str, wrapping: Wrapping) -> str:
    """Break the lines of a text. Where a line was broken at a space, its end stands in the place of the space."""
    end = "\r\n" if "\r\n" in text else "\n"
    body, signature = split_signature(text)
    breaking = Breaking.of(wrapping, text)

    def broken(line: re.Match[str]) -> str:
        if line[0].startswith(">") or any(_holds(line[0], kept) for kept in wrapping.keep):
            return line[0]
        return end.join(_without_space(breaking.pieces(line[0])))

    return _LINE.sub(broken, body) + signature


def split_signature(text: str) -> tuple[str, str]:
    """Return what stands in front of the line ``-- ``, and what begins with it."""
    found = _SIGNATURE.search(text)
    return (text[: found.start()], text[found.start() :]) if found else (text, "")


def _holds(line: str, kept: str | re.Pattern[str]) -> bool:
    return kept in line if isinstance(kept, str) else bool(kept.search(line))


def _without_space(pieces: list[str]) -> Iterator[str]:
    for piece in pieces[:-1]:
        yield piece[:-1] if piece[-1] == " " else piece
    yield pieces[-1]


@dataclass(frozen=True, slots=True)
class Breaking:
    """How one line becomes several: by the first rule under which they are narrow enough."""

    width: int
    ambiguous: Ambiguous
    rules: tuple[Rule, ...]

    @classmethod
    def of(cls, wrapping: Wrapping, text: str) -> "Breaking":
        """Break words as well, where a line has no room for one of them."""
        rules: tuple[Rule, ...] = (parts_by_rule, within_words) if wrapping.kinsoku else (parts,)
        return cls(wrapping.width, wrapping.ambiguous or context(text), (*rules, anywhere))

    def pieces(self, line: str) -> list[str]:
        """Cut a line; the pieces joined are the line. One that is too wide holds something that is not to be cut."""
        if len(line) <= self.width and self._columns(line) <= self.width:
            return [line]
        return list(self._filled(line, self.rules))

    def _filled(self, text: str, rules: tuple[Rule, ...]) -> Iterator[str]:
        """Put units together for as long as there is room; cut what has none by the other rules."""
        held, room = "", self.width
        for unit in self._units(text, rules[0]):
            rest, word = unit, unit.rstrip(BLANKS)
            shown = self._columns(word)
            if held and shown > room:
                yield held
                held, room = "", self.width
            if shown > room and rules[1:] and not _WHOLE.search(unit):
                *full, rest = self._filled(unit, rules[1:])
                yield from full
            held += rest
            room -= shown if rest == word else self._columns(rest)
        yield held

    def _units(self, text: str, rule: Rule) -> Iterator[str]:
        """Cut a text wherever the rule allows it; units end with the spaces behind them."""
        start = at = 0
        before, lead = "", self._lead(text)
        whole = {at for found in _WHOLE.finditer(text) for at in range(found.start() + 1, found.end())}
        for after in graphemes(text):
            if at > lead and rule(before, after) and at not in whole and not _MARK.match(text, at):
                yield text[start:at]
                start = at
            before = after
            at += len(after)
        yield text[start:]

    def _lead(self, text: str) -> int:
        """Return how much at the head of a line is not left alone: its indentation, if there is room beside it."""
        lead = _LEAD.match(text)
        return lead.end() if lead and self._columns(lead[0]) < self.width else 0

    def _columns(self, text: str) -> int:
        return columns(text, ambiguous=self.ambiguous)
