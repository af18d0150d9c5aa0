"""A message read as a bounce: after the standard where it keeps to it, else by what servers are known to write."""

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from ninsho.mail.bounce.original import Original, cut, original_of
from ninsho.mail.bounce.report import Bounce, Report
from ninsho.mail.bounce.status_fields import STATUS_TYPES, block_of, blocks, host_of, report_of
from ninsho.mail.bounce.verp import recipient_of
from ninsho.mail.bounce.wordings import in_words
from ninsho.mail.reading.header import Header, without_envelope_line
from ninsho.mail.reading.people import people
from ninsho.mail.reading.texts import HTML, text_from, text_of_octets
from ninsho.mail.reading.transfer import undone
from ninsho.mail.reading.tree import Tree, tree_of
from ninsho.mail.reading.words import raw_text

_DAEMONS: Final = re.compile(
    r"mailer-?daemon|postmaster|mail(?:\.|_|-)?(?:delivery|administrator|system)|mdaemon|microsoftexchange",
    re.IGNORECASE,
)
# Receipts (RFC 8098) and complaints (RFC 5965) come from nobody and are reports as well.
_NO_BOUNCES: Final = frozenset(
    ("message/disposition-notification", "message/global-disposition-notification", "message/feedback-report")
)
# Where servers write to whom they delivered it: the nearest to us first.
_RETURNED_TO: Final = ("x-original-to", "delivered-to", "envelope-to", "x-envelope-to", "to")


def read(message: bytes, *, sender: str | None = None, separator: str = "+") -> Bounce | None:
    """Read a bounce; None where *message* is none: other mail, automatic replies, receipts, complaints. Never raises.

    *sender* is the address that envelope senders were made of by ``verp``, where they were.
    """
    tree = tree_of(without_envelope_line(message))
    if any(part.type in _NO_BOUNCES for part in tree.parts):
        return None
    bounce = _standard(tree) or _in_words(tree)
    if bounce is None:
        return None
    returned_to = _returned_to(tree.header)
    named = recipient_of(returned_to, sender, separator=separator)
    return replace(bounce, returned_to=returned_to, verp=named or "")


def _standard(tree: Tree) -> Bounce | None:
    """RFC 3464: a part of fields, in a multipart/report, or wherever somebody has wrapped it."""
    found = [block_of(block) for part in tree.parts if part.type in STATUS_TYPES for block in blocks(part)]
    reports = tuple(report for block in found if (report := report_of(block)))
    if not reports:
        return None
    first = found[0]
    original = original_of(tree.parts)
    return Bounce(
        reports=reports,
        form="rfc3464",
        message_id=original.message_id,
        original_sender=original.sender,
        envelope_id=dict(first).get("original-envelope-id", ""),
        reporting_mta=host_of(first, "reporting-mta"),
    )


def _in_words(tree: Tree) -> Bounce | None:
    """A text for people, of a server that can be known by it."""
    header = tree.header
    failed = tuple(each.address for each in people(raw_text(header.first("x-failed-recipients"))) if each.address)
    if not (failed or _from_a_server(header)):
        return None
    for part in tree.parts:
        if part.type not in ("text/plain", HTML) or part.disposition.value == "attachment":
            continue
        octets, original = cut(undone(part.body, part.encoding, text=True).octets)
        original = original if any(original) else original_of(tree.parts)
        text = text_of_octets(octets, part)
        form, reports = in_words(text_from(text) if part.type == HTML else text, failed, original.recipients)
        if reports:
            return _told(form, reports, original)
    return (
        _told("", tuple(Report(recipient=address) for address in failed), original_of(tree.parts)) if failed else None
    )


def _told(form: str, reports: tuple[Report, ...], original: Original) -> Bounce:
    return Bounce(
        reports=reports,
        form=form or "x-failed-recipients",
        message_id=original.message_id,
        original_sender=original.sender,
    )


def _from_a_server(header: Header) -> bool:
    """Whether a mail server may have written it: a person who passes a bounce on has not."""
    if raw_text(header.first("return-path")).replace(" ", "") == "<>":
        return True
    return any(
        _DAEMONS.search(each.address.partition("@")[0]) or _DAEMONS.search(each.name)
        for each in people(raw_text(header.first("from")))
    )


def _returned_to(header: Header) -> str:
    return next(_addresses(header), "")


def _addresses(header: Header) -> Iterator[str]:
    for name in _RETURNED_TO:
        for each in people(raw_text(header.first(name))):
            if "@" in each.address:
                yield each.address
