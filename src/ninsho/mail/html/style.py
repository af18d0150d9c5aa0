"""Rules of style elements written into the elements that they are for, as many mail readers want it (css-inline)."""

import re

from ninsho.mail.html.depth import deepest
from ninsho.mail.unsendable import Unsendable

# css-inline calls itself for each level, and 12,000 of them end the process.
DEPTH_LIMIT = 2000

_DOCTYPE = re.compile(r"<!doctype\b[^>]*+>", re.IGNORECASE)
_EMPTY = re.compile(r"<style\b[^<>]*+>\s*+</style>")
# What all but Outlook are shown, as it is written by hand, and as css-inline gives it back.
_REVEALED = re.compile(r"<!--(\[(?:if\b[^\]<>]*+|endif)\])-->", re.IGNORECASE)


def css_inlined(html: str) -> str:
    """Write the rules of style elements into style attributes; rules that no attribute can hold stay, as @media.

    Nothing is loaded: a style sheet that a link names stays one. Comments for Outlook stay as well. Raises
    ``Unsendable`` for HTML whose styles cannot be read, or that is nested deeper than 2000 elements.
    """
    try:
        import css_inline  # noqa: PLC0415 - an extra
    except ImportError:
        raise Unsendable("inline_css needs the package css-inline: pip install 'ninsho[html]'") from None
    if (found := deepest(html)) > DEPTH_LIMIT:
        raise Unsendable(f"html: expected at most {DEPTH_LIMIT} elements within each other, got {found}")
    inliner = css_inline.CSSInliner(
        keep_style_tags=True,
        remove_inlined_selectors=True,
        keep_at_rules=True,
        keep_link_tags=True,
        load_remote_stylesheets=False,
    )
    try:
        return _restored(html, inliner.inline(html))
    except ValueError as fault:
        raise Unsendable(f"html: styles cannot be written into elements: {fault}") from None


def _restored(html: str, inlined: str) -> str:
    """Put back what a parser takes for something else: the whole DOCTYPE, and conditions outside of comments."""
    if doctype := _DOCTYPE.search(html):
        inlined = inlined.replace("<!DOCTYPE html>", doctype[0], 1)
    inlined = _EMPTY.sub("", inlined)
    return inlined if _REVEALED.search(html) else _REVEALED.sub(r"<!\1>", inlined)
