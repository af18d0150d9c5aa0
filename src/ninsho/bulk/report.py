"""What became of a mailing, to keep or to show: CSV, JSON, or HTML with a picture; a recipient at a time."""

import csv
import json
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from html import escape
from pathlib import Path
from typing import IO, Any, Final

from ninsho.bulk.chart import COLOURS, over_time, states_bar
from ninsho.bulk.ledger import Ledger, Mailing, Recipient
from ninsho.bulk.states import MEANINGS, State
from ninsho.errors import ConfigurationError

FORMS: Final = ("csv", "json", "html")
COLUMNS: Final = (
    *("line", "key", "address", "state", "attempts", "code", "enhanced_code", "reply", "queue_id", "message_id"),
    *("sender", "claimed_at", "settled_at", "bounce_action", "bounce_status", "bounce_diagnosis", "bounced_at"),
)
_MOMENTS: Final = ("claimed_at", "settled_at", "bounced_at")
# A spreadsheet takes what begins so for a formula, also in full width.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", *"＝＋－＠")
_SPANS: Final = 60
# A page shows those that went wrong, up to so many.
_SHOWN: Final = 1000
_WRONG: Final = (State.UNKNOWN, State.REFUSED, State.BOUNCED, State.DEFERRED, State.INVALID)

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}td,th{padding:.25rem .5rem;border-bottom:1px solid #ddd;text-align:left}
td{overflow-wrap:anywhere}svg{max-width:100%;height:auto}.dot{display:inline-block;width:.8em;height:.8em}
"""


def form_of(path: Path) -> str:
    """Return the form that a file's name asks for; raise ``ConfigurationError`` for another."""
    form = path.suffix.lower().removeprefix(".")
    if form not in FORMS:
        raise ConfigurationError([f"{path}: expected a name that ends with .csv, .json or .html"])
    return form


def check_place(path: Path) -> None:
    """Raise ``ConfigurationError`` where *path* cannot be written, or is not named like a report; it is made."""
    form_of(path)
    try:
        os.close(_for_its_owner(path, os.O_WRONLY | os.O_CREAT))
    except OSError as error:
        raise _unwritten(path, error) from None


def write_report(path: Path, ledger: Ledger, mailing: Mailing) -> None:
    """Write all that the ledger has of *mailing* to *path*."""
    form = form_of(path)
    with rewritten(path) as file:
        if form == "html":
            file.writelines(page(ledger, mailing))
        else:
            export(file, ledger, mailing, form=form)


@contextmanager
def rewritten(path: Path) -> Iterator[IO[str]]:
    """Open *path* to be written anew, for its owner alone where it is new; raises ``ConfigurationError``."""
    try:
        # Excel takes a CSV file without a mark for one in the charset of its country.
        charset = "utf-8-sig" if form_of(path) == "csv" else "utf-8"
        with open(path, "w", encoding=charset, errors="replace", newline="", opener=_for_its_owner) as file:
            yield file
    except OSError as error:
        raise _unwritten(path, error) from None


def _for_its_owner(path: str | Path, flags: int) -> int:
    # It says who gets which mail, as the ledger does.
    return os.open(path, flags, 0o600)


def _unwritten(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError([f"{path}: cannot be written: {error.strerror}"])


def export(file: IO[str], ledger: Ledger, mailing: Mailing, *, form: str, states: Collection[State] = ()) -> None:
    """Write the recipients in *states*, or all, as ``csv`` (values of the list as further columns) or ``json``."""
    recipients = partial(ledger.recipients, mailing, states)
    if form == "csv":
        # Rows of two lists may have columns of their own.
        given = dict.fromkeys(name for one in recipients() for name in one.fields if name not in COLUMNS)
        _write_csv(file, recipients(), list(given))
    else:
        _write_json(file, recipients())


def facts(recipient: Recipient) -> dict[str, Any]:
    """Return what a row says, moments written out (ISO 8601, UTC)."""
    row = {name: getattr(recipient, name) for name in COLUMNS}
    return {**row, "state": recipient.state.value, **{name: _moment(row[name]) for name in _MOMENTS}}


def _write_csv(file: IO[str], recipients: Iterable[Recipient], given: list[str]) -> None:
    writer = csv.writer(file)
    writer.writerow([*COLUMNS, *map(_cell, given)])
    for recipient in recipients:
        row = [*facts(recipient).values(), *map(recipient.fields.get, given)]
        writer.writerow(map(_cell, row))


def _cell(value: object) -> object:
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value


def _write_json(file: IO[str], recipients: Iterable[Recipient]) -> None:
    file.write("[")
    for number, recipient in enumerate(recipients):
        file.write(",\n " if number else "\n ")
        text = json.dumps({**facts(recipient), "fields": recipient.fields}, ensure_ascii=False)
        # Whatever a terminal is shown, it is text; what is not printable stands within strings.
        file.write("".join(one if one.isprintable() else json.dumps(one)[1:-1] for one in text))
    file.write("\n]\n")


def page(ledger: Ledger, mailing: Mailing) -> Iterator[str]:
    """Give an HTML page in pieces: how many became what, when, and who did not get it."""
    counts = ledger.counts(mailing)
    yield (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(mailing.name)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(mailing.name)}</h1><p>{escape(mailing.subject)}</p>"
    )
    yield states_bar(counts)
    yield _table(("", "state", "recipients", "", "what it means"), _states(counts))
    yield from _times(ledger, mailing)
    yield "<h2>Who did not get it, or may not have</h2>"
    yield _table(("line", "address", "state", "why"), _wrong(ledger, mailing))
    yield "</body></html>\n"


def _states(counts: Mapping[State, int]) -> Iterator[tuple[str, ...]]:
    total = sum(counts.values())
    for state in COLOURS:
        yield _dot(state), state.value, f"{counts[state]:,}", _share(counts[state], total), MEANINGS[state]
    yield "", "all", f"{total:,}", _share(total, total), ""


def _share(count: int, total: int) -> str:
    """Return a percentage; what is little is not nothing, and what is nearly all is not all."""
    if count in {0, total}:
        return "100 %" if count else "0 %"
    return f"{min(99.9, max(0.1, 100 * count / total)):.1f} %"


def _times(ledger: Ledger, mailing: Mailing) -> Iterator[str]:
    if (moments := ledger.moments(mailing)) is None:
        return
    first, last = moments
    span = max(last - first, 1e-9) / _SPANS
    settled = [0] * _SPANS
    for moment, count in ledger.settled(mailing, first, span):
        settled[min(_SPANS - 1, moment)] += count
    yield f"<h2>From {_local(first)} to {_local(last)}</h2>{over_time(settled)}"


def _wrong(ledger: Ledger, mailing: Mailing) -> Iterator[tuple[str, ...]]:
    for number, one in enumerate(ledger.first(mailing, _WRONG, _SHOWN + 1)):
        if number == _SHOWN:
            yield ("…", "", "", "more of them: ninsho ledger export")
            return
        yield (str(one.line), escape(one.address), one.state.value, escape(why(one)))


def why(recipient: Recipient) -> str:
    """Return what was said of it, in one line."""
    if recipient.state is State.BOUNCED:
        return f"{recipient.bounce_status} {recipient.bounce_diagnosis}".strip()
    code = "" if recipient.code is None else f"{recipient.code} "
    enhanced = recipient.enhanced_code
    said = f"{enhanced} " if enhanced and not recipient.reply.startswith(enhanced) else ""
    # The line stands beside it.
    reply = recipient.reply.removeprefix(f"line {recipient.line}: ")
    return " ".join(f"{code}{said}{reply}".split())


def _dot(state: State) -> str:
    return f'<span class="dot" style="background:{COLOURS[state]}"></span>'


def _table(headings: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table of cells that are HTML."""
    head = "".join(f"<th>{heading}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _moment(seconds: float | None) -> str:
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _local(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
