"""What the ledger keeps of a receipt."""

from typing import Any, NamedTuple

from ninsho.bulk.states import State
from ninsho.bulk.tables import CODE_LENGTH, KEY_LENGTH, NAME_LENGTH, REPLY_LENGTH
from ninsho.bulk.texts import kept
from ninsho.client.receipt import Fate, Receipt, Stage
from ninsho.mail.unsendable import Unsendable


class Settled(NamedTuple):
    """What became of one recipient's message, as its row has it; ``copies`` is how many it was for."""

    state: State
    attempts: int = 0
    message_id: str = ""
    sender: str = ""
    code: int | None = None
    enhanced_code: str = ""
    reply: str = ""
    queue_id: str = ""
    copies: int = 1

    @classmethod
    def of(cls, receipt: Receipt, *, attempts: int = 0) -> "Settled":
        """Read *receipt* of a row that had been tried *attempts* times before.

        Where a message was for several, what may have reached somebody is not sent again.
        """
        reply = receipt.reply
        error = "" if receipt.error is None else str(receipt.error)
        return cls(
            state_of(receipt),
            attempts + receipt.attempts,
            kept(receipt.message_id, NAME_LENGTH),
            kept(receipt.sender, KEY_LENGTH),
            reply.code if reply else None,
            kept(reply.enhanced_code, CODE_LENGTH) if reply else "",
            kept(reply.text if reply else error, REPLY_LENGTH),
            kept(receipt.queue_id, NAME_LENGTH),
            len(receipt.fates),
        )

    @classmethod
    def read(cls, values: list[Any]) -> "Settled":
        """Take what JSON made of one."""
        return cls(State(values[0]), *values[1:])


def state_of(receipt: Receipt) -> State:
    """Return the state that *receipt* stands for.

    Refused for good is only whom a reply refuses, or a message that the server cannot take: what a server has against
    the sender, or against whoever logs in, says nothing about a recipient.
    """
    if receipt.unknown:
        return State.UNKNOWN
    if receipt.accepted:
        return State.ACCEPTED
    unsendable = isinstance(receipt.error, Unsendable)
    if not receipt.fates:
        return State.INVALID if unsendable or receipt.error is None else State.WAITING
    if any(_is_final(fate) or (unsendable and fate.permanent) for fate in receipt.fates):
        return State.REFUSED
    return State.DEFERRED if any(fate.reply is not None for fate in receipt.fates) else State.WAITING


def _is_final(fate: Fate) -> bool:
    return fate.permanent and fate.reply is not None and fate.stage is not Stage.MAIL
