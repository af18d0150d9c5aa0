"""What stores and libraries report through the standard library's logging, written to the journal."""

import logging

from ninsho.daemon.journal import Journal


class ToJournal(logging.Handler):
    """Writes each record as one line."""

    def __init__(self, journal: Journal) -> None:
        super().__init__()
        self._journal = journal

    def emit(self, record: logging.LogRecord) -> None:
        """Write it; the traceback of an error stays out, as a library's might show values."""
        self._journal.note("report", level=record.levelname.lower(), by=record.name, text=record.getMessage())


def report_to(journal: Journal) -> None:
    """Write warnings and worse of whatever runs in this process to *journal*."""
    logging.basicConfig(handlers=[ToJournal(journal)], level=logging.WARNING, force=True)
