"""Lines of text broken at a width in columns: between words, by 禁則, never within an address; and line ends kept."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from ninsho.mail.columns import Ambiguous, columns, context, graphemes
from ninsho.mail.kinsoku import BLANKS, keeps_rule, parts, parts_by_rule
from ninsho.mail.unsendable import Unsendable

NARROWEST = 8  # columns

_LINE = re.compile(r"[^\r\n]+")
_SIGNATURE = re.compile(r"(?:\A|(?<=[\r\n]))-- (?=[\r\n]|\Z)")

# An IRI goes on after its ASCII characters, unless with hiragana: a sentence does so, "https://example.jp/をご覧".
# An address ends with its ASCII letters where it has any, for the same reason.
_WHOLE = re.compile(
    r"""(?: (?<![A-Za-z0-9+.-]) (?: [A-Za-z0-9+.-]++:// | mailto: | tel: ) | (?<!\w) www\. )
        [!-;=?-\[\]_a-z~]*+ (?: (?<=[/=?&\#_-]) (?![ぁ-ゟ]) [\w!-;=?-\[\]~]++ )?
    |   (?<![\w!\#-'*+/=?^`{|}~.-]) [\w!\#-'*+/=?^`{|}~.-]++ @
        (?: (?:[A-Za-z0-9-]{1,63}\.)+ [A-Za-z]{2,63} | (?:[\w-]{1,63}\.)+ (?: [A-Za-z]{2,63} | [^\W\d_a-zA-Z]{2,63} ) )
    """,
    re.VERBOSE | re.IGNORECASE,
)

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
        rules: tuple[Rule, ...] = (parts_by_rule, keeps_rule) if wrapping.kinsoku else (parts,)
        return cls(wrapping.width, wrapping.ambiguous or context(text), (*rules, _anywhere))

    def pieces(self, line: str) -> list[str]:
        """Cut a line; the pieces joined are the line. One that is too wide holds something that is not to be cut."""
        if len(line) <= self.width and self._columns(line) <= self.width:
            return [line]
        return _without_marks(list(self._filled(line, self.rules)))

    def _filled(self, text: str, rules: tuple[Rule, ...]) -> Iterator[str]:
        rule, *others = rules
        held, room = "", self.width
        for unit in self._units(text, rule):
            shown = self._columns(unit.rstrip(BLANKS))
            if held and shown > room:
                yield held
                held, room = "", self.width
            if shown > room and others and not _WHOLE.search(unit):
                *full, unit = self._filled(unit, tuple(others))
                yield from full
            held += unit
            room -= self._columns(unit)
        yield held

    def _units(self, text: str, rule: Rule) -> Iterator[str]:
        """Cut a text wherever the rule allows; spaces are at the ends of units."""
        start = at = self._indent(text)
        whole = _WHOLE.finditer(text)
        start, uncut = 0, -1
        before = ""
        for grapheme in graphemes(text):
            pass
        yield text[start:]

    def _indent(self, text: str) -> int:
        return 0

    def _columns(self, text: str) -> int:
        return columns(text, ambiguous=self.ambiguous)


def _anywhere(before: str, after: str) -> bool:
    return before not in BLANKS and after not in BLANKS
