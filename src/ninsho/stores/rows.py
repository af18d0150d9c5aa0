"""Rows of the accounts database as accounts."""

from collections.abc import Sequence
from typing import Any

from ninsho.errors import StoreUnavailable
from ninsho.stores.accounts import Account, Network
from ninsho.stores.networks import parse_networks


def account_of(rows: Sequence[Sequence[Any]], key: str) -> Account | None:
    """Return the account that the rows of ``tables.ACCOUNT_BY_KEY`` tell, None where there are none."""
    # MySQL's "=" takes no account of blanks at the end: "alice " is another name than "alice".
    if not rows or rows[0][0] != key:
        return None
    _, name, disabled, expires, networks, master, _ = rows[0]
    # The one row of an account without a stored form has none.
    secrets = tuple([row[6] for row in rows if row[6] is not None])
    return Account(name, secrets, bool(disabled), expires, networks_of(name, networks), bool(master))


def networks_of(name: str, text: str) -> tuple[Network, ...]:
    """Read an account's networks; raise ``StoreUnavailable`` for what somebody wrote there by other means."""
    try:
        return parse_networks(text)
    except ValueError as error:
        # Letting the user in from everywhere cannot have been meant.
        raise StoreUnavailable(f"accounts database: networks of {name!r}: {error}") from None
