"""How deep HTML may be nested, so that a parser that calls itself for each level is not given what ends the process."""

from ninsho.mail.html.markup import Piece, pieces

# HTML §13.1.2.
_VOID = frozenset(("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"))
# In these, what looks like a tag may be none, and the other way round (HTML §13.2.6.4.4, .18, .20, .21, .5).
_OTHER_RULES = frozenset(("svg", "math", "template", "noscript", "plaintext", "frameset"))

# HTML §13.2.6.3 and §13.2.6.4.9-15: what ends by itself, where which others begin or end.
_LOOSE = frozenset(("p", "li", "dt", "dd"))
_CELLS = frozenset(("td", "th"))
_ROWS = _CELLS | {"tr"}
_GROUPS = _ROWS | {"tbody", "thead", "tfoot"}
_ENDED_BY_START = (
    {name: frozenset((name,)) for name in ("p", "li")}
    | dict.fromkeys(("dt", "dd"), frozenset(("dt", "dd")))
    | dict.fromkeys(("td", "th"), _CELLS)
    | {"tr": _ROWS}
    | dict.fromkeys(("tbody", "thead", "tfoot"), _GROUPS)
)
_ENDED_BY_END = (
    dict.fromkeys(("article", "blockquote", "center", "div", "dl", "footer", "header", "main", "nav", "ol"), _LOOSE)
    | dict.fromkeys(("section", "td", "th", "ul"), _LOOSE)
    | {"tr": _LOOSE | _CELLS, "table": _LOOSE | _GROUPS}
    | dict.fromkeys(("tbody", "thead", "tfoot"), _LOOSE | _ROWS)
)


def deepest(text: str) -> int:
    """Return how many elements stand within each other, at most.

    An end tag counts where nothing else is open within its element: what is not closed in order may stay open.
    """
    open_: list[str] = []
    most = 0
    for piece in pieces(text):
        if _has_other_rules(text, piece):
            return max(most, len(open_) + text.count("<", piece.start))
        if piece.kind == "start" and piece.name not in _VOID:
            _leave(open_, _ENDED_BY_START.get(piece.name, frozenset()))
            open_.append(piece.name)
            most = max(most, len(open_))
        elif piece.kind == "end":
            _close(open_, piece.name)
    return most


def _has_other_rules(text: str, piece: Piece) -> bool:
    if piece.kind == "start":
        return piece.name in _OTHER_RULES
    # HTML §13.2.5.20: behind these, a script may go on beyond its end tag.
    return piece.kind == "raw" and piece.name == "script" and text.find("<!--", piece.start, piece.end) >= 0


def _close(open_: list[str], name: str) -> None:
    loose = _ENDED_BY_END.get(name, frozenset())
    at = len(open_) - 1
    while at >= 0 and open_[at] != name and open_[at] in loose:
        at -= 1
    if at >= 0 and open_[at] == name:
        del open_[at:]


def _leave(open_: list[str], ended: frozenset[str]) -> None:
    while open_ and open_[-1] in ended:
        open_.pop()
