"""The text of HTML without its tags, by the standard library alone: roughly, but nothing that is to be seen is lost."""

import html as entities
import re
from collections.abc import Iterator

from ninsho.mail.html.line_ends import UNSPACED
from ninsho.mail.html.markup import Piece, attributes, pieces, value

_PARAGRAPHS = ("blockquote", "dl", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "ol", "p", "pre", "table", "ul")
_LINES = ("address", "article", "aside", "center", "dd", "div", "dt", "footer", "form", "header", "section", "tr")
# A carriage return is a line end if there is none.
_BEFORE = (
    dict.fromkeys(_PARAGRAPHS, "\n\n") | dict.fromkeys(_LINES, "\r") | {"br": "\n", "li": "\r* ", "td": " ", "th": " "}
)
_BEHIND = {name: mark for name, mark in _BEFORE.items() if name in (*_PARAGRAPHS, *_LINES)}
_SPACES = re.compile(r"[ \t\n\f\r]+")
_LINE_END = re.compile(rf"(?<={UNSPACED})[ \t\r]*+\n\s*+(?={UNSPACED})")
_AROUND = re.compile(r" *+[\r\n][ \r\n]*+")
_WEB = re.compile(r"https?:\S++\Z", re.IGNORECASE)


def plain(html: str) -> str:
    """Return the text of HTML; where a link leads stands behind it."""
    text = _AROUND.sub(_line_ends, "".join(_words(html))).strip()
    return f"{text}\n" if text else ""


def _line_ends(found: "re.Match[str]") -> str:
    return "\n\n" if found[0].count("\n") > 1 else "\n"


def _words(html: str) -> Iterator[str]:
    target = ""
    for piece in pieces(html):
        match piece.kind, piece.name:
            case "text", _:
                # What is written as a character of its own is no space of the markup.
                yield entities.unescape(_SPACES.sub(" ", _LINE_END.sub("", html[piece.start : piece.end])))
            case "start", "a":
                target = _target(html, piece)
            case "end", "a" if target:
                yield f" <{target}>"
                target = ""
            case "start", name:
                yield _BEFORE.get(name, "")
            case "end", name:
                yield _BEHIND.get(name, "")


def _target(html: str, link: Piece) -> str:
    named = (value(html, attribute).strip() for attribute in attributes(html, link) if attribute.name == "href")
    return next((url for url in named if _WEB.match(url)), "")
