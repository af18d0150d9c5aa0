"""A message on its way through one or more connections, and what has become of it so far."""

from typing import TYPE_CHECKING

from ninsho.client.receipt import Fate, Outcome, Receipt, Stage, Via
from ninsho.wire.smtp import Reply

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ninsho.errors import ClientError
    from ninsho.mail.message import Prepared, Submission


NOWHERE = Via()


class Job:
    """A submission with a *number*; ``fates`` has None for each recipient whose fate is open.

    ``under_way`` counts its transactions that have no verdict, ``losses`` the connections that broke under it before it
    was sent, ``attempts`` how often it was begun, ``rounds`` how often it was brought back after a failure.
    """

    __slots__ = (
        "attempts",
        "error",
        "fates",
        "losses",
        "message_id",
        "number",
        "recipients",
        "rounds",
        "sender",
        "submission",
        "under_way",
        "via",
    )

    def __init__(self, submission: "Submission", number: int = 0) -> None:
        self.submission = submission
        self.number = number
        self.sender = submission.sender or ""
        self.message_id = ""
        self.recipients: Sequence[str] = ()
        self.fates: list[Fate | None] = []
        self.losses = 0
        self.attempts = 0
        self.rounds = 0
        self.under_way = 0
        self.error: ClientError | None = None
        self.via = NOWHERE

    def begin(self, prepared: "Prepared", via: Via) -> "Transaction":
        """Return a transaction for all recipients whose fate is open."""
        self.attempts += 1
        self.under_way = 0
        self.via, self.error = via, None
        if self.fates:
            return Transaction(self, prepared, [place for place, fate in enumerate(self.fates) if fate is None])
        self.sender, self.recipients, self.message_id = prepared.sender, prepared.recipients, prepared.message_id
        self.fates = [None] * len(prepared.recipients)
        return Transaction(self, prepared, range(len(prepared.recipients)))

    def fail(self, error: "ClientError") -> None:
        """Let *error* be the fate of all whose fate is open."""
        self.error = error
        if not self.recipients:
            self._name_itself()
        outcome = Outcome.UNSENT if error.temporary else Outcome.REFUSED
        fates = self.fates or [None] * len(self.recipients)
        self.fates = [fate or Fate(name, outcome) for fate, name in zip(fates, self.recipients, strict=True)]

    def _name_itself(self) -> None:
        """Find out who it is from and for, though no server has been asked."""
        from ninsho.mail.message import addressed  # noqa: PLC0415 - seldom needed

        self.sender, self.recipients, self.message_id = addressed(self.submission)

    def attempts_left(self, attempts: int) -> bool:
        """Whether it may be tried once more, if it may be tried *attempts* times in all."""
        return self.rounds + 1 < attempts and bool(self.recipients)

    def reopen(self) -> None:
        """Try again those for whom it failed for the time being."""
        self.rounds += 1
        self.losses, self.error = 0, None
        self.fates = [None if fate is None or fate.temporary else fate for fate in self.fates]

    def receipt(self) -> Receipt:
        """Return what became of it."""
        fates = tuple(filter(None, self.fates))
        return Receipt(self.submission, self.sender, self.message_id, fates, self.via, self.attempts, self.error)


