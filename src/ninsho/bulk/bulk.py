"""A mailing from its ledger through a client, until nobody waits any more."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ninsho.bulk.claims import Make
from ninsho.bulk.ledger import Ledger, Mailing
from ninsho.bulk.loading import Loaded
from ninsho.bulk.progress import Tally
from ninsho.bulk.recipients import Row
from ninsho.bulk.run import BATCH, Run, Watch

if TYPE_CHECKING:
    from ninsho.client.sync import Client


class Bulk:
    """Sends each recipient of *mailing* (a name, or as the ledger has it) the message that *make* makes of its row.

    ``make(row)`` returns a ``Submission``; where it raises, the row becomes ``invalid``. *limit* is how many messages
    one run sends at most. *progress* is told after each message. Killed at any moment and run again it goes on where it
    was.
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

        Raises ``ClientError`` where no connection can be had, ``LedgerUnavailable`` where the ledger does not answer;
        by then all that is known is in the ledger.
        """
        run = Run(self._ledger.database, self.mailing.id, self._make, limit=self._limit, batch=self._batch)
        with run:
            self._run = run
            if self._stopped:
                run.stop()
            for receipt in self._client.send_many(run.submissions(), order="completed"):
                run.settle(receipt)
                if self._progress is not None:
                    self._progress(run.tally)
        return run.tally

    def stop(self) -> None:
        """Send no more: ``run`` returns once what is on its way has its verdict. For signal handlers, other threads."""
        self._stopped = True
        if self._run is not None:
            self._run.stop()
