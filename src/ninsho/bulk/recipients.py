"""Recipients as they are listed: a row each, with the address, and the key that each is known by."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from ninsho.bulk.states import State
from ninsho.bulk.tables import KEY_LENGTH, REPLY_LENGTH
from ninsho.mail.addresses import read
from ninsho.mail.unsendable import Unsendable


class Row(NamedTuple):
    """One row of a list: the *line* where it stands, its values by column, and what is wrong with it."""

    line: int
    values: Mapping[str, Any]
    fault: str = ""


def numbered(rows: Iterable[Mapping[str, Any] | Row]) -> Iterator[Row]:
    """Give each row a number, where it has none."""
    for number, row in enumerate(rows, 1):
        yield row if isinstance(row, Row) else Row(number, row)


class Listing:
    """Makes rows of a list into rows of the ledger: the address from the column *address*, the key from *key*."""

    def __init__(self, mailing: int, *, address: str, key: str | None) -> None:
        self._mailing = mailing
        self._address = address
        self._key = key

    def entry(self, row: Row) -> dict[str, Any]:
        """Return the columns of one row; what cannot be sent to is ``invalid``, and known by its line."""
        fields = json.dumps(dict(row.values), ensure_ascii=False, default=str)
        try:
            address, key = self._who(row)
        except Unsendable as fault:
            told = str(row.values.get(self._address) or "")
            return self._columns(row, f"line {row.line}", _shown(told), fields, State.INVALID, str(fault))
        return self._columns(row, key, address, fields, State.WAITING, "")

    def _who(self, row: Row) -> tuple[str, str]:
        if row.fault:
            raise Unsendable(row.fault)
        address = read(str(row.values.get(self._address) or "").strip(), self._address)[0]
        local, _, domain = address.rpartition("@")
        if not local:
            raise Unsendable(f"{self._address}: expected an address with a domain, got {address!a}")
        key = f"{local}@{domain.lower()}" if self._key is None else str(row.values.get(self._key) or "").strip()
        if not key:
            raise Unsendable(f"{self._key}: expected a value that tells recipients apart, got none")
        if "\0" in key:
            raise Unsendable(f"{self._key}: expected text, got a NUL character")
        if len(key) > KEY_LENGTH:
            raise Unsendable(f"{self._key}: expected at most {KEY_LENGTH} characters, got {len(key)}")
        return address, key

    def _columns(  # noqa: PLR0913, PLR0917 - one for each column
        self, row: Row, key: str, address: str, fields: str, state: State, reply: str
    ) -> dict[str, Any]:
        return {
            "mailing_id": self._mailing,
            "key": key,
            "line": row.line,
            "address": address,
            "fields": fields,
            "state": state.value,
            "attempts": 0,
            "reply": reply[:REPLY_LENGTH],
            "message_id": "",
            "sender": "",
            "enhanced_code": "",
            "queue_id": "",
            "bounce_action": "",
            "bounce_status": "",
            "bounce_diagnosis": "",
        }


def _shown(text: str) -> str:
    """No database but SQLite keeps a NUL."""
    return text.replace("\0", "�")[:KEY_LENGTH]
