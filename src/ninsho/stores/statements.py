"""The statements that change the accounts database, for many accounts at a time, within somebody's transaction."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, bindparam, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from ninsho.stores import hashing, secret_rows
from ninsho.stores.entries import Entry, Record
from ninsho.stores.networks import write_networks
from ninsho.stores.rows import networks_of
from ninsho.stores.tables import accounts, secrets

# What a login changes that brings a form which the account lacks.
FORMS_BY_KEY = (
    select(secrets.c.account_id, secrets.c.position, secrets.c.stored)
    .select_from(accounts.join(secrets))
    .where(accounts.c.name_key == bindparam("key"))
    .order_by(secrets.c.position)
)
CHANGE_FORM = update(secrets).where(
    secrets.c.account_id == bindparam("account"), secrets.c.position == bindparam("place")
)
ADD_FORM = insert(secrets).values(account_id=bindparam("account"), position=bindparam("place"))
REMOVE_FORM = delete(secrets).where(
    secrets.c.account_id == bindparam("account"), secrets.c.position == bindparam("place")
)
TOUCH = update(accounts).where(accounts.c.name_key == bindparam("key")).values(changed_at=bindparam("now"))


async def numbers(connection: AsyncConnection, keys: Sequence[str]) -> dict[str, int]:
    """Return the ids of the accounts with *keys*, as far as there are any."""
    question = select(accounts.c.name_key, accounts.c.id).where(accounts.c.name_key.in_(keys))
    return dict((await connection.execute(question)).all())


async def add(connection: AsyncConnection, entries: Sequence[Entry], *, now: float) -> None:
    """Add accounts; raise ``IntegrityError`` for one that exists already."""
    if not entries:
        return
    # executemany with RETURNING would save the second statement, but MySQL has no RETURNING.
    await connection.execute(
        insert(accounts), [_columns(entry) | {"created_at": now, "changed_at": now} for entry in entries]
    )
    made = await numbers(connection, [entry.key for entry in entries])
    await _add_secrets(connection, [(made[entry.key], entry) for entry in entries], now=now)


async def replace(connection: AsyncConnection, entries: Sequence[tuple[int, Entry]], *, now: float) -> None:
    """Make the accounts of these ids what their entries say."""
    if not entries:
        return
    change = update(accounts).where(accounts.c.id == bindparam("number"))
    await connection.execute(
        change, [_columns(entry) | {"changed_at": now, "number": number} for number, entry in entries]
    )
    await set_secrets(connection, entries, now=now)


async def set_secrets(connection: AsyncConnection, entries: Sequence[tuple[int, Entry]], *, now: float) -> None:
    """Give the accounts of these ids the secrets of their entries, and no others."""
    await connection.execute(delete(secrets).where(secrets.c.account_id.in_([number for number, _ in entries])))
    await _add_secrets(connection, entries, now=now)


async def exchange_secrets(
    connection: AsyncConnection, key: str, old: tuple[str, ...], new: tuple[str | None, ...], *, now: float
) -> bool:
    """Put *new* in the place of *old*; False where the account's forms are not *old* any more.

    *new* is no shorter: each form stands in the place of an old one, or behind them; None where the old one goes.
    """
    # Whoever changes the forms changes this row first, and waits here.
    await connection.execute(select(accounts.c.id).where(accounts.c.name_key == key).with_for_update())
    found = (await connection.execute(FORMS_BY_KEY, {"key": key})).all()
    changes = secret_rows.changes(found, old, new, now=now)
    if changes is None:
        return False
    exchange = ((CHANGE_FORM, changes.changed), (ADD_FORM, changes.added), (REMOVE_FORM, changes.removed))
    for statement, rows in exchange:
        if rows:
            await connection.execute(statement, rows)
    await connection.execute(TOUCH, {"key": key, "now": now})
    return True


async def change(connection: AsyncConnection, number: int, *, now: float, **columns: Any) -> None:  # noqa: ANN401 - of many types
    """Change columns of an account, and the time of its last change."""
    await connection.execute(update(accounts).where(accounts.c.id == number).values(changed_at=now, **columns))


async def remove(connection: AsyncConnection, number: int) -> None:
    """Remove an account; its secrets go with it."""
    await connection.execute(delete(accounts).where(accounts.c.id == number))


async def records(connection: AsyncConnection, wanted: ColumnElement[bool], *, limit: int) -> list[Record]:
    """Return the first accounts that are *wanted*, in the order of their keys."""
    question = select(accounts).where(wanted).order_by(accounts.c.name_key).limit(limit)
    rows = (await connection.execute(question)).all()
    forms: dict[int, list[str]] = {row.id: [] for row in rows}
    of_these = select(secrets.c.account_id, secrets.c.stored).where(secrets.c.account_id.in_(forms))
    for number, stored in await connection.execute(of_these.order_by(secrets.c.account_id, secrets.c.position)):
        forms[number].append(stored)
    return [
        Record(
            row.name,
            tuple(forms[row.id]),
            row.disabled,
            row.expires_at,
            networks_of(row.name, row.networks),
            row.note,
            row.created_at,
            row.changed_at,
            row.master,
        )
        for row in rows
    ]


def _columns(entry: Entry) -> dict[str, Any]:
    return {
        "name_key": entry.key,
        "name": entry.name,
        "disabled": entry.disabled,
        "expires_at": entry.expires,
        "networks": write_networks(entry.networks),
        "note": entry.note,
        "master": entry.master,
    }


async def _add_secrets(connection: AsyncConnection, entries: Iterable[tuple[int, Entry]], *, now: float) -> None:
    rows = [
        {
            "account_id": number,
            "position": position,
            "scheme": hashing.scheme_of(stored),
            "stored": stored,
            "created_at": now,
        }
        for number, entry in entries
        for position, stored in enumerate(entry.secrets)
    ]
    if rows:
        await connection.execute(insert(secrets), rows)
