"""Bounces into the ledger: which recipient a report is about, and what it changes."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, select, update

from ninsho.bulk.database import Database
from ninsho.bulk.recipients import mailbox_of
from ninsho.bulk.states import State
from ninsho.bulk.tables import CODE_LENGTH, NAME_LENGTH, REPLY_LENGTH, recipients
from ninsho.bulk.texts import kept
from ninsho.mail.bounce import Bounce, Report

_COLUMNS: Final = recipients.c
_MOST: Final = 1000  # rows that one message was for
# Their message was taken by a server, or may have been.
_OUT: Final = (State.ACCEPTED, State.UNKNOWN, State.BOUNCED)


def note(database: Database, bounce: Bounce, *, mailing: int | None = None) -> list[str]:
    """Write down what *bounce* says; return whom it is about, of those that are in the ledger.

    A recipient is found by the original's Message-ID and by the envelope sender that names them (VERP); where the
    bounce tells neither, by their address: then it is the latest mail to them. Where a message had several recipients
    it is the one that the report names. A failure makes them ``bounced``; a delay is only noted. Whatever is said of a
    message whose fate was unknown, it was accepted: only a server that has it can tell.
    """
    return database.write(lambda connection: _note(connection, bounce, mailing))


def _note(connection: Connection, bounce: Bounce, mailing: int | None) -> list[str]:
    noted = []
    for report in bounce.reports:
        found = _found(connection, bounce, report, mailing)
        if found is not None:
            values = _values(report, State(found.state))
            connection.execute(update(recipients).where(_COLUMNS.id == found.id).values(values))
            noted.append(found.address)
    return noted


def _found(connection: Connection, bounce: Bounce, report: Report, mailing: int | None) -> Row[Any] | None:
    wanted = select(*(_COLUMNS[name] for name in ("id", "address", "mailbox", "state", "copies")))
    wanted = wanted.where(_COLUMNS.state.in_(_OUT)).order_by(_COLUMNS.settled_at.desc(), _COLUMNS.id.desc())
    if mailing is not None:
        wanted = wanted.where(_COLUMNS.mailing_id == mailing)
    names = [mailbox_of(name) for name in (report.original_recipient, report.recipient) if name]
    if not (bounce.message_id or bounce.verp):
        return connection.execute(wanted.where(_COLUMNS.mailbox.in_(names)).limit(1)).first()
    for way in _ways(bounce):
        if rows := connection.execute(wanted.where(way).limit(_MOST)).all():
            return next((row for row in rows if row.mailbox in names), _alone(rows))
    return None


def _ways(bounce: Bounce) -> Iterator[ColumnElement[bool]]:
    """Give what finds the rows that one message was for."""
    if bounce.message_id:
        yield _COLUMNS.message_id == kept(bounce.message_id, NAME_LENGTH)
    if bounce.verp:
        yield _COLUMNS.mailbox == mailbox_of(bounce.verp)


def _alone(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """Return the latest row where its message was for nobody else: then it was passed on to whom the report names."""
    same = all(row.mailbox == rows[0].mailbox for row in rows)
    return rows[0] if same and rows[0].copies <= 1 else None


def _values(report: Report, state: State) -> dict[str, Any]:
    failed = report.action == "failed"
    if state is State.BOUNCED and not failed:
        # A delay that is heard of late.
        return {"state": State.BOUNCED.value}
    return {
        "state": (State.BOUNCED if failed else State.ACCEPTED).value,
        "bounce_action": report.action,
        "bounce_status": kept(report.status, CODE_LENGTH),
        "bounce_diagnosis": kept(report.diagnosis, REPLY_LENGTH),
        "bounced_at": time.time(),
    }
