"""Feedback reports (ARF, RFC 5965): a recipient has called a message spam."""

from dataclasses import dataclass

from ninsho.mail.bounce.original import original_of
from ninsho.mail.bounce.status_fields import block_of, blocks
from ninsho.mail.reading.header import without_envelope_line
from ninsho.mail.reading.tree import tree_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """What a recipient complained about; all but *kind* may be empty, as many providers hide who it was.

    *kind* is ``abuse``, ``fraud``, ``not-spam`` and the like (RFC 5965 §7.3). *recipients* are those that the report
    names, *message_id* and *original_sender* the original's.
    """

    kind: str
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    original_sender: str = ""
    envelope_id: str = ""


def complaint(message: bytes) -> Complaint | None:
    """Read a feedback report; None where *message* is none. Never raises."""
    tree = tree_of(without_envelope_line(message))
    part = next((part for part in tree.parts if part.type == "message/feedback-report"), None)
    if part is None:
        return None
    report = [block_of(block) for block in blocks(part)]
    fields = [pair for block in report for pair in block]
    first = dict(reversed(fields))
    original = original_of(tree.parts)
    return Complaint(
        kind=first.get("feedback-type", "abuse").lower(),
        recipients=tuple(value.strip(" <>") for name, value in fields if name == "original-rcpt-to"),
        message_id=original.message_id,
        original_sender=original.sender,
        envelope_id=first.get("original-envelope-id", ""),
    )
