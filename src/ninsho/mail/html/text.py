"""The text of HTML, for those who read mail as text: lists, tables and links as they are seen (inscriptis)."""

import html as entities
import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ninsho.mail.html.markup import pieces
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from lxml.html import HtmlElement

_HIDDEN = re.compile(r"\bdisplay\s*:\s*none\b", re.IGNORECASE)
_RULE = "-" * 40
_UNSEEN = ("head", "script", "style", "template", "title", "svg", "math", "object", "iframe", "noframes")
_BREAKS = frozenset(("br", "div", "h1", "h2", "h3", "hr", "li", "ol", "p", "pre", "table", "tr", "ul"))
_WORTH_SHOWING = re.compile(r"(?:https?|ftp|mailto|tel|sms):\S", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?|ftp)://|mailto:|tel:|sms:", re.IGNORECASE)

# A table's columns are counted in characters: wide ones are made two of them meanwhile.
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff\U00020000-\U0003fffd]"
)
_FILL = "\U0010fffd"
# CSS Text §4.1.3: a line end between East Asian characters is no space.
_LINE_END = re.compile(rf"(?<={_WIDE.pattern})[ \t\r]*\n\s*(?={_WIDE.pattern})")

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Fillers that follow the first words of a mail, so that nothing else is shown beside its subject.
_FILLER = re.compile(
    "[\u034f\u200c\u200d\u2060]+(?=[\\s\u00a0]|\\Z)|(?<=[\\s\u00a0])[\u034f\u200c\u200d\u2060]+|[\u00ad\u200b\ufeff]"
)


def text_of(html: str) -> str:
    """Return the text of HTML, however broken it is. A link is followed by its URL, if that is not its text already."""
    try:
        from inscriptis.css_profiles import STRICT_CSS_PROFILE  # noqa: PLC0415 - an extra
        from inscriptis.html_engine import Inscriptis  # noqa: PLC0415
        from inscriptis.model.config import ParserConfig  # noqa: PLC0415
    except ImportError:
        raise Unsendable("text from HTML needs the package inscriptis: pip install 'ninsho[html]'") from None
    config = ParserConfig(css=STRICT_CSS_PROFILE, display_images=True)
    try:
        tree = _tree(html)
        text = "" if tree is None else Inscriptis(tree, config).get_text()
    except RecursionError:
        text = _plain(html)
    return _tidy(text)


def _tree(html: str) -> "HtmlElement | None":
    """Parse HTML into what is to be seen of it; raise ``RecursionError`` where it is nested too deep for that."""
    from lxml.etree import ParserError  # noqa: PLC0415 - inscriptis brings it along
    from lxml.html import HTMLParser, document_fromstring  # noqa: PLC0415

    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except ParserError:
        return None
    if any(fault.type_name == "ERR_RESOURCE_LIMIT" for fault in parser.error_log):
        raise RecursionError
    _prune(tree)
    for link in tree.iter("a"):
        _show_target(link)
    _set_texts(tree)
    return tree


def _prune(tree: "HtmlElement") -> None:
    for element in list(tree.iter(*_UNSEEN)):
        element.drop_tree()
    for element in list(tree.iter()):
        element.text, element.tail = _fit(element.text), _fit(element.tail)
        for name in ("alt", "title", "href"):
            if name in element.attrib:
                element.set(name, _fit(element.get(name)))
        # What else it says of its looks may ask for more room than there is.
        style = element.attrib.pop("style", "")
        if element.getparent() is not None and ("hidden" in element.attrib or _HIDDEN.search(style)):
            element.drop_tree()
    for line in tree.iter("hr"):
        line.tag, line.text = "div", _RULE


def _fit(text: str | None) -> str | None:
    """Leave out what may be read of HTML and not be written again (XML 1.0 §2.2)."""
    return text and _UNFIT.sub("", text)


def _show_target(link: "HtmlElement") -> None:
    target = link.get("href", "").strip()
    label = " ".join("".join(link.itertext()).split())
    if not _WORTH_SHOWING.match(target) or _bare(label) == _bare(target):
        return
    seen = label or any(image.get("alt", "").strip() for image in link.iter("img"))
    # A plain space would be lost behind an image.
    shown = f"\u00a0<{target}>" if seen else f"<{target}>"
    if len(link):
        link[-1].tail = (link[-1].tail or "").rstrip() + shown
    else:
        link.text = (link.text or "").rstrip() + shown


def _bare(target: str) -> str:
    """Return what two ways to write a URL have in common."""
    return unquote(_SCHEME.sub("", target, count=1)).rstrip("/").lower()


def _set_texts(tree: "HtmlElement") -> None:
    kept = {element for block in tree.iter("pre", "textarea") for element in block.iter()}
    for element in tree.iter():
        element.text = _widened(element.text, kept=element in kept)
        element.tail = _widened(element.tail, kept=element in kept and element.tag not in ("pre", "textarea"))
        if alt := element.get("alt"):
            element.set("alt", _widened(alt.strip(), kept=False))


def _widened(text: str | None, *, kept: bool) -> str | None:
    if text is None:
        return None
    return _WIDE.sub(rf"\g<0>{_FILL}", text if kept else _LINE_END.sub("", text))


def _plain(html: str) -> str:
    """Take the tags out of HTML that is nested too deep to be read."""
    words = []
    for piece in pieces(html):
        if piece.kind == "text":
            words.append(entities.unescape(html[piece.start : piece.end]))
        elif piece.name in _BREAKS:
            words.append("\n")
    return "".join(words)


def _tidy(text: str) -> str:
    text = _FILLER.sub("", text.replace(_FILL, "")).replace("\u00a0", " ")
    lines = "\n".join(line.rstrip() for line in text.split("\n"))
    lines = re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
    return f"{lines}\n" if lines else ""
