"""``ninsho send``: messages on their way, and what became of them."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from email.message import EmailMessage
from itertools import chain
from typing import TYPE_CHECKING, Any

from ninsho.cli.endings import WrongUsage
from ninsho.cli.send.bulk_options import BulkOptions
from ninsho.cli.send.chat import chat
from ninsho.cli.send.compose import composed
from ninsho.cli.send.given import Given, Mail
from ninsho.cli.send.hiding import hide
from ninsho.cli.send.options import ComposeOptions, SendOptions
from ninsho.cli.send.outcome import facts, sentences, status, way
from ninsho.cli.send.preview import opened, preview
from ninsho.cli.send.progress import bar
from ninsho.cli.send.server import STANDARD_INPUT, ServerOptions
from ninsho.cli.send.signing import SigningOptions
from ninsho.cli.send.standard_input import readers, skip_password
from ninsho.cli.send.untried import named, untried
from ninsho.cli.send.words import said
from ninsho.cli.send.writing import WritingOptions
from ninsho.cli.terminal import remark, say, say_json, visible
from ninsho.client.receipt import Receipt
from ninsho.client.settings import Settings
from ninsho.client.sync import Client
from ninsho.errors import ClientError
from ninsho.mail.at_hand import AtHand
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.composing.render import render
from ninsho.mail.message import Submission, envelope

if TYPE_CHECKING:
    from ninsho.mail.signing.signer import Signer


def send(  # noqa: PLR0913 - by keyword only, a kind of options each
    *,
    composing: ComposeOptions = ComposeOptions(),  # noqa: B008 - it is frozen
    writing: WritingOptions = WritingOptions(),  # noqa: B008
    signing: SigningOptions = SigningOptions(),  # noqa: B008
    sending: SendOptions = SendOptions(),  # noqa: B008
    server: ServerOptions = ServerOptions(),  # noqa: B008
    bulk: BulkOptions = BulkOptions(),  # noqa: B008
) -> int:
    """Send a message, or several, through a server."""
    hide(sending.via, quiet=sending.quiet)
    if bulk.given:
        # The ledger takes a library that others need not have.
        from ninsho.cli.send.bulk import send_bulk  # noqa: PLC0415

        return send_bulk(composing, writing, signing, sending, server, bulk)
    with ExitStack() as stack:
        run = _Run(sending, server)
        mail, count = run.mail(composing, writing, stack)
        if signing.given:
            mail = _signed(mail, signing.signers())
        if sending.dry_run:
            return opened(mail) if sending.open_preview else preview(mail, as_json=sending.as_json)
        if sending.open_preview:
            raise WrongUsage("--open: expected --dry-run as well: what is sent is not shown")
        return run.deliver(mail, count)


def _signed(mail: Iterable[tuple[Given, Submission]], signers: "list[Signer]") -> Iterator[tuple[Given, Submission]]:
    for given, submission in mail:
        # What is signed has no Bcc any more: the envelope is told besides.
        sender, recipients = envelope(submission)
        octets = render(submission.message, sign=signers)
        yield given, Submission(octets, sender, submission.recipients or recipients, submission.options)


class _Run:
    """One run of the command: the receipts so far, and the places of their messages."""

    def __init__(self, sending: SendOptions, server: ServerOptions) -> None:
        self._sending = sending
        self._server = server
        self._places: list[str] = []
        self._told: Settings | None = None

    def mail(
        self, composing: ComposeOptions, writing: WritingOptions, stack: ExitStack
    ) -> tuple[Iterable[tuple[Given, Submission]], int | None]:
        """Return what is to be sent, and how many messages that is, None where nobody knows."""
        sending = self._sending
        options, recipients = sending.options, sending.recipient or None
        if sending.message and (composing.given or writing.given):
            raise WrongUsage("expected --message, or options that make one, got both")
        self._begin(readers(composing, sending))
        if not sending.message:
            given: Iterable[Given] = [Given("", self._composed(composing, writing))]
            count: int | None = 1
        else:
            given = whole = Mail(sending.message, sending.sender, stack)
            count = whole.count
        return ((one, Submission(one.message, sending.sender, recipients, options)) for one in given), count

    def _begin(self, readers: list[str]) -> None:
        """Take the password from standard input before anybody else reads there."""
        if self._server.password_file != STANDARD_INPUT:
            return
        if not self._sending.dry_run:
            self._settings  # noqa: B018 - made with it
        elif readers:
            skip_password()

    def _composed(self, composing: ComposeOptions, writing: WritingOptions) -> EmailMessage | StreamedMessage:
        behind_password = self._server.password_file == STANDARD_INPUT
        recipients = bool(self._sending.recipient)
        return composed(composing, writing, self._login, recipients=recipients, behind_password=behind_password)

    def deliver(self, mail: Iterable[tuple[Given, Submission]], count: int | None) -> int:
        """Send it; say what became of it, and return the exit status."""
        sending = self._sending
        visible = count != 1 and sys.stderr.isatty() and not (sending.quiet or sending.transcript)
        watch = chat() if sending.transcript else None
        receipts: list[Receipt] = []
        failure: ClientError | None = None
        submissions = self._submissions(mail)
        with Client(self._settings, transcript=watch) as client, bar(count, visible=visible) as progress:
            try:
                for receipt in client.send_many(AtHand(submissions), progress=progress):
                    receipts.append(receipt)
                    self._tell(receipt, self._places[len(receipts) - 1], alone=count == 1)
            except ClientError as error:
                failure = error
        self._conclude(receipts, failure, submissions, alone=count == 1)
        return status(receipts, failure)

    def _submissions(self, mail: Iterable[tuple[Given, Submission]]) -> Iterator[Submission]:
        for given, submission in mail:
            self._places.append(given.place)
            yield submission

    def _tell(self, receipt: Receipt, place: str, *, alone: bool) -> None:
        """Say at once what went wrong; of one message alone also what went well."""
        if self._sending.as_json or (receipt.ok and (self._sending.quiet or not alone)):
            return
        for sentence in sentences(receipt):
            written = sentence if alone else f"{visible(place)}: {sentence}"
            say(written) if receipt.ok else remark(written)
        if receipt.ok:
            say(way(receipt))

    def _conclude(
        self, receipts: list[Receipt], failure: ClientError | None, left: Iterator[Submission], *, alone: bool
    ) -> None:
        """Say what became of all; *left* are those that were not even tried, for *failure*."""
        if self._sending.as_json:
            say_json(self._facts(receipts, failure, left))
        else:
            for _ in left:
                remark(f"{visible(self._places[-1])}: unsent: never tried")
            if not alone and not self._sending.quiet:
                accepted = sum(receipt.ok for receipt in receipts)
                say(f"{accepted} of {len(self._places)} messages accepted")
        if failure is not None and not any(receipt.error is failure for receipt in receipts):
            remark(f"ninsho: {visible(said(failure))}")

    def _facts(
        self, receipts: list[Receipt], failure: ClientError | None, left: Iterator[Submission]
    ) -> list[dict[str, Any]]:
        tried = (named(receipt, failure) for receipt in receipts)
        never = (untried(submission, failure) for submission in left)
        # A place is known when its message has been taken.
        return [facts(place, receipt) for receipt, place in zip(chain(tried, never), self._places, strict=False)]

    @property
    def _settings(self) -> Settings:
        # Made once: a password may be read from standard input for it.
        if self._told is None:
            self._told = self._server.settings(self._sending.via, "--via")
        return self._told

    def _login(self) -> str:
        if self._sending.dry_run:
            return self._server.user_name(self._sending.via, "--via")
        login = self._settings.login
        return login.username if login else ""
