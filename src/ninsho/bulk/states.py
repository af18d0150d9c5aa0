"""What may have become of one recipient's message."""

from enum import StrEnum


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
