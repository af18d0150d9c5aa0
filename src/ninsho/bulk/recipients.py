"""Recipients as they are listed: a row each, with the address, and the key that each is known by."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple

from ninsho.bulk.states import State
from ninsho.bulk.tables import KEY_LENGTH, REPLY_LENGTH
from ninsho.bulk.texts import is_kept, kept
from ninsho.domains import a_labels
from ninsho.mail.addresses import plain, read
from ninsho.mail.unsendable import Unsendable

# What rows are known by whose address nobody can send to; no other key begins so.
NOBODY: Final = "nobody: "
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Row(NamedTuple):
    """One row of a list: the *line* where it stands, its values by column, and what is wrong with it."""

    line: int
    values: Mapping[str, Any]
    fault: str = ""


def numbered(rows: Iterable[Mapping[str, Any] | Row]) -> Iterator[Row]:
    """Give each row a number, where it has none."""
    for number, row in enumerate(rows, 1):
        yield row if isinstance(row, Row) else Row(number, row)


def mailbox_of(address: str) -> str:
    """Return *address* as all that are written otherwise, and are the same, have it.

    The domain is in A-labels and in lower case; a local part may have a case, and has no quotes that it does not need.
    """
    local, at, domain = address.rpartition("@")
    # What no domain is stays as it is: it is the same as itself.
    with suppress(ValueError):
        domain = a_labels(domain)
    bare = re.sub(r"\\(.)", r"\1", found[1]) if (found := _QUOTED.fullmatch(local)) else local
    written = bare if plain(f"{bare}@example.org") else local
    return kept(f"{written}{at}{domain.lower()}", KEY_LENGTH)


class Listing:
    """Makes rows of a list into rows of the ledger: the address from the column *address*, the key from *key*."""

    def __init__(self, mailing: int, *, address: str, key: str | None) -> None:
        self._mailing = mailing
        self._address = address
        self._key = key

    def entry(self, row: Row) -> dict[str, Any]:
        """Return the columns of one row; what cannot be sent to is ``invalid``, and known by its line."""
        # In ASCII, as no text from anywhere is anything that a database would not keep then.
        fields = json.dumps(dict(row.values), default=str)
        try:
            address, key = self._who(row)
        except Unsendable as fault:
            told = kept(str(row.values.get(self._address) or ""), KEY_LENGTH)
            return self._columns(row, f"{NOBODY}line {row.line}", told, fields, State.INVALID, str(fault))
        return self._columns(row, key, address, fields, State.WAITING, "")

    def _who(self, row: Row) -> tuple[str, str]:
        if row.fault:
            raise Unsendable(row.fault)
        address = read(str(row.values.get(self._address) or "").strip(), self._address)[0]
        if not address.rpartition("@")[0]:
            raise Unsendable(f"{self._address}: expected an address with a domain, got {address!a}")
        return address, mailbox_of(address) if self._key is None else _told_key(row, self._key)

    def _columns(  # noqa: PLR0913, PLR0917 - one for each column
        self, row: Row, key: str, address: str, fields: str, state: State, reply: str
    ) -> dict[str, Any]:
        return {
            "mailing_id": self._mailing,
            "key": key,
            "line": row.line,
            "address": address,
            "mailbox": mailbox_of(address),
            "fields": fields,
            "state": state.value,
            "attempts": 0,
            "reply": kept(reply, REPLY_LENGTH),
            "message_id": "",
            "sender": "",
            "copies": 1,
            "enhanced_code": "",
            "queue_id": "",
            "bounce_action": "",
            "bounce_status": "",
            "bounce_diagnosis": "",
        }


def _told_key(row: Row, column: str) -> str:
    key = str(row.values.get(column) or "").strip()
    if not key:
        raise Unsendable(f"{column}: expected a value that tells recipients apart, got none")
    if not is_kept(key):
        raise Unsendable(f"{column}: expected text, got {key!a}")
    if key.startswith(NOBODY):
        raise Unsendable(f"{column}: expected a value that does not begin with {NOBODY!r}, got {key!a}")
    if len(key) > KEY_LENGTH:
        raise Unsendable(f"{column}: expected at most {KEY_LENGTH} characters, got {len(key)}")
    return key
