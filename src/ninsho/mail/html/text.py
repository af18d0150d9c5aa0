"""The text of HTML, for those who read mail as text: lists, tables and links as they are seen (inscriptis)."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ninsho.mail.html.layout import NoRoom, fit
from ninsho.mail.html.line_ends import UNSPACED
from ninsho.mail.html.plain import plain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_HIDDEN = re.compile(r"\bdisplay\s*:\s*none\b", re.IGNORECASE)
_RULE = "-" * 40
_UNSEEN = ("head", "script", "style", "template", "title", "svg", "math", "object", "iframe", "noframes")
_WORTH_SHOWING = re.compile(r"(?:https?|ftp|mailto|tel|sms):\S", re.IGNORECASE)
_SCHEME = re.compile(r"(?:https?|ftp)://|mailto:|tel:|sms:", re.IGNORECASE)

# A table's columns are counted in characters: wide ones are made two of them meanwhile.
_WIDE = re.compile(
    "[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff01-\uff60\uffe0-\uffe6"
    "\U0001f300-\U0001f64f\U0001f680-\U0001f6ff\U0001f900-\U0001f9ff\U00020000-\U0003fffd]"
)
_FILL = "\U0010fffd"
_LINE_END = re.compile(rf"(?<={UNSPACED})[ \t\r]*\n\s*(?={UNSPACED})")

_UNFIT = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# Fillers that follow the first words of a mail, so that nothing else is shown beside its subject.
_FILLER = re.compile(
    "(?<![\u034f\u200c\u200d\u2060])[\u034f\u200c\u200d\u2060]++(?=[\\s\u00a0]|\\Z)"
    "|(?<=[\\s\u00a0])[\u034f\u200c\u200d\u2060]++|[\u00ad\u200b\ufeff]"
)
# What begins a signature ends with a space, which would get lost at the end of a line.
_SEPARATOR = re.compile(r"(\A\s*--) (?=\s*\Z)")
_KEPT_SPACE = "\U0010fffc"
_START_LIMIT = 9  # digits of the number that a list begins with: each of its lines is that long


def text_of(html: str) -> str:
    """Return the text of HTML, however broken it is. A link is followed by its URL, if that is not its text already.

    Without the package inscriptis it is a plain one, without columns.
    """
    try:
        from inscriptis.css_profiles import STRICT_CSS_PROFILE  # noqa: PLC0415 - an extra
        from inscriptis.html_engine import Inscriptis  # noqa: PLC0415
        from inscriptis.model.config import ParserConfig  # noqa: PLC0415
    except ImportError:
        return _tidy(plain(html))
    config = ParserConfig(css=STRICT_CSS_PROFILE, display_images=True)
    try:
        tree = _tree(html)
        text = "" if tree is None else Inscriptis(tree, config).get_text()
    except (NoRoom, RecursionError):
        text = plain(html)
    return _tidy(text)


def _tree(html: str) -> "HtmlElement | None":
    """Parse HTML into what is to be seen of it; raise ``NoRoom`` where that is more than can be laid out."""
    from lxml.etree import ParserError  # noqa: PLC0415 - inscriptis brings it along
    from lxml.html import HTMLParser, document_fromstring  # noqa: PLC0415

    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        tree = document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except ParserError:
        return None
    if any(fault.type_name == "ERR_RESOURCE_LIMIT" for fault in parser.error_log):
        raise NoRoom
    _prune(tree)
    for link, holds_others in list(_links(tree)):
        _show_target(link, None if holds_others else _label(link))
    _set_texts(tree)
    fit(tree)
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
    for numbered in tree.iter("ol"):
        if len(numbered.get("start", "")) > _START_LIMIT:
            del numbered.attrib["start"]


def _fit(text: str | None) -> str | None:
    """Leave out what may be read of HTML and not be written again (XML 1.0 §2.2)."""
    return text and _UNFIT.sub("", text)


def _links(tree: "HtmlElement") -> "Iterator[tuple[HtmlElement, bool]]":
    """Give each link, the inner ones first, and whether there are others within it, as HTML has it none."""
    from lxml.etree import iterwalk  # noqa: PLC0415 - inscriptis brings it along

    last_begun = None
    for event, link in iterwalk(tree, events=("start", "end"), tag="a"):
        if event == "start":
            last_begun = link
        else:
            yield link, link is not last_begun


def _label(link: "HtmlElement") -> str:
    """Return what is to be seen of a link that holds no other."""
    label = " ".join("".join(link.itertext()).split())
    return label or "".join(image.get("alt", "") for image in link.iter("img")).strip()


def _show_target(link: "HtmlElement", label: str | None) -> None:
    """Write a link's URL behind it, unless its *label* says as much; None is one that nobody looked for."""
    target = link.get("href", "").strip()
    if not _WORTH_SHOWING.match(target) or (label is not None and _bare(label) == _bare(target)):
        return
    # A plain space would be lost behind an image.
    shown = f"<{target}>" if label == "" else f"\u00a0<{target}>"
    if len(link):
        link[-1].tail = (link[-1].tail or "").rstrip() + shown
    else:
        link.text = (link.text or "").rstrip() + shown


def _bare(target: str) -> str:
    """Return what two ways to write a URL have in common."""
    return unquote(_SCHEME.sub("", target, count=1)).rstrip("/").lower()


def _set_texts(tree: "HtmlElement") -> None:
    kept: set[HtmlElement] = set()
    for block in tree.iter("pre", "textarea"):
        if block not in kept:
            kept.update(block.iter())
    for element in tree.iter():
        element.text = _widened(element.text, kept=element in kept)
        element.tail = _widened(element.tail, kept=element in kept and element.tag not in ("pre", "textarea"))
        if alt := element.get("alt"):
            element.set("alt", _widened(alt.strip(), kept=False))


def _widened(text: str | None, *, kept: bool) -> str | None:
    if text is None:
        return None
    if not kept:
        text = _SEPARATOR.sub(rf"\1{_KEPT_SPACE}", _LINE_END.sub("", text))
    return _WIDE.sub(rf"\g<0>{_FILL}", text)


def _tidy(text: str) -> str:
    text = _FILLER.sub("", text.replace(_FILL, "")).replace("\u00a0", " ").replace(_KEPT_SPACE, " ")
    lines = "\n".join(line if line == "-- " else line.rstrip() for line in text.split("\n"))
    lines = re.sub(r"\n{3,}", "\n\n", lines).strip("\n")
    return f"{lines}\n" if lines else ""
