"""A mailing from its ledger through a client, until nobody waits any more."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ninsho.bulk.claims import Make
from ninsho.bulk.ledger import Ledger, Mailing
from ninsho.bulk.loading import Loaded
from ninsho.bulk.progress import Tally
from ninsho.bulk.recipients import Row
from ninsho.bulk.run import BATCH, Run, Watch
from ninsho.mail.at_hand import AtHand

if TYPE_CHECKING:
    from ninsho.client.sync import Client


class Bulk:
    """Sends each recipient of *mailing* (a name, or as the ledger has it) the message that *make* makes of its row.

    ``make(row)`` returns a message for the row's address, as ``compose`` makes it, or a ``Submission`` that goes at
    least there; one that goes elsewhere makes the row ``invalid``, and so does a ``NinshoError``, a ``ValueError`` or a
    ``KeyError`` that it raises; any other exception ends the run. A message without Message-ID is given one. *limit* is
    how many messages one run sends at most, *progress* is told after each. Killed at any moment and run again it goes
    on where it was. Raises ``ValueError`` for a limit below 1.
    """

    def __init__(  # noqa: PLR0913 - by keyword only, but for what it always takes
        self,
        ledger: Ledger,
        mailing: Mailing | str,
        make: Make,
        client: "Client",
        *,
        limit: int | None = None,
        batch: int = BATCH,
        progress: Watch | None = None,
    ) -> None:
        self.mailing = ledger.mailing(mailing) if isinstance(mailing, str) else mailing
        self._ledger = ledger
        self._make = make
        self._client = client
        if limit is not None and limit < 1:
            raise ValueError(f"limit: expected 1 or more, got {limit}")
        self._limit, self._batch = limit, batch
        self._progress = progress
        self._run: Run | None = None
        self._stopped = False

    def load(
        self, rows: Iterable[Mapping[str, Any] | Row], *, address: str = "email", key: str | None = None
    ) -> Loaded:
        """Add recipients; those that the mailing has already are left as they are: see ``Ledger.load``."""
        return self._ledger.load(self.mailing, rows, address=address, key=key)

    def run(self) -> Tally:
        """Send to all who wait; return what became of them in this run.

        Raises ``ClientError`` where no connection can be had, ``RefusesAll`` where the server refuses one message after
        the other, ``LedgerUnavailable`` where the ledger does not answer, and what ``make`` or *progress* has raised;
        by then all that is known is in the ledger.
        """
        with Run(self._ledger.database, self.mailing.id, self._make, limit=self._limit, batch=self._batch) as run:
            self._run = run
            if self._stopped:
                run.stop()
            fault = None
            for receipt in self._client.send_many(AtHand(run.submissions()), order="completed"):
                run.settle(receipt)
                if fault is None:
                    fault = self._told(run.tally)
        if fault is not None:
            raise fault
        run.refusals.raise_for_all()
        return run.tally

    def _told(self, tally: Tally) -> Exception | None:
        """Tell how far it is; return what that raises, as nothing of the run depends on it."""
        if self._progress is not None:
            try:
                self._progress(tally)
            except Exception as error:  # noqa: BLE001 - raised when all is sent
                return error
        return None

    def stop(self) -> None:
        """Send no more: ``run`` returns once what is on its way has its verdict. For signal handlers, other threads."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()
