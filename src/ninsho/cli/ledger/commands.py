"""``ninsho ledger show``, ``retry``, ``export`` and ``bounces``."""

import sys
from collections.abc import Iterator
from mailbox import Maildir
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from ninsho.bulk import bounces as bouncing
from ninsho.bulk.ledger import Ledger, Mailing
from ninsho.bulk.report import export as written
from ninsho.bulk.report import facts, form_of, rewritten, why, write_report
from ninsho.bulk.states import State
from ninsho.cli.endings import NO, WrongUsage
from ninsho.cli.ledger.opened import opened
from ninsho.cli.ledger.options import LedgerArgument, MailingOption, StateOptions
from ninsho.cli.options import JsonOption, YesOption
from ninsho.cli.terminal import confirmed, remark, say, say_json, say_table, visible
from ninsho.mail.bounce import Bounce, read

STANDARD_INPUT = Path("-")
_WRONG = (State.UNKNOWN, State.REFUSED, State.BOUNCED, State.DEFERRED, State.INVALID)


def show(
    ledger: LedgerArgument,
    *,
    mailing: MailingOption = None,
    most: Annotated[int, Parameter(help="Of how many who did not get it to tell; 0 is of none.")] = 50,
    as_json: JsonOption = False,
) -> int:
    """Tell how many got their mail, and who did not."""
    if most < 0:
        raise WrongUsage(f"--most: expected 0 or more, got {most}")
    with opened(ledger) as book:
        mailings = book.mailings() if mailing is None else [book.find(mailing)]
        # Runs that were killed have left something to settle.
        for one in mailings:
            book.reap(one)
        if as_json:
            say_json([_facts(book, one, most) for one in mailings])
            return 0
        for one in mailings:
            _show(book, one, most)
        if not mailings:
            say("no mailings")
    return 0


def _facts(ledger: Ledger, mailing: Mailing, most: int) -> dict[str, object]:
    wrong = ledger.first(mailing, _WRONG, most)
    return {
        "mailing": mailing.name,
        "subject": mailing.subject,
        "recipients": {state.value: count for state, count in ledger.counts(mailing).items()},
        "wrong": [facts(one) for one in wrong],
    }


def _show(ledger: Ledger, mailing: Mailing, most: int) -> None:
    counts = ledger.counts(mailing)
    told = ", ".join(f"{count} {state.value}" for state, count in counts.items() if count)
    say(visible(f"{mailing.name}: {told or 'no recipients'}"))
    wrong = ledger.first(mailing, _WRONG, most)
    if wrong:
        say_table(
            ("line", "address", "state", "why"),
            [(str(one.line), one.address, one.state.value, why(one)) for one in wrong],
        )
    more = sum(counts[state] for state in _WRONG) - len(wrong)
    if wrong and more:
        say(f"and {more} more: ninsho ledger export")


def retry(
    ledger: LedgerArgument,
    *,
    mailing: MailingOption = None,
    which: StateOptions = StateOptions(),  # noqa: B008 - it is frozen
    key: Annotated[tuple[str, ...], Parameter(help="Only the recipient with this key; may be repeated.")] = (),
    yes: YesOption = False,
) -> int:
    """Let recipients wait again, for the next run."""
    if not which.states:
        raise WrongUsage("expected --deferred, --refused, --bounced, --unknown or --invalid, got none")
    with opened(ledger) as book:
        found = book.find(mailing)
        book.reap(found)
        unknown = book.counts(found)[State.UNKNOWN] if which.unknown else 0
        if unknown and not yes and not confirmed(f"{unknown} may have it already, and would get it twice. Send again?"):
            return NO
        count = book.retry(found, which.states, keys=key)
    say(f"{count} wait again: ninsho send --bulk sends to them")
    return 0


def export(  # noqa: PLR0913 - options
    ledger: LedgerArgument,
    file: Annotated[
        Path,
        Parameter(
            help="Where to: a name that ends with .csv, .json or .html; - is standard output.",
            allow_leading_hyphen=True,
        ),
    ],
    *,
    mailing: MailingOption = None,
    which: StateOptions = StateOptions(),  # noqa: B008
    accepted: Annotated[bool, Parameter(help="Those whose mail a server has taken.")] = False,
    waiting: Annotated[bool, Parameter(help="Those who wait for theirs.")] = False,
    form: Annotated[Literal["csv", "json"], Parameter(name="--format", help="For standard output.")] = "csv",
) -> int:
    """Write recipients, all or some, and what became of them to a file."""
    more = [state for state, wanted in ((State.ACCEPTED, accepted), (State.WAITING, waiting)) if wanted]
    states = [*which.states, *more]
    with opened(ledger) as book:
        found = book.find(mailing)
        book.reap(found)
        if file == STANDARD_INPUT:
            written(sys.stdout, book, found, form=form, states=states)
        elif form_of(file) == "html":
            if states:
                raise WrongUsage(
                    "expected a .csv or a .json file for some of the recipients, got .html, which is of all"
                )
            write_report(file, book, found)
        else:
            with rewritten(file) as lines:
                written(lines, book, found, form=form_of(file), states=states)
    return 0


def bounces(
    ledger: LedgerArgument,
    place: Annotated[
        Path,
        Parameter(help="A message in a file, a Maildir, or - for standard input.", allow_leading_hyphen=True),
    ],
    *,
    mailing: MailingOption = None,
    verp: Annotated[str | None, Parameter(help="The address that --verp was told when they were sent.")] = None,
    as_json: JsonOption = False,
) -> int:
    """Read messages about mail that could not be delivered, and note whose it was; other messages are passed over."""
    noted: list[dict[str, object]] = []
    strangers = others = 0
    with opened(ledger) as book:
        only = None if mailing is None else book.find(mailing).id
        for message in _messages(place):
            bounce = read(message, sender=verp)
            if bounce is None:
                others += 1
                continue
            found = bouncing.note(book.database, bounce, mailing=only)
            noted += [_noted(address, bounce) for address in found]
            strangers += not found
    if as_json:
        say_json({"noted": noted, "not_ours": strangers, "no_bounces": others})
        return 0
    say(*(visible(" ".join(map(str, one.values()))) for one in noted))
    remark(f"{len(noted)} noted, {strangers} about mail that is not in the ledger, {others} no bounces")
    return 0


def _noted(address: str, bounce: Bounce) -> dict[str, object]:
    report = next(
        (one for one in bounce.reports if address in (one.recipient, one.original_recipient)), bounce.reports[0]
    )
    return {"address": address, "action": report.action, "status": report.status, "diagnosis": report.diagnosis}


def _messages(place: Path) -> Iterator[bytes]:
    if place == STANDARD_INPUT:
        yield sys.stdin.buffer.read()
    elif place.is_dir() and (place / "cur").is_dir():
        box = Maildir(place, create=False)
        for name in sorted(box.keys()):
            yield box.get_bytes(name)
    elif place.is_dir():
        for file in sorted(path for path in place.iterdir() if path.is_file()):
            yield file.read_bytes()
    else:
        try:
            yield place.read_bytes()
        except OSError as error:
            raise WrongUsage(f"{place}: cannot be read: {error.strerror}") from None
