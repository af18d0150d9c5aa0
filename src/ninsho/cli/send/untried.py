"""Messages that were never begun, as no connection could be had: whose they are, and whom they were for."""

from ninsho.cli.send.preview import USUAL
from ninsho.client.receipt import Fate, Outcome, Receipt
from ninsho.errors import ClientError
from ninsho.mail.message import Preparer, Submission
from ninsho.mail.unsendable import Unsendable


def untried(submission: Submission, error: ClientError | None) -> Receipt:
    """Return a receipt that says of each recipient that nothing was sent; *error* is why."""
    try:
        prepared = Preparer(USUAL, chunking=False).prepare(submission)
    except Unsendable as unsendable:
        return Receipt(submission, submission.sender or "", "", (), attempts=0, error=unsendable)
    fates = tuple(Fate(recipient, Outcome.UNSENT) for recipient in prepared.recipients)
    return Receipt(submission, prepared.sender, prepared.message_id, fates, attempts=0, error=error)


def named(receipt: Receipt, failure: ClientError | None) -> Receipt:
    """Return *receipt*, with all who are concerned if *failure* came before the message was looked at."""
    if receipt.attempts or failure is None or receipt.error is not failure:
        return receipt
    return untried(receipt.submission, failure)
