"""MIME trees as data: which multipart holds which parts."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias


class Leaf(Enum):
    """Where the parts of one kind go: one text, any number of images or files."""

    TEXT = "text"
    HTML = "html"
    CALENDAR = "calendar"
    IMAGES = "images"
    FILES = "files"


@dataclass(frozen=True, slots=True)
class Shape:
    """A multipart of some *subtype*; without parts it vanishes, with one it is that part, unless told *always*."""

    subtype: str
    children: "tuple[Shape | Leaf, ...]"
    always: bool = False


Place: TypeAlias = Shape | Leaf

# RFC 2046 §5.1.4: the last alternative is the best one. RFC 2387: images belong to the HTML; not all readers find them
# where "related" is one of the alternatives, so it is around these.
USUAL = Shape(
    "mixed",
    (
        Shape("related", (Shape("alternative", (Leaf.TEXT, Leaf.HTML, Leaf.CALENDAR)), Leaf.IMAGES)),
        Leaf.FILES,
    ),
)
