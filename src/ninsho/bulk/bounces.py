"""Bounces into the ledger: which recipient a report is about, and what it changes."""

import time
from typing import Any, Final

from sqlalchemy import Connection, Select, select, update

from ninsho.bulk.database import Database
from ninsho.bulk.states import State
from ninsho.bulk.tables import REPLY_LENGTH, recipients
from ninsho.mail.bounce import Bounce, Report

_COLUMNS: Final = recipients.c
# Their message was taken by a server, or may have been.
_OUT: Final = (State.ACCEPTED, State.UNKNOWN, State.BOUNCED)


def note(database: Database, bounce: Bounce, *, mailing: int | None = None) -> list[str]:
    """Write down what *bounce* says; return whom it is about, of those that are in the ledger.

    A recipient is found by the original's Message-ID, by the envelope sender that names them (VERP), or by their
    address: then it is the latest mail to them. A failure makes them ``bounced``, a delay is only noted; a message
    whose fate was unknown, and that was delivered, was accepted.
    """
    return database.write(lambda connection: _note(connection, bounce, mailing))


def _note(connection: Connection, bounce: Bounce, mailing: int | None) -> list[str]:
    noted = []
    for report in bounce.reports:
        found = _found(connection, bounce, report, mailing)
        if found is not None:
            row, address, state = found
            values = _values(report, State(state))
            connection.execute(update(recipients).where(_COLUMNS.id == row).values(values))
            noted.append(address)
    return noted


def _found(connection: Connection, bounce: Bounce, report: Report, mailing: int | None) -> tuple[int, str, str] | None:
    wanted = select(_COLUMNS.id, _COLUMNS.address, _COLUMNS.state).where(_COLUMNS.state.in_(_OUT))
    if mailing is not None:
        wanted = wanted.where(_COLUMNS.mailing_id == mailing)
    wanted = wanted.order_by(_COLUMNS.settled_at.desc(), _COLUMNS.id.desc()).limit(1)
    names = [name for name in (bounce.verp, report.original_recipient, report.recipient) if name]
    ways: list[Select[Any, Any, Any]] = []
    if bounce.message_id:
        same = wanted.where(_COLUMNS.message_id == bounce.message_id)
        # One message may have been for several: then the one that is named.
        ways += [*(same.where(_COLUMNS.address == name) for name in names), same]
    ways += [wanted.where(_COLUMNS.address == name) for name in names]
    ways += [wanted.where(_COLUMNS.key == _key(name)) for name in names]
    rows = (connection.execute(way).first() for way in ways)
    return next(((row[0], row[1], row[2]) for row in rows if row is not None), None)


def _key(address: str) -> str:
    local, at, domain = address.rpartition("@")
    return f"{local}{at}{domain.lower()}"


def _values(report: Report, state: State) -> dict[str, Any]:
    said = {
        "bounce_action": report.action,
        "bounce_status": report.status[:16],
        "bounce_diagnosis": report.diagnosis[:REPLY_LENGTH],
        "bounced_at": time.time(),
    }
    if report.action == "failed":
        return {**said, "state": State.BOUNCED.value}
    if state is State.BOUNCED:
        # A delay that is heard of late.
        return {"state": State.BOUNCED.value}
    return {**said, "state": State.ACCEPTED.value if report.action != "delayed" else state.value}
