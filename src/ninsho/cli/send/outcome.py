"""What became of messages, for people and for programs, and the exit status that says it."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ninsho.cli.endings import EX_TEMPFAIL, EX_UNAVAILABLE, NO
from ninsho.cli.send.words import said
from ninsho.cli.terminal import visible
from ninsho.client.errors import ConnectionFailed, TLSFailed
from ninsho.client.receipt import Fate, Outcome, Receipt
from ninsho.errors import ClientError

# What the client advises where a server says nothing: no matter of time, but of a setting.
_WRONG_MODE: Final = "tls=implicit"


def facts(place: str, receipt: Receipt) -> dict[str, Any]:
    """Return what ``--json`` writes of one message."""
    return {
        "message": place,
        "message_id": receipt.message_id,
        "sender": receipt.sender,
        "accepted": receipt.ok,
        "recipients": [_fate(fate, receipt.error) for fate in receipt.fates],
        "queue_id": receipt.queue_id,
        "via": receipt.via._asdict(),
        "attempts": receipt.attempts,
        "error": None if receipt.error is None else said(receipt.error),
    }


def _fate(fate: Fate, error: ClientError | None) -> dict[str, Any]:
    reply = fate.reply
    # Where nothing was said of it, it lies with what stood in the way.
    hopeless = reply is None and error is not None and not error.temporary
    return {
        "address": fate.recipient,
        "outcome": fate.outcome.value,
        "temporary": fate.temporary and not hopeless,
        "stage": fate.stage.value,
        "code": reply.code if reply else None,
        "enhanced_code": reply.enhanced_code if reply else "",
        "text": reply.text if reply else "",
    }


def sentences(receipt: Receipt) -> Iterator[str]:
    """Say what became of a message for each of its recipients."""
    error = None if receipt.error is None else said(receipt.error)
    for fate in receipt.fates:
        why = fate.reply or (error if fate.outcome is not Outcome.ACCEPTED else None)
        yield visible(f"{fate.outcome.value}: {fate.recipient}{f': {why}' if why else ''}")
    if receipt.unknown:
        yield f"the connection broke before the server's verdict: it may have taken {visible(receipt.message_id)}"
    if error is not None and not receipt.fates:
        yield visible(f"not sent: {error}")


def way(receipt: Receipt) -> str:
    """Say how a message went."""
    via = receipt.via
    place = f"{via.host}:{via.port}" if via.port else via.host
    login, tls = via.mechanism and f"logged in by {via.mechanism}", via.tls and f"{via.tls} {via.cipher}"
    return visible(", ".join(filter(None, (f"{receipt.message_id} through {place}", login, tls))))


def status(receipts: Sequence[Receipt], failure: ClientError | None) -> int:
    """Return the exit status: the one for "later" only where doing all of it again can send nothing twice."""
    if not failure and all(receipt.ok for receipt in receipts):
        return 0
    if any(receipt.accepted or receipt.unknown for receipt in receipts):
        return NO
    errors = [failure] if failure else [receipt.error for receipt in receipts if receipt.error]
    if any(isinstance(error, ConnectionFailed | TLSFailed) or _WRONG_MODE in str(error) for error in errors):
        return EX_UNAVAILABLE
    if failure:
        return EX_TEMPFAIL if failure.temporary else NO
    return EX_TEMPFAIL if all(_only_now(receipt) for receipt in receipts) else NO


def _only_now(receipt: Receipt) -> bool:
    return receipt.temporary and all(fate.temporary for fate in receipt.fates)
