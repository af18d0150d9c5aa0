"""The places in HTML that name an image: src, srcset, background, and url() in styles."""

import html
import re
from collections.abc import Iterator
from typing import NamedTuple

from ninsho.mail.html.markup import Attribute, Piece, attributes, pieces, value

_IN_SRC = frozenset(("img", "input", "image", "v:fill", "v:imagedata", "v:image"))
# A candidate of srcset: its URL, and a descriptor where the URL does not end with a comma (HTML §4.8.4.2.1).
_CANDIDATE = re.compile(r"([^\s,]\S*+)(?:(?<=,)|[^,]*+)")
_QUOTE = r"""(?: ["'] | &(?:quot|apos|\#34|\#39|\#x22|\#x27); )"""
# Comments name no images, and @import no image.
_CSS_URL = re.compile(
    rf"""/\* .*? (?:\*/|\Z) | @import [^;]*+
    | \burl\( \s*+ (?: (?P<quote>{_QUOTE}) (?P<quoted>(?:(?!(?P=quote)).)*+) (?P=quote) | (?P<bare>[^\s"'()]*+) )
      \s*+ \)""",
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class Reference(NamedTuple):
    """An image's *url* from *start* to *end*; one that a style names may be no image, so it is *optional*."""

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
        case "background":
            yield Reference(value(text, attribute), attribute.start, attribute.end, optional=False)
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
            yield Reference(html.unescape(url), *found.span(group), optional=True)
