"""Line ends in HTML: which of them are spaces to the eye, which are nothing; and HTML in one line."""

import re
from collections.abc import Iterable, Iterator

from ninsho.mail.html.markup import Piece, pieces

# Between these a line end is no space (CSS Text §4.1.3): East Asian wide characters, but for Hangul, which has words.
# Among the private ones, carriers have their emoji.
UNSPACED = (
    "[\u2e80-\u303e\u3041-\u312f\u3190-\ua4cf\ue000-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff\U00020000-\U0003fffd]"
)
_UNSPACED = re.compile(UNSPACED)
_LINE_END = re.compile(r"(?<![ \t])[ \t]*+[\r\n][ \t\r\n]*+")
_BLANKS = " \t\r\n\f"
# Beside these nobody sees a space (HTML §15.3): blocks, what breaks a line, what is not shown.
_BLOCKS = frozenset(
    (
        *("html", "head", "title", "meta", "link", "base", "style", "script", "body", "frameset", "frame", "noframes"),
        *("address", "article", "aside", "blockquote", "center", "details", "dialog", "dd", "dir", "div", "dl", "dt"),
        *("fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup"),
        *("hr", "br", "legend", "li", "listing", "main", "menu", "nav", "ol", "p", "pre", "section", "summary", "ul"),
        *("table", "caption", "colgroup", "col", "tbody", "thead", "tfoot", "tr", "td", "th", "option", "optgroup"),
    )
)
# Elements that show line ends, or for which they end a statement.
_KEPT = frozenset(("pre", "listing", "xmp", "textarea", "script"))
_EDGE = ""


def without_line_ends(html: str) -> str:
    """Return *html* in one line, but for ``<pre>``; a space stays where the line end was one between words."""
    cut = list(pieces(html))
    before = list(_neighbours(html, cut, -1))
    after = list(_neighbours(html, reversed(cut), 0))[::-1]
    return "".join(_in_one_line(html, cut, before, after)).strip(_BLANKS)


def _neighbours(html: str, cut: Iterable[Piece], end: int) -> Iterator[str]:
    """Give, for each piece, the character that is seen beside it: its last one with *end* -1, its first with 0."""
    beside = _EDGE
    for piece in cut:
        yield beside
        if piece.kind == "text":
            beside = html[piece.start : piece.end].strip(_BLANKS)[end:][:1] or beside
        elif piece.name in _BLOCKS:
            beside = _EDGE
        # Boxes among words: pictures, fields of forms.
        elif piece.name in ("img", "input", "textarea", "select", "object"):
            beside = "x"


def _in_one_line(html: str, cut: list[Piece], before: list[str], after: list[str]) -> Iterator[str]:
    depth = 0
    for piece, left, right in zip(cut, before, after, strict=True):
        source = html[piece.start : piece.end]
        if piece.kind in ("start", "end") and piece.name in _KEPT:
            depth = max(0, depth + (1 if piece.kind == "start" else -1))
        if piece.kind == "text" and not depth:
            yield _LINE_END.sub(_Meaning(left, right), source)
        elif piece.kind in ("start", "end") or not depth:
            yield _LINE_END.sub(" ", source)
        else:
            yield source


class _Meaning:
    """What stands for a line end in a text between two characters."""

    def __init__(self, left: str, right: str) -> None:
        self._left, self._right = left, right

    def __call__(self, found: re.Match[str]) -> str:
        text, (start, end) = found.string, found.span()
        before = text[start - 1] if start else self._left
        after = text[end] if end < len(text) else self._right
        if _EDGE in (before, after) or (_UNSPACED.match(before) and _UNSPACED.match(after)):
            return ""
        return " "
