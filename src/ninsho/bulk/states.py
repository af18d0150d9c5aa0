"""What may have become of one recipient's message."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class State(StrEnum):
    """The state of a recipient in the ledger; what each may become is told in ``ninsho.bulk.run``."""

    WAITING = "waiting"
    # Claimed by a run: the message may be on the wire.
    SENDING = "sending"
    ACCEPTED = "accepted"
    # For good: 5xx, or a message that this server cannot take.
    REFUSED = "refused"
    # For now: 4xx. The next run tries again.
    DEFERRED = "deferred"
    # Cut after the message may have been sent: never sent again unless somebody says so.
    UNKNOWN = "unknown"
    # A row from which no message can be made.
    INVALID = "invalid"
    BOUNCED = "bounced"


# A few words for each, for people.
MEANINGS: Final[Mapping[State, str]] = {
    State.WAITING: "nothing was sent yet",
    State.SENDING: "on its way at this moment",
    State.ACCEPTED: "the server took the mail",
    State.REFUSED: "refused for good",
    State.DEFERRED: "refused for the time being: the next run tries again",
    State.UNKNOWN: "the connection or the run broke: the mail may have arrived, or not",
    State.INVALID: "no mail can be made of the row",
    State.BOUNCED: "the mail was taken, and came back",
}
