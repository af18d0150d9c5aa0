"""A mailing that is not sent: the first message, and what is wrong with others."""

from ninsho.bulk.letters import expect_for
from ninsho.bulk.recipients import Listing, Row
from ninsho.bulk.states import State
from ninsho.cli.endings import NO
from ninsho.cli.send.bulk_list import RecipientList
from ninsho.cli.send.bulk_options import BulkOptions
from ninsho.cli.send.given import Given
from ninsho.cli.send.options import SendOptions
from ninsho.cli.send.preview import opened, preview
from ninsho.cli.terminal import remark, say, say_json, visible
from ninsho.mail.merging.csv_rows import Row as PlacedRow
from ninsho.mail.merging.merge import Merge
from ninsho.mail.message import EVERYTHING, Submission, prepare
from ninsho.mail.unsendable import Unsendable


def rehearse(merge: Merge, listed: RecipientList, bulk: BulkOptions, sending: SendOptions) -> int:
    """Make all messages and send none; show the first; return the exit status."""
    listing, good = Listing(0, address=listed.address, key=bulk.key), 0
    faults: list[dict[str, object]] = []
    for row in listed.rows():
        made = _made(row, listing, merge)
        if isinstance(made, Unsendable):
            faults.append({"line": row.line, "fault": str(made)})
            continue
        good += 1
        if good == 1 and not sending.as_json:
            _show(row, made, in_browser=sending.open_preview)
    if sending.as_json:
        say_json({"messages": good, "invalid": faults})
    else:
        remark(*(visible(f"line {fault['line']}: {fault['fault']}") for fault in faults))
        say(f"{good} messages, {len(faults)} rows without")
    return NO if faults else 0


def _show(row: Row, made: Submission, *, in_browser: bool) -> None:
    mail = [(Given(f"line {row.line}", made.message), made)]
    if in_browser:
        opened(mail)
    else:
        preview(mail, as_json=False)


def _made(row: Row, listing: Listing, merge: Merge) -> Submission | Unsendable:
    entry = listing.entry(row)
    if entry["state"] == State.INVALID:
        return Unsendable(entry["reply"])
    place = f"line {row.line}"
    try:
        submission = merge.submission(PlacedRow(dict(row.values), place))
        prepare(submission, EVERYTHING, chunking=True)
        expect_for(submission, entry["address"])
    except Unsendable as error:
        return Unsendable(str(error).removeprefix(f"{place}: "))
    return submission
