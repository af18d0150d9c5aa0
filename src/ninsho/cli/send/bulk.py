"""``ninsho send --bulk``: a message for each row of a list, by a ledger."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any, Final

from ninsho.bulk.bulk import Bulk
from ninsho.bulk.ledger import Ledger, Mailing
from ninsho.bulk.loading import Loaded
from ninsho.bulk.progress import Tally
from ninsho.bulk.report import check_place, write_report
from ninsho.bulk.states import State
from ninsho.cli.endings import EX_TEMPFAIL, EX_UNAVAILABLE, NO, WrongUsage
from ninsho.cli.ledger.opened import opened
from ninsho.cli.send.bulk_letter import BulkLetter
from ninsho.cli.send.bulk_list import RecipientList
from ninsho.cli.send.bulk_options import BulkOptions
from ninsho.cli.send.bulk_progress import line, shown
from ninsho.cli.send.bulk_rehearsal import rehearse
from ninsho.cli.send.chat import chat
from ninsho.cli.send.options import ComposeOptions, SendOptions
from ninsho.cli.send.server import ServerOptions
from ninsho.cli.send.signing import SigningOptions
from ninsho.cli.send.words import said
from ninsho.cli.send.writing import WritingOptions
from ninsho.cli.terminal import remark, say, say_json, visible
from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.settings import Settings
from ninsho.client.sync import Client
from ninsho.errors import ClientError
from ninsho.mail.merging.csv_rows import Row as PlacedRow
from ninsho.mail.merging.merge import Merge
from ninsho.mail.message import Submission
from ninsho.mail.unsendable import Unsendable

# As a shell says that a signal ended it.
INTERRUPTED: Final = 130


def send_bulk(  # noqa: PLR0913, PLR0917 - as many kinds of options as the command has
    composing: ComposeOptions,
    writing: WritingOptions,
    signing: SigningOptions,
    sending: SendOptions,
    server: ServerOptions,
    bulk: BulkOptions,
) -> int:
    """Send to all of a list who have not got it yet; return the exit status."""
    _check(sending, bulk)
    # A password may be read from standard input for it.
    settings = None if sending.dry_run else server.settings(sending.via, "--via")
    letter = BulkLetter(composing, writing, signing, sending, bulk, login=lambda: _login(settings, sending, server))
    listed = RecipientList(bulk)
    try:
        merge = letter.merge(listed.address)
        _try(merge, listed)
        if settings is None:
            return rehearse(merge, listed, bulk, sending)
        return _Mailing(letter, listed, sending, bulk).send(merge, settings)
    except Unsendable as error:
        raise WrongUsage(f"--bulk: {error}") from None


def _check(sending: SendOptions, bulk: BulkOptions) -> None:
    if bulk.bulk is None:
        raise WrongUsage("expected --bulk, and a list, with options for mail to many")
    if sending.message or sending.recipient:
        raise WrongUsage(f"expected --bulk or {'--message' if sending.message else '--recipient'}, got both")
    if sending.open_preview and (sending.as_json or not sending.dry_run):
        found = "--json" if sending.as_json else "none: what is sent is not shown"
        raise WrongUsage(f"--open: expected --dry-run alone, got {found}")
    if bulk.ledger is None and not sending.dry_run:
        raise WrongUsage("expected --ledger, such as news.db, with --bulk: it is what keeps anybody from two messages")
    if bulk.limit is not None and bulk.limit < 1:
        raise WrongUsage(f"--limit: expected 1 or more, got {bulk.limit}")
    if bulk.report is not None and not sending.dry_run:
        check_place(bulk.report)


def _login(settings: Settings | None, sending: SendOptions, server: ServerOptions) -> str:
    if settings is None:
        return server.user_name(sending.via, "--via")
    return settings.login.username if settings.login else ""


def _try(merge: Merge, listed: RecipientList) -> None:
    """Make the first message: where a template names a column that is not there, nobody gets anything."""
    merge.submission(PlacedRow(dict(listed.first.values), f"line {listed.first.line}"))


class _Mailing:
    """One run of the command with a ledger."""

    def __init__(self, letter: BulkLetter, listed: RecipientList, sending: SendOptions, bulk: BulkOptions) -> None:
        self._letter, self._listed = letter, listed
        self._sending, self._bulk = sending, bulk
        self._interrupted = False

    def send(self, merge: Merge, settings: Settings) -> int:
        """Load the list, send, tell; return the exit status."""
        with opened(str(self._bulk.ledger), create=True) as ledger:
            mailing = self._mailing(ledger)
            loaded = ledger.load(mailing, self._listed.rows(), address=self._listed.address, key=self._bulk.key)
            self._remark_loaded(loaded, ledger.counts(mailing)[State.WAITING])
            tally, failure = self._run(ledger, mailing, merge, settings)
            counts = ledger.counts(mailing)
            if self._bulk.report is not None:
                write_report(self._bulk.report, ledger, mailing)
        self._tell(mailing, loaded, tally, counts, failure)
        return INTERRUPTED if self._interrupted else _status(counts, failure)

    def _mailing(self, ledger: Ledger) -> Mailing:
        name = self._bulk.mailing or _name_of(self._bulk)
        fingerprint, subject = self._letter.fingerprint, self._letter.words["subject"]
        mailing = ledger.mailing(name, fingerprint=fingerprint, subject=subject)
        if mailing.fingerprint != fingerprint:
            if not self._bulk.changed:
                raise WrongUsage(
                    f"mailing {visible(name)!r} was begun with another subject, template, attachment or option: give"
                    " this one a name of its own by --mailing, or go on with what has changed by --changed"
                )
            ledger.change(mailing, fingerprint=fingerprint, subject=subject)
        return mailing

    def _run(
        self, ledger: Ledger, mailing: Mailing, merge: Merge, settings: Settings
    ) -> tuple[Tally, ClientError | None]:
        last = Tally()

        def keep(tally: Tally) -> None:
            nonlocal last
            last = tally
            tell(tally)

        def make(row: Any) -> Submission:  # noqa: ANN401 - the row of a list
            return merge.submission(row)

        quiet = self._sending.quiet or self._sending.transcript or self._sending.as_json
        watch = chat() if self._sending.transcript else None
        with Client(settings, transcript=watch) as client, shown(quiet=quiet) as tell:
            run = Bulk(ledger, mailing, make, client, limit=self._bulk.limit, progress=keep)
            with self._stopping(run):
                try:
                    return run.run(), None
                except ClientError as error:
                    return last, error

    @contextmanager
    def _stopping(self, run: Bulk) -> Iterator[None]:
        """Let the first Ctrl-C, or SIGTERM, end the run in good order, and the second one at once."""

        def stop(number: int, _: FrameType | None) -> None:
            signal.signal(number, before[number])
            self._interrupted = True
            run.stop()
            # The handler may have come in the midst of another remark, which this one then cannot be.
            with suppress(RuntimeError):
                remark("ninsho: stopping: waiting for what is on its way; once more gives that up")

        before: dict[int, Any] = {}
        for number in (int(signal.SIGINT), int(signal.SIGTERM)):
            before[number] = signal.signal(number, stop)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _remark_loaded(self, loaded: Loaded, waiting: int) -> None:
        if self._sending.quiet or self._sending.as_json:
            return
        parts = {"new": loaded.new, "known": loaded.known, "duplicate": loaded.duplicates, "invalid": loaded.invalid}
        told = ", ".join(f"{count} {name}" for name, count in parts.items() if count)
        remark(f"{loaded.rows} rows: {told}")
        if (copied := self._letter.copied) and waiting:
            remark(f"{visible(', '.join(copied))}: a copy of each message, {waiting} in all")

    def _tell(
        self,
        mailing: Mailing,
        loaded: Loaded,
        tally: Tally,
        counts: dict[State, int],
        failure: ClientError | None,
    ) -> None:
        if self._sending.as_json:
            say_json(_facts(mailing, loaded, tally, counts, failure))
        elif not self._sending.quiet:
            if sys.stderr.isatty():
                # In place of the bar.
                remark(line(tally))
            say(", ".join(f"{count} {state.value}" for state, count in counts.items() if count))
            if any(counts[state] for state in (State.UNKNOWN, State.REFUSED, State.INVALID, State.DEFERRED)):
                place = _safe(str(self._bulk.ledger))
                say(f"who, and why: ninsho ledger show {place} --mailing {visible(mailing.name)}")
        if failure is not None:
            remark(f"ninsho: {visible(said(failure))}")


def _name_of(bulk: BulkOptions) -> str:
    return "query" if bulk.bulk_sql is not None else Path(str(bulk.bulk)).stem


def _safe(place: str) -> str:
    """Name a ledger without who logs in there, and how."""
    return visible(place) if "://" not in place else "URL"


def _facts(
    mailing: Mailing, loaded: Loaded, tally: Tally, counts: dict[State, int], failure: ClientError | None
) -> dict[str, Any]:
    return {
        "mailing": mailing.name,
        "list": {
            "rows": loaded.rows,
            "new": loaded.new,
            "known": loaded.known,
            "duplicates": loaded.duplicates,
            "invalid": loaded.invalid,
        },
        "run": {
            **{state.value: count for state, count in tally.states.items() if count},
            "done": tally.done,
            "seconds": round(tally.seconds, 3),
            "rate": round(tally.rate, 1),
        },
        "recipients": {state.value: count for state, count in counts.items()},
        "error": None if failure is None else said(failure),
    }


def _status(counts: dict[State, int], failure: ClientError | None) -> int:
    """Return the exit status: "later" says that the same command may bring it further; so that comes first."""
    if isinstance(failure, ConnectionFailed | TLSFailed):
        return EX_UNAVAILABLE
    if failure is not None and not failure.temporary:
        return NO
    if failure is not None or any(counts[state] for state in (State.WAITING, State.DEFERRED, State.SENDING)):
        return EX_TEMPFAIL
    wrong = any(counts[state] for state in (State.REFUSED, State.UNKNOWN, State.INVALID, State.BOUNCED))
    return NO if wrong else 0
