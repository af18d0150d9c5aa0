"""What the ledger keeps of a receipt."""

from typing import Any, NamedTuple

from ninsho.bulk.states import State
from ninsho.bulk.tables import KEY_LENGTH, NAME_LENGTH, REPLY_LENGTH
from ninsho.client.receipt import Fate, Outcome, Receipt


class Settled(NamedTuple):
    """What became of one recipient's message, as its row has it."""

    state: State
    attempts: int = 0
    message_id: str = ""
    sender: str = ""
    code: int | None = None
    enhanced_code: str = ""
    reply: str = ""
    queue_id: str = ""

    @classmethod
    def of(cls, receipt: Receipt) -> "Settled":
        """Read *receipt*; where a message was for several, what may have reached somebody is not sent again."""
        reply = receipt.reply
        error = "" if receipt.error is None else str(receipt.error)
        return cls(
            state_of(receipt),
            receipt.attempts,
            receipt.message_id[:NAME_LENGTH],
            receipt.sender[:KEY_LENGTH],
            reply.code if reply else None,
            reply.enhanced_code if reply else "",
            (reply.text if reply else error)[:REPLY_LENGTH],
            receipt.queue_id[:NAME_LENGTH],
        )

    @classmethod
    def read(cls, values: list[Any]) -> "Settled":
        """Take what JSON made of one."""
        return cls(State(values[0]), *values[1:])


def state_of(receipt: Receipt) -> State:
    """Return the state that *receipt* stands for."""
    if receipt.unknown:
        return State.UNKNOWN
    if receipt.accepted:
        return State.ACCEPTED
    if not receipt.fates:
        return State.INVALID if receipt.error is None or receipt.error.permanent else State.WAITING
    if any(map(_is_final, receipt.fates)):
        return State.REFUSED
    return State.DEFERRED if any(fate.reply is not None for fate in receipt.fates) else State.WAITING


def _is_final(fate: Fate) -> bool:
    return fate.outcome is Outcome.REFUSED and not fate.temporary
