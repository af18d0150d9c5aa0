"""A ledger for a command: what is wrong with it is told as every command tells it."""

from collections.abc import Iterator
from contextlib import contextmanager

from ninsho.bulk.database import LedgerUnavailable
from ninsho.bulk.ledger import Ledger
from ninsho.cli.endings import CannotTell


@contextmanager
def opened(place: str, *, create: bool = False) -> Iterator[Ledger]:
    """Open the ledger at *place*; raises ``CannotTell`` where its database does not answer, also later."""
    try:
        with Ledger(place, create=create) as ledger:
            yield ledger
    except LedgerUnavailable as error:
        raise CannotTell(f"ledger: {error}") from None
