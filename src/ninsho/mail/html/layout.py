"""How much room HTML takes as text; tables that would take more than they deserve are shown without columns."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.html import HtmlElement

# Characters of all tables together, as each cell is padded to the width of its column and the height of its row.
ROOM = 1_000_000
# Characters that are copied as lines grow: each piece of text behind the others takes the whole line.
_COPIED = 2_000_000_000
# Lists within each other that are indented: each line of them is.
DEEPEST_LIST = 16

_INDENT = 4  # columns for each list
_BULLET = 12  # columns
_CELLS = frozenset(("td", "th"))
_LISTS = frozenset(("ul", "ol"))
_PREFORMATTED = frozenset(("pre", "xmp", "listing", "plaintext"))
_BLOCKS = (
    frozenset(("address", "article", "aside", "blockquote", "br", "div", "figcaption", "figure", "footer", "header"))
    | frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "hgroup", "layer", "li", "main", "nav", "p"))
    | _LISTS
    | _PREFORMATTED
)


class NoRoom(Exception):
    """A page that cannot be laid out."""


def fit(tree: "HtmlElement") -> None:
    """Make blocks of the tables, and of the lists, that there is no room for; inner ones are fitted in first.

    Raises ``NoRoom`` where that does not help.
    """
    from lxml.etree import iterwalk  # noqa: PLC0415 - an extra

    measure = _Measure()
    for event, element in iterwalk(tree, events=("start", "end")):
        if event == "start":
            measure.start(element)
        else:
            measure.end(element)
    # Not meanwhile: what a tag began as it ends as.
    for element in measure.unfit:
        element.tag = "div"


@dataclass(slots=True)
class _Box:
    """What has lines of its own: the page, a table, a cell."""

    width: int = 0
    height: int = 1
    line: int = 0
    lists: int = 0

    def write(self, text: str | None, *, preformatted: bool) -> None:
        if not text:
            return
        if not preformatted:
            # One more, for a space at either end.
            self._put(len(" ".join(text.split())) + 1)
            return
        first, *lines = text.split("\n")
        self._put(len(first))
        for line in lines:
            self.end_line()
            self._put(len(line))

    def _put(self, length: int) -> None:
        self.line = (self.line or self.lists * _INDENT) + length
        self.width = max(self.width, self.line)

    def end_line(self) -> None:
        self.line = 0
        self.height += 1

    def hold(self, width: int, height: int) -> None:
        """Take what has lines of its own."""
        self.end_line()
        self.width = max(self.width, width + self.lists * _INDENT)
        self.height += height


@dataclass(slots=True)
class _Table:
    element: "HtmlElement"
    rows: list[list[_Box]] = field(default_factory=list)
    parts: list["HtmlElement"] = field(default_factory=list)

    def cell(self) -> _Box:
        if not self.rows:
            self.rows.append([])
        self.rows[-1].append(_Box())
        return self.rows[-1][-1]

    def in_columns(self) -> tuple[int, int]:
        """Return the width and the height of the table, each at least one for each column and row."""
        columns: list[int] = []
        height = 0
        for row in self.rows:
            height += max((cell.height for cell in row), default=1)
            columns += [0] * (len(row) - len(columns))
            for number, cell in enumerate(row):
                columns[number] = max(columns[number], cell.width)
        return sum(columns) + 2 * len(columns), height

    def in_lines(self) -> tuple[int, int]:
        """Return the width and the height of the cells one below another."""
        cells = [cell for row in self.rows for cell in row]
        return max((cell.width for cell in cells), default=0), sum(cell.height for cell in cells)


class _Measure:
    """Goes through a page; ``unfit`` are the elements for which there is no room as what they are."""

    def __init__(self) -> None:
        self.unfit: list[HtmlElement] = []
        self._room = ROOM
        self._boxes = [_Box()]
        self._tables: list[_Table] = []
        self._lists = self._preformatted = self._copied = 0

    def start(self, element: "HtmlElement") -> None:
        name = element.tag
        if name == "table":
            self._tables.append(_Table(element))
            self._boxes.append(_Box())
        elif self._tables and name == "tr":
            self._tables[-1].rows.append([])
            self._tables[-1].parts.append(element)
        elif self._tables and name in _CELLS:
            self._boxes.append(self._tables[-1].cell())
            self._tables[-1].parts.append(element)
        self._enter(element, 1)
        self._write(element.text)

    def end(self, element: "HtmlElement") -> None:
        self._enter(element, -1)
        if element.tag == "table":
            self._finish(self._tables.pop(), self._boxes.pop())
        elif self._tables and element.tag in _CELLS:
            self._boxes.pop()
        self._write(element.tail)

    def _enter(self, element: "HtmlElement", step: int) -> None:
        """Enter an element, or leave it with *step* -1."""
        name, box = element.tag, self._boxes[-1]
        if name in _BLOCKS:
            box.end_line()
        if name in _PREFORMATTED:
            self._preformatted += step
        elif name in _LISTS:
            self._lists += step
            box.lists += step
            if step > 0 and self._lists > DEEPEST_LIST:
                self.unfit.append(element)
        elif step > 0 and name == "li":
            box.write("*" * _BULLET, preformatted=True)
        elif step > 0 and name == "img":
            self._write(element.get("alt"))

    def _write(self, text: str | None) -> None:
        box = self._boxes[-1]
        box.write(text, preformatted=self._preformatted > 0)
        self._copied += box.line
        if self._copied > _COPIED:
            raise NoRoom

    def _finish(self, table: _Table, beside: _Box) -> None:
        width, height = table.in_columns()
        if width * height > self._room:
            self.unfit += [table.element, *table.parts]
            width, height = table.in_lines()
        else:
            self._room -= width * height
        self._boxes[-1].hold(beside.width, beside.height)
        self._boxes[-1].hold(width, height)
