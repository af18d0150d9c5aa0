"""HTML cut into tags, comments and text (HTML §13.2.5), so that what is not changed stays as it was."""

import html
import re
from collections.abc import Iterator
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["text", "start", "end", "comment", "declaration", "raw"]

_ATTRIBUTE = r"""[^ \t\n\f\r/>] [^ \t\n\f\r/>=]*+
    (?: [ \t\n\f\r]*+ = [ \t\n\f\r]*+ (?: "[^"]*+ (?:"|\Z) | '[^']*+ (?:'|\Z)
        | [^ \t\n\f\r>"'] [^ \t\n\f\r>]*+ )? )?+"""
_PIECE = re.compile(
    rf"""(?P<comment> <!-- (?: -?> | .*? (?: --!?> | \Z ) ) )
    | (?P<declaration> <[!?] [^>]*+ (?:>|\Z) | </ (?![a-z]) [^>]*+ (?:>|\Z) )
    | (?P<tag> <(?P<slash>/?) (?P<name>[a-z][^ \t\n\f\r/>]*+) (?: [ \t\n\f\r/]++ | {_ATTRIBUTE} )*+ (?:>|(?P<cut>\Z)) )
    | [^<]++ | <""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE | re.ASCII,
)
_EACH = re.compile(
    r"""(?P<name> [^ \t\n\f\r/>] [^ \t\n\f\r/>=]*+ )
    (?: [ \t\n\f\r]*+ = [ \t\n\f\r]*+ (?: "(?P<double>[^"]*+) (?:"|\Z) | '(?P<single>[^']*+) (?:'|\Z)
        | (?P<bare> [^ \t\n\f\r>"'] [^ \t\n\f\r>]*+ ) )? )?+""",
    re.VERBOSE,
)
# What stands in these is no markup, whatever it looks like.
_RAW = {
    name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])|\Z", re.IGNORECASE | re.ASCII)
    for name in ("script", "style", "title", "textarea", "xmp", "iframe", "noembed", "noframes")
}
# What Outlook reads: markup for it, a comment for all others.
_CONDITION = re.compile(r"<!--\[if\b[^\]>]*+\]>", re.IGNORECASE | re.ASCII)


class Piece(NamedTuple):
    """A piece of HTML from *start* to *end*; tags, and the raw text in elements such as style, have a *name*."""

    kind: Kind
    name: str
    start: int
    end: int


class Attribute(NamedTuple):
    """An attribute, its *name* in lower case; *start* and *end* are the places of its value, without quotes."""

    name: str
    start: int
    end: int


def pieces(text: str, *, conditional: bool = False) -> Iterator[Piece]:
    """Cut HTML, and lose nothing of it; *conditional* looks into the comments that are markup for Outlook."""
    at = 0
    while at < len(text):
        found = (conditional and _CONDITION.match(text, at)) or _PIECE.match(text, at)
        if not found:
            raise AssertionError(f"html: expected any character to begin a piece, got {text[at]!a} at {at + 1}")
        piece = _piece(found)
        yield piece
        at = piece.end
        raw = _RAW.get(piece.name) if piece.kind == "start" else None
        end = raw.search(text, at) if raw else None
        if end and end.start() > at:
            yield Piece("raw", piece.name, at, end.start())
            at = end.start()


def _piece(found: re.Match[str]) -> Piece:
    if found.re is _CONDITION or found["declaration"]:
        return Piece("declaration", "", *found.span())
    # A tag that the text ends within is none (HTML §13.2.5.37).
    if found["comment"] or found["cut"] is not None:
        return Piece("comment", "", *found.span())
    if found["tag"]:
        return Piece("end" if found["slash"] else "start", found["name"].lower(), *found.span())
    return Piece("text", "", *found.span())


def attributes(text: str, tag: Piece) -> Iterator[Attribute]:
    """Find the attributes of a start tag; of those with one name the first counts."""
    seen = set()
    for found in _EACH.finditer(text, tag.start + 1 + len(tag.name), tag.end):
        name = found["name"].lower()
        if name not in seen and found.lastgroup != "name":
            yield Attribute(name, *found.span(found.lastgroup or 0))
        seen.add(name)


def value(text: str, attribute: Attribute) -> str:
    """Return what an attribute says."""
    return html.unescape(text[attribute.start : attribute.end])
