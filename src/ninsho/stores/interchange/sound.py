"""Whether stored forms are what their schemes make, which is told without computing a hash."""

from ninsho.errors import MalformedSecret
from ninsho.stores import hashing
from ninsho.stores.entries import Entry
from ninsho.stores.names import MalformedEntry


def check(entry: Entry) -> None:
    """Raise ``MalformedEntry`` for a broken form."""
    for stored in entry.secrets:
        try:
            hashing.check(stored)
        except MalformedSecret as error:
            raise MalformedEntry(f"password: {error}") from None
