"""How much decoration mail the carriers deliver as such: sizes that they published, checked before anything is sent."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ninsho.mail.decoration.carriers import Carrier
from ninsho.mail.unsendable import Unsendable

_KIB: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Octets before they are encoded for transfer; None where the carrier says nothing.

    ``texts`` are text and HTML together, ``html`` that alone, ``images`` those within the HTML together, ``total`` all
    of it. ``image_count`` is how many images.
    """

    texts: int | None = None
    html: int | None = None
    images: int | None = None
    image_count: int | None = None
    total: int | None = None

    def check(self, carrier: Carrier, *, text: int, html: int, images: Sequence[int]) -> None:
        """Raise ``Unsendable`` with all that is too much, of the sizes of a text, HTML, and each image."""
        sizes = {
            "text and HTML": (text + html, self.texts, "octets"),
            "HTML": (html, self.html, "octets"),
            "images": (sum(images), self.images, "octets"),
            "number of images": (len(images), self.image_count, "images"),
            "size": (text + html + sum(images), self.total, "octets"),
        }
        if excess := list(_excess(sizes)):
            raise Unsendable(f"decoration for {carrier.value}: {'; '.join(excess)}")


def _excess(sizes: Mapping[str, tuple[int, int | None, str]]) -> Iterator[str]:
    for what, (size, limit, unit) in sizes.items():
        if limit is not None and size > limit:
            yield f"{what}: expected at most {limit} {unit}, got {size}"


# docomo's Deco-mail 3.0 and later, au's handsets of 100 KB, SoftBank's 3G; the first generations took 10 KB of all.
LIMITS: Final[Mapping[Carrier, Limits]] = {
    Carrier.DOCOMO: Limits(texts=10_000, images=90 * _KIB, image_count=20),
    Carrier.AU: Limits(texts=10 * _KIB, total=100 * _KIB, image_count=20),
    Carrier.SOFTBANK: Limits(html=30 * _KIB, total=300 * _KIB),
}
