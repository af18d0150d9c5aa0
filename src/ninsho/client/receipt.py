"""What became of a message: each recipient's fate, and who said so."""

import re
from collections.abc import Iterable
from copy import copy
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple, Never

from ninsho.client.errors import ContentRefused, OutcomeUnknown, RecipientsRefused, SenderRefused
from ninsho.errors import ClientError
from ninsho.wire.smtp import Reply

if TYPE_CHECKING:
    from ninsho.mail.message import Submission

# Postfix's and smtp-sink's; Exim's; Exchange's; sendmail's and others', who say it first.
_QUEUE_IDS = (
    re.compile(r"queued as (\S+)", re.IGNORECASE),
    re.compile(r"\bid=(\S+)", re.IGNORECASE),
    re.compile(r"\[InternalId=(\d+)", re.IGNORECASE),
    re.compile(
        r"^(?:\d\.\d+\.\d+ )?(?:ok:? )?<?([0-9A-Za-z][0-9A-Za-z._-]{5,})>? (?:message accepted|saved)", re.IGNORECASE
    ),
)


class Outcome(Enum):
    """What became of a message for one recipient."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    # Cut after all of it was sent, before the server said a word: it may have been taken.
    UNKNOWN = "unknown"
    # Never sent as a whole: to send it again cannot double it.
    UNSENT = "unsent"


class Stage(Enum):
    """Where in a transaction a fate was decided."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    # Before the transaction, or with the connection.
    NONE = ""


class Fate(NamedTuple):
    """What became of a message for one *recipient*; ``reply`` is what decided it, None where nothing was said."""

    recipient: str
    outcome: Outcome
    reply: Reply | None = None
    stage: Stage = Stage.NONE

    @property
    def temporary(self) -> bool:
        """Whether it failed in a way that may go away."""
        unsent = self.outcome is Outcome.UNSENT and self.reply is None
        return unsent or (self.outcome is not Outcome.ACCEPTED and self.reply is not None and self.reply.temporary)

    @property
    def permanent(self) -> bool:
        """Whether the same will fail again."""
        return self.outcome is Outcome.REFUSED and not self.temporary


class Via(NamedTuple):
    """The connection that a message went by; ``tls`` is a version such as ``TLSv1.3``, empty without TLS."""

    host: str = ""
    port: int = 0
    server: str = ""
    mechanism: str = ""
    tls: str = ""
    cipher: str = ""


class Receipt(NamedTuple):
    """What became of one message.

    ``fates`` are the recipients', in the order of the envelope; ``via`` is the connection that it went by last,
    ``attempts`` how often it was tried, ``error`` what stood in the way where no reply tells.
    """

    submission: "Submission"
    sender: str
    message_id: str
    fates: tuple[Fate, ...]
    via: Via = Via()
    attempts: int = 1
    error: ClientError | None = None

    def __repr__(self) -> str:
        """Tell what became of it, and nothing of what it says."""
        fates = ", ".join(f"{fate.recipient}: {fate.outcome.value}" for fate in self.fates)
        error = f", error={str(self.error)!r}" if self.error is not None else ""
        return f"Receipt({fates or 'no recipients'}, queue_id={self.queue_id!r}, message_id={self.message_id!r}{error})"

    @property
    def accepted(self) -> tuple[str, ...]:
        """The recipients for whom the server took the message."""
        return tuple(fate.recipient for fate in self.fates if fate.outcome is Outcome.ACCEPTED)

    @property
    def refused(self) -> tuple[Fate, ...]:
        """The fates of those for whom it surely did not."""
        return tuple(fate for fate in self.fates if fate.outcome in {Outcome.REFUSED, Outcome.UNSENT})

    @property
    def unknown(self) -> tuple[str, ...]:
        """The recipients for whom nobody can tell."""
        return tuple(fate.recipient for fate in self.fates if fate.outcome is Outcome.UNKNOWN)

    @property
    def ok(self) -> bool:
        """Whether the server took the message for every recipient."""
        return bool(self.fates) and all(fate.outcome is Outcome.ACCEPTED for fate in self.fates)

    @property
    def temporary(self) -> bool:
        """Whether sending it again, to those who were refused, may succeed and cannot double it."""
        failed = self.error is not None and self.error.temporary and not self.fates
        return failed or any(fate.temporary for fate in self.fates)

    @property
    def permanent(self) -> bool:
        """Whether it failed for somebody, and will again."""
        return not (self.ok or self.temporary or self.unknown)

    @property
    def reply(self) -> Reply | None:
        """What the server said last of the message; None where it did not."""
        return next((fate.reply for fate in reversed(self.fates) if fate.reply is not None), None)

    @property
    def queue_id(self) -> str:
        """The server's own name for the message, where its reply tells one that is known to be one."""
        texts = (fate.reply.text for fate in self.fates if fate.outcome is Outcome.ACCEPTED and fate.reply)
        found = (pattern.search(text) for text in texts for pattern in _QUEUE_IDS)
        return next((match[1].rstrip(").,;") for match in found if match), "")

    def raise_for_refused(self) -> None:
        """Raise what tells why, where the message was not taken for each recipient; the error has the receipt.

        Raises ``OutcomeUnknown``, ``SenderRefused``, ``RecipientsRefused``, ``ContentRefused``, or what came between.
        """
        if not self.ok:
            self._raise()

    def _raise(self) -> Never:
        error = self._failure()
        error.receipt = self
        raise error

    def _failure(self) -> ClientError:
        refused = {fate.recipient: fate for fate in self.refused}
        replies = {name: fate.reply for name, fate in refused.items() if fate.reply is not None}
        if self.unknown:
            reason = self.error or f"{self.via.host}: the connection broke"
            known = f" (Message-ID {self.message_id})" if self.message_id else ""
            return OutcomeUnknown(f"{reason}, after the whole message was sent: it may have been taken{known}")
        if self.error is not None and (len(replies) < len(refused) or not refused):
            # One error may have been the end of many messages.
            return copy(self.error)
        stages = {fate.stage for fate in refused.values()}
        if Stage.MAIL in stages:
            return SenderRefused(f"MAIL FROM:<{self.sender}>", _worst(refused.values(), Stage.MAIL), self.sender)
        if Stage.DATA in stages:
            return ContentRefused("the message", _worst(refused.values(), Stage.DATA))
        return RecipientsRefused(replies)


def _worst(fates: Iterable[Fate], stage: Stage) -> Reply:
    """The reply of *stage*; of several one that may be another some time later."""
    replies = [fate.reply for fate in fates if fate.stage is stage and fate.reply is not None]
    return next((reply for reply in replies if reply.temporary), replies[0])
