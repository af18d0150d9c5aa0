"""Whether stored forms are what their schemes make, which is told without computing a hash."""

from ninsho.errors import MalformedSecret
from ninsho.stores.entries import Entry
from ninsho.stores.names import MalformedEntry
from ninsho.stores.schemes.stored import Stored
from ninsho.stores.schemes.table import SCHEMES


def check(entry: Entry) -> None:
    """Raise ``MalformedEntry`` for a broken form; one of a scheme that is never accepted is whatever it is."""
    for stored in entry.secrets:
        try:
            read = Stored.parse(stored)
            if scheme := SCHEMES.get(read.label.name):
                scheme.check(read.form)
        except MalformedSecret as error:
            raise MalformedEntry(f"password: {error}") from None
