"""The ledger: which mailings there are, what became of each recipient, and who is to be tried again."""

import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection, Integer, RowMapping, cast, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ninsho.bulk import loading, runs
from ninsho.bulk.database import Database
from ninsho.bulk.recipients import NOBODY, Listing, Row, numbered
from ninsho.bulk.states import State
from ninsho.bulk.tables import NAME_LENGTH, REPLY_LENGTH, mailings, recipients
from ninsho.bulk.texts import is_kept, kept
from ninsho.errors import ConfigurationError, NinshoError

PAGE: Final = 1000  # rows that are read at a time
_COLUMNS: Final = recipients.c
# Nobody's message may still be on the way where these are.
RETRIED: Final = frozenset((State.DEFERRED, State.REFUSED, State.UNKNOWN, State.BOUNCED, State.INVALID))


class NoSuchMailing(NinshoError):
    """The ledger has no mailing of that name."""


@dataclass(frozen=True, slots=True)
class Mailing:
    """A mailing in the ledger; *fingerprint* is of all that is the same for everybody."""

    id: int
    name: str
    fingerprint: str
    subject: str
    created_at: float


@dataclass(frozen=True, slots=True)
class Recipient:
    """A recipient in the ledger, as its row has it."""

    id: int
    key: str
    line: int
    address: str
    fields: Mapping[str, Any]
    state: State
    attempts: int
    message_id: str
    sender: str
    code: int | None
    enhanced_code: str
    reply: str
    queue_id: str
    claimed_at: float | None
    settled_at: float | None
    bounce_action: str
    bounce_status: str
    bounce_diagnosis: str
    bounced_at: float | None

    @classmethod
    def of(cls, row: RowMapping) -> Self:
        """Read a row."""
        columns = {name: row[name] for name in cls.__slots__}
        return cls(**{**columns, "state": State(row["state"]), "fields": json.loads(row["fields"])})


