"""Messages of a merge before they are written: values of a row. What is wrong with a row is said by its receipt."""

from typing import TYPE_CHECKING

from ninsho.mail.material import Draft, Material
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import Unsendable

if TYPE_CHECKING:
    from ninsho.mail.merging.filling import Values
    from ninsho.mail.merging.mold import Mold


class Merged(Draft):
    """The message of one row: each time that it is written it has the same octets, Message-ID and Date."""

    __slots__ = ("_mold", "_place", "_values")

    def __init__(self, mold: "Mold", values: "Values", place: str | int) -> None:
        self._mold, self._values, self._place = mold, values, place

    def material(self, terms: Terms) -> Material:
        """Return the message; raise ``Unsendable``, which names the row."""
        try:
            return self._mold.material(self._values, terms)
        except Unsendable as error:
            raise of_row(error, self._place) from error


class Refused(Draft):
    """What a row came to that no message can be made of."""

    __slots__ = ("_error",)

    def __init__(self, error: Unsendable) -> None:
        self._error = error

    def material(self, terms: Terms) -> Material:  # noqa: ARG002 - no connection would do
        """Raise what is wrong with the row."""
        raise self._error


def of_row(error: Unsendable, place: str | int) -> Unsendable:
    """Return *error* with the row in front."""
    return Unsendable(f"{place if isinstance(place, str) else f'row {place}'}: {error}")
