"""One message on one connection: submitted as all of ours are, its outcome told as smtplib tells it."""

from collections.abc import Sequence
from typing import Any

from ninsho.client.errors import ContentRefused, RecipientsRefused, SenderRefused
from ninsho.client.flow import Flow
from ninsho.client.job import Job, Transaction
from ninsho.client.receipt import Via
from ninsho.client.session import CLOSING
from ninsho.client.transactions import Courier
from ninsho.errors import ClientError
from ninsho.like_smtplib.talk import Answer, SpokenSession, answer
from ninsho.mail.content import Octets
from ninsho.mail.message import Prepared, Preparer, Submission
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply

Refusals = dict[str, Answer]
"""Code and text by recipient, as smtplib has them."""


class _Job(Job):
    """A job that knows its transaction, and so where a connection broke."""

    __slots__ = ("transaction",)

    transaction: Transaction

    def begin(self, prepared: Prepared, via: Via) -> Transaction:
        """Return the transaction."""
        self.transaction = super().begin(prepared, via)
        return self.transaction


class _Ready(Preparer):
    """Has one message, which is ready."""

    def __init__(self, prepared: Prepared) -> None:
        super().__init__(Capabilities(), chunking=False)
        self._prepared = prepared

    def prepare(self, submission: Submission) -> Prepared:  # noqa: ARG002 - there is one only
        """Return it."""
        return self._prepared


class _Desk:
    """Hands out one job, once."""

    eager = True

    def __init__(self, job: Job) -> None:
        self._jobs = [job]

    def take(self, *, wait: bool) -> Job | None:  # noqa: ARG002 - there is nothing to wait for
        """Return the job; after that None."""
        return self._jobs.pop() if self._jobs else None

    def at_once(self) -> Job | None:
        """Return nothing: there is one job only."""
        return None

    def give(self, job: Job) -> None:
        """Take note of nothing: who made the job looks at it."""

    def give_back(self, job: Job) -> None:
        """Take note of nothing: this connection was its only chance."""


def submit(session: SpokenSession, mail: bytes, rcpts: dict[str, bytes], octets: bytes) -> Flow[Refusals]:
    """Submit *octets* in a transaction of *mail* and *rcpts*, which are whole lines; return who may not have it.

    Raises ``SenderRefused``, ``RecipientsRefused``, ``ContentRefused``, ``OutcomeUnknown`` or ``ConnectionLost`` where
    nobody gets it, or nobody can tell.
    """
    sender = mail.partition(b"<")[2].partition(b">")[0].decode()
    job = _Job(Submission(octets, sender, tuple(rcpts)))
    prepared = Prepared(
        sender=sender,
        recipients=tuple(rcpts),
        message_id="",
        mail=mail,
        rcpts=list(rcpts.values()),
        content=Octets(octets),
    )
    courier = Courier(session, _Ready(prepared), _Desk(job), spent=_never)
    try:
        yield from courier.deliver()
    except ClientError as error:
        raise _failure(job, session.last, error) from error
    receipt = job.receipt()
    if not receipt.accepted:
        receipt.raise_for_refused()
    return _refusals({fate.recipient: fate.reply for fate in receipt.refused if fate.reply})


def _never(_: int) -> bool:
    return False


def _failure(job: _Job, last: Reply, error: ClientError) -> ClientError:
    """What to raise where the connection broke: what was refused by 421, if it was that, before it was closed."""
    if job.receipt().unknown:
        try:
            job.receipt().raise_for_refused()
        except ClientError as unknown:
            return unknown
    if last.code != CLOSING:
        return error
    transaction: Any = job.transaction
    if transaction.mail is None:
        return SenderRefused(f"MAIL FROM:<{job.sender}>", last, job.sender)
    if len(transaction.rcpts) < len(job.recipients):
        return RecipientsRefused(_heard(transaction, job.recipients, last))
    return ContentRefused("the message", last)


def _heard(transaction: Transaction, recipients: Sequence[str], last: Reply) -> dict[str, Reply]:
    """The replies to RCPT that say no, up to the *last*, which ended it."""
    replies = zip(recipients, [*transaction.rcpts, last], strict=False)
    return {recipient: reply for recipient, reply in replies if not reply.positive}


def _refusals(replies: dict[str, Reply]) -> Refusals:
    return {recipient: answer(reply) for recipient, reply in replies.items()}