class Transaction:
    """One go at a job: its recipients (``places`` among the job's), and the replies so far.

    ``reset`` says that RSET stands before it, ``accepted`` how many recipients the server has taken, ``sent`` that the
    content has been handed over whole.
    """

    __slots__ = ("accepted", "ends", "go", "job", "mail", "places", "prepared", "rcpts", "reset", "sent")

    def __init__(self, job: Job, prepared: "Prepared", places: "Sequence[int]") -> None:
        job.under_way += 1
        self.job = job
        self.prepared = prepared
        self.places = places
        self.reset = False
        self.sent = False
        self.accepted = 0
        self.mail: Reply | None = None
        self.rcpts: list[Reply] = []
        self.go: Reply | None = None
        self.ends: list[Reply] = []

    @property
    def envelope(self) -> list[bytes]:
        """The lines of MAIL and RCPT."""
        lines = self.prepared.rcpts
        return [self.prepared.mail, *(lines if len(self.places) == len(lines) else map(lines.__getitem__, self.places))]

    def answered(self, reply: Reply) -> None:
        """Take the next reply to MAIL or RCPT."""
        if self.mail is None:
            self.mail = reply
        else:
            self.rcpts.append(reply)
            self.accepted += reply.positive and self.mail.positive

    def answered_well(self, replies: list[Reply]) -> None:
        """Take all replies to RSET, MAIL and RCPT, of which none is a refusal."""
        place = int(self.reset)
        self.reset = False
        self.mail, self.rcpts = replies[place], replies[place + 1 :]
        self.accepted = len(self.rcpts)

    @property
    def unheard(self) -> int:
        """How many replies to RSET, MAIL and RCPT are still to come."""
        return self.reset + (self.mail is None) + len(self.places) - len(self.rcpts)

    def split(self, limit: int | None) -> "list[Transaction]":
        """Return transactions of at most *limit* recipients each (RFC 9422 §4.2: RCPTMAX)."""
        places = self.places
        if limit is None or len(places) <= limit:
            return [self]
        self.job.under_way -= 1
        starts = range(0, len(places), limit)
        return [Transaction(self.job, self.prepared, places[start : start + limit]) for start in starts]

    def again(self) -> "Transaction":
        """Return one for those of its recipients whose fate is still open."""
        fates = self.job.fates
        return Transaction(self.job, self.prepared, [place for place in self.places if fates[place] is None])

    def settle(self) -> bool:
        """Give each recipient the fate that the replies tell; return whether all have one.

        Those of whom the server says that they are too many for one transaction keep theirs open.
        """
        self.job.under_way -= 1
        fates, recipients, mail = self.job.fates, self.prepared.recipients, self.mail
        if self.accepted == 1 == len(fates):
            # Most messages have one recipient, and are taken: a third of the time that it takes below.
            end = self.ends[0]
            outcome = Outcome.ACCEPTED if end.positive else Outcome.REFUSED
            fates[0] = Fate(recipients[0], outcome, end, Stage.DATA)
            return True
        ends = iter(self.ends)
        shared = self.ends[0] if len(self.ends) == 1 else None
        for place, reply in zip(self.places, self.rcpts, strict=False):
            recipient = recipients[place]
            if mail is not None and not mail.positive:
                fates[place] = Fate(recipient, Outcome.REFUSED, mail, Stage.MAIL)
            elif reply.positive:
                end = shared or next(ends)
                outcome = Outcome.ACCEPTED if end.positive else Outcome.REFUSED
                fates[place] = Fate(recipient, outcome, end, Stage.DATA)
            elif not (self.accepted and _too_many(reply)):
                fates[place] = Fate(recipient, Outcome.REFUSED, reply, Stage.RCPT)
        return all(fates[place] is not None for place in self.places)

    def lose(self, error: "ClientError") -> None:
        """Settle what can be settled of a transaction whose verdict never came, for *error*: the rest nobody knows."""
        self.job.error = error
        ends = iter(self.ends)
        for number, place in enumerate(self.places):
            recipient = self.prepared.recipients[place]
            reply = self.rcpts[number] if number < len(self.rcpts) else None
            if self.mail is not None and not self.mail.positive:
                self.job.fates[place] = Fate(recipient, Outcome.REFUSED, self.mail, Stage.MAIL)
            elif reply is not None and not reply.positive:
                self.job.fates[place] = Fate(recipient, Outcome.REFUSED, reply, Stage.RCPT)
            elif (end := next(ends, None)) is not None:
                outcome = Outcome.ACCEPTED if end.positive else Outcome.REFUSED
                self.job.fates[place] = Fate(recipient, outcome, end, Stage.DATA)
            else:
                self.job.fates[place] = Fate(recipient, Outcome.UNKNOWN)


def _too_many(reply: Reply) -> bool:
    # RFC 5321 §4.5.3.1.10: 452, and 552 from old servers; a full mailbox (RFC 3463: 4.2.2) is something else.
    return reply.code in {452, 552} and reply.enhanced_code in {"", "4.5.3", "5.5.3"}