class Ledger:
    """A ledger for ``with``: a file's name, or a database URL; see ``Database`` for what it raises."""

    def __init__(self, place: str | Path, *, create: bool = True) -> None:
        self.database = Database(place, create=create)

    def mailing(self, name: str, *, fingerprint: str = "", subject: str = "") -> Mailing:
        """Return the mailing called *name*; it is made where there is none."""
        if not (0 < len(name) <= NAME_LENGTH and is_kept(name)):
            raise ConfigurationError([f"mailing: expected a name of at most {NAME_LENGTH} characters, got {name!a}"])
        values = {
            "name": name,
            "fingerprint": fingerprint,
            "subject": kept(subject, REPLY_LENGTH),
            "created_at": time.time(),
        }
        return self._named(name) or self.database.write(lambda connection: _begun(connection, values))

    def mailings(self) -> list[Mailing]:
        """Return all mailings, the oldest first."""
        rows = self.database.read(lambda connection: connection.execute(select(mailings).order_by(mailings.c.id)).all())
        return [Mailing(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's own, and public

    def find(self, name: str | None = None) -> Mailing:
        """Return the mailing called *name*, or the only one there is; raise ``NoSuchMailing``."""
        known = self.mailings()
        found = known if name is None else [mailing for mailing in known if mailing.name == name]
        if len(found) == 1:
            return found[0]
        names = ", ".join(mailing.name for mailing in known) or "none"
        raise NoSuchMailing(
            f"mailing: expected {'one of' if known else 'some, found'} {names}, got {name or 'no name'}"
        )

    def change(self, mailing: Mailing, *, fingerprint: str, subject: str) -> None:
        """Let something else be sent from now on under the same name, also of rows that made no message before."""
        values = {"fingerprint": fingerprint, "subject": kept(subject, REPLY_LENGTH)}
        changing = update(mailings).where(mailings.c.id == mailing.id).values(values)
        self.database.write(lambda connection: connection.execute(changing))
        self.retry(mailing, [State.INVALID])

    def load(
        self,
        mailing: Mailing,
        rows: Iterable[Mapping[str, Any] | Row],
        *,
        address: str = "email",
        key: str | None = None,
    ) -> loading.Loaded:
        """Add *rows*, whose addresses are in the column *address*; each *key*, else each address, once.

        Those that are there already, and have not been sent to, are from now on what is listed. A row that is listed no
        more is not forgotten.
        """
        return loading.load(self.database, mailing.id, Listing(mailing.id, address=address, key=key), numbered(rows))

    def reap(self, mailing: Mailing) -> int:
        """Settle what runs have left that were killed; return how many recipients wait again."""
        return runs.reap(self.database, mailing.id)

    def counts(self, mailing: Mailing) -> dict[State, int]:
        """Return how many recipients are in each state."""
        counting = (
            select(_COLUMNS.state, func.count()).where(_COLUMNS.mailing_id == mailing.id).group_by(_COLUMNS.state)
        )
        rows = self.database.read(lambda connection: connection.execute(counting).all())
        found = {State(state): int(count) for state, count in rows}
        return {state: found.get(state, 0) for state in State}

    def recipients(self, mailing: Mailing, states: Collection[State] = ()) -> Iterator[Recipient]:
        """Give the recipients in *states*, or all, as they were added; a thousand are in memory at a time."""
        wanted = select(recipients).where(_COLUMNS.mailing_id == mailing.id).order_by(_COLUMNS.id).limit(PAGE)
        if states:
            wanted = wanted.where(_COLUMNS.state.in_(states))
        last = 0
        while page := self._page(wanted.where(_COLUMNS.id > last)):
            yield from map(Recipient.of, page)
            last = page[-1]["id"]

    def first(self, mailing: Mailing, states: Collection[State], most: int) -> list[Recipient]:
        """Return the first *most* of the recipients in *states*, in the order of the list's lines."""
        wanted = select(recipients).where(_COLUMNS.mailing_id == mailing.id, _COLUMNS.state.in_(states))
        return [*map(Recipient.of, self._page(wanted.order_by(_COLUMNS.line, _COLUMNS.id).limit(most)))]

    def _page(self, wanted: Any) -> list[RowMapping]:  # noqa: ANN401 - SQLAlchemy's select of a table
        return self.database.read(lambda connection: list(connection.execute(wanted).mappings()))

    def retry(self, mailing: Mailing, states: Collection[State], *, keys: Collection[str] = ()) -> int:
        """Let those in *states* (of ``RETRIED``) wait again, of them only *keys* where given; return how many."""
        if unfit := set(states) - RETRIED:
            raise ValueError(f"states: expected some of {', '.join(sorted(RETRIED))}, got {', '.join(sorted(unfit))}")
        # No run has a claim to it any more, so none can settle it.
        values = {"state": State.WAITING.value, "run_id": None, "reply": "", "code": None, "enhanced_code": ""}
        back = update(recipients).where(_COLUMNS.mailing_id == mailing.id, _COLUMNS.state.in_(states)).values(values)
        if keys:
            back = back.where(_COLUMNS.key.in_([*filter(is_kept, keys)]))
        # There is nobody to send to.
        back = back.where(~_COLUMNS.key.startswith(NOBODY))
        return self.database.write(lambda connection: connection.execute(back).rowcount)

    def moments(self, mailing: Mailing) -> tuple[float, float] | None:
        """Return when the first and the last recipient were settled."""
        asking = select(func.min(_COLUMNS.settled_at), func.max(_COLUMNS.settled_at)).where(
            _COLUMNS.mailing_id == mailing.id
        )
        first, last = self.database.read(lambda connection: connection.execute(asking).one())
        return None if first is None else (first, last)

    def settled(self, mailing: Mailing, first: float, span: float) -> list[tuple[int, int]]:
        """Return how many were settled in each span of so many seconds from *first* on, by the span's number."""
        number = cast(func.floor((_COLUMNS.settled_at - first) / span), Integer)
        counting = (
            select(number, func.count())
            .where(_COLUMNS.mailing_id == mailing.id, _COLUMNS.settled_at.is_not(None))
            .group_by(number)
        )
        rows = self.database.read(lambda connection: connection.execute(counting).all())
        return [(int(place), int(count)) for place, count in rows]

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _named(self, name: str) -> Mailing | None:
        return next((mailing for mailing in self.mailings() if mailing.name == name), None)


def _begun(connection: Connection, values: Mapping[str, Any]) -> Mailing:
    try:
        with connection.begin_nested():
            connection.execute(insert(mailings).values(values))
    except IntegrityError:
        # Another process was quicker.
        pass
    row = connection.execute(select(mailings).where(mailings.c.name == values["name"])).one()
    return Mailing(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own, and public
