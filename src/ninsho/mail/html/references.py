"""The places in HTML that name an image: src, srcset, background, and url() in styles."""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from ninsho.mail.html.markup import Attribute, Piece, attributes, pieces, value

_IN_SRC = frozenset(("img", "input", "image", "v:fill", "v:imagedata", "v:image"))
# A candidate of srcset: its URL, and a descriptor where the URL does not end with a comma (HTML §4.8.4.2.1). Commas
# within a URL are its own; in a name they part two, as people write them.
_CANDIDATE = re.compile(r"((?:[a-z][a-z0-9+.-]*+:|//)\S*+|[^\s,]++)(?:(?<=,)|[^,]*+)", re.IGNORECASE)
_QUOTE = r"""(?: ["'] | &(?:quot|apos|\#34|\#39|\#x22|\#x27); )"""
# Comments and strings name no images, and @import no image. A string ends with its line (CSS Syntax §4.3.5).
_CSS_URL = re.compile(
    rf"""/\* .*? (?:\*/|\Z) | @import [^;]*+
    | \burl\( \s*+ (?: (?P<quote>{_QUOTE}) (?P<quoted>(?: \\. | (?!(?P=quote)). )*+) (?P=quote)
        | (?P<bare> (?: \\[0-9a-f]{{1,6}}+\s? | \\. | [^\s"'()\\] )*+) ) \s*+ \)
    | (?P<begun>{_QUOTE}) (?: \\. | (?!(?P=begun))[^\n] )*+ (?:(?P=begun)|\n|\Z) | \\.""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
# CSS Syntax §4.3.7.
_CSS_ESCAPE = re.compile(
    r"\\(?: ([0-9a-f]{1,6}) (?:\r\n|[ \t\r\n\f])? | (?:\r\n|[\r\n\f]) | (.) )", re.VERBOSE | re.IGNORECASE
)
_LAST = 0x10FFFF


class Reference(NamedTuple):
    """An image's *url* from *start* to *end*; what may be no image, as a style's font, is *optional*."""

    url: str
    start: int
    end: int
    optional: bool


def references(text: str) -> Iterator[Reference]:
    """Find what names an image, in the order of the text."""
    for piece in pieces(text, conditional=True):
        if piece.kind == "start":
            for attribute in attributes(text, piece):
                yield from _of_attribute(text, piece, attribute)
        elif piece.kind == "raw" and piece.name == "style":
            yield from _in_style(text, piece.start, piece.end)


def _of_attribute(text: str, tag: Piece, attribute: Attribute) -> Iterator[Reference]:
    match attribute.name:
        case "src" if tag.name in _IN_SRC:
            yield Reference(value(text, attribute), attribute.start, attribute.end, optional=False)
        # Some give it a colour.
        case "background":
            yield Reference(value(text, attribute), attribute.start, attribute.end, optional=True)
        case "srcset":
            yield from _candidates(text, attribute.start, attribute.end)
        case "style":
            yield from _in_style(text, attribute.start, attribute.end)


def _candidates(text: str, start: int, end: int) -> Iterator[Reference]:
    for found in _CANDIDATE.finditer(text, start, end):
        url = found[1].rstrip(",")
        yield Reference(html.unescape(url), found.start(), found.start() + len(url), optional=False)


def _in_style(text: str, start: int, end: int) -> Iterator[Reference]:
    for found in _CSS_URL.finditer(text, start, end):
        group = "bare" if found["bare"] is not None else "quoted"
        if url := found[group]:
            yield Reference(_without_escapes(html.unescape(url)), *found.span(group), optional=True)


def _without_escapes(url: str) -> str:
    return _CSS_ESCAPE.sub(lambda found: _meant(found[1]) if found[1] else found[2] or "", url)


def _meant(digits: str) -> str:
    point = int(digits, 16)
    return chr(point) if 0 < point <= _LAST and not 0xD800 <= point <= 0xDFFF else "\ufffd"
