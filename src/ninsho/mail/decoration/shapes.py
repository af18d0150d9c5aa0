"""The carriers' MIME trees for decoration mail, which their servers and handsets take apart by position."""

from collections.abc import Mapping
from typing import Final

from ninsho.mail.composing.shapes import USUAL, Leaf, Shape
from ninsho.mail.decoration.carriers import Carrier

_TEXTS: Final = Shape("alternative", (Leaf.TEXT, Leaf.HTML, Leaf.CALENDAR), always=True)
_RELATED: Final = Shape("related", (_TEXTS, Leaf.IMAGES), always=True)

# docomo's own mail has all three multiparts, whatever is in them; WILLCOM and EMOBILE read the same.
DOCOMO: Final = Shape("mixed", (_RELATED, Leaf.FILES), always=True)
# au's handsets look for images beside the texts, and know nothing of multipart/related.
AU: Final = Shape("mixed", (_TEXTS, Leaf.IMAGES, Leaf.FILES), always=True)
# SoftBank's have multipart/related outermost; multipart/mixed is around it only where there are files.
SOFTBANK: Final = Shape("mixed", (_RELATED, Leaf.FILES))

SHAPES: Final[Mapping[Carrier, Shape]] = {
    Carrier.DOCOMO: DOCOMO,
    Carrier.AU: AU,
    Carrier.SOFTBANK: SOFTBANK,
    Carrier.WILLCOM: DOCOMO,
    Carrier.EMOBILE: DOCOMO,
    Carrier.PC: USUAL,
}
