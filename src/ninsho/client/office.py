"""What both clients are made of, but for the waiting: settings, connections at rest, messages made into jobs."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ninsho.client.flow import Desk
from ninsho.client.outbox import Order, Outbox, Progress, RateLimit
from ninsho.client.receipt import Receipt
from ninsho.client.session import Session
from ninsho.client.settings import Retry, Settings
from ninsho.client.transactions import Courier
from ninsho.client.transcript import Watch, logged
from ninsho.errors import ClientError
from ninsho.mail.message import Preparer, Recipient, Source, Submission
from ninsho.mail.options import NO_OPTIONS, Options

if TYPE_CHECKING:
    from ssl import SSLContext

    from ninsho.client.pop import Mailbox
    from ninsho.client.told import Told

Sendable: TypeAlias = "Source | Submission"

# What comes behind the last message.
END: Final[Any] = object()

# Connections that break one after the other without a single verdict: then the server is taken to be out of order.
FRUITLESS: Final = 3


@dataclass(slots=True, eq=False)
class Connection:
    """A session, the transport that answers its wants, and what it has been used for; times are in seconds."""

    session: Session
    transport: Any
    born: float
    rested: float = 0.0
    generation: int = 0
    # The thread or task that uses it.
    holder: Any = None

    def is_spent(self, now: float) -> bool:
        """Whether it has done its share."""
        lifetime = self.session.settings.limits.lifetime
        old = lifetime is not None and now - self.born >= lifetime
        return old or self.session.count >= self.most

    @property
    def most(self) -> float:
        """How many messages it may be used for."""
        # RFC 9422 §4.1: MAILMAX are the transactions of one connection.
        told = self.session.capabilities.limit("MAILMAX")
        limits = (self.session.settings.limits.messages_per_connection, told)
        return min((limit for limit in limits if limit), default=inf)

    def courier(self, desk: Desk, clock: Callable[[], float]) -> Courier:
        """Return what submits on this connection."""
        capabilities, lifetime = self.session.capabilities, self.session.settings.limits.lifetime
        preparer = Preparer(capabilities, chunking="CHUNKING" in capabilities, dotted=self.session.settings.dotted)
        left, end = self.most - self.session.count, inf if lifetime is None else self.born + lifetime
        # Asked before each message: the clock is read only where it matters.
        return Courier(self.session, preparer, desk, spent=lambda n: n >= left or (end < inf and clock() >= end))


@dataclass
class Office:
    """The settings of a client, its connections at rest, and what it has learnt of the server's faults."""

    settings: Settings
    watch: Watch | None
    rate: RateLimit | None
    resting: list[Connection] = field(default_factory=list)
    # Capabilities that the server offers and does not have.
    without: set[str] = field(default_factory=set)
    # Connections of an earlier one are closed when they are not in use any more: ``close`` was called meanwhile.
    generation: int = 0
    process: int = field(default_factory=os.getpid)

    @cached_property
    def context(self) -> "SSLContext":
        """The TLS context of all connections: to make one takes some 40 ms."""
        from ninsho.client.tls import context_of  # noqa: PLC0415 - only who has TLS needs ssl

        return context_of(self.settings.trust)

    @classmethod
    def of(
        cls, url: str | Settings | None, transcript: Watch | None, keywords: "Told", misplaced: tuple[object, ...] = ()
    ) -> "Office":
        """Make one of what a client was told; raises as ``Settings.of`` does."""
        if misplaced:
            from ninsho.client.keywords import behind_the_url  # noqa: PLC0415 - as Settings.of has it

            raise behind_the_url(url, misplaced)
        settings = url if isinstance(url, Settings) and not keywords else Settings.of(url, **keywords)  # type: ignore[arg-type]
        rate = RateLimit(settings.rate) if settings.rate else None
        return cls(settings, transcript, rate, without=set(settings.without))

    def session(self) -> Session:
        """Return a new session, which is not connected yet."""
        return Session(self.settings, watch=self.watch or logged(), without=self.without)

    def mailbox(self) -> "Mailbox | None":
        """Return the mailbox that is to be visited before the next connection; None where there is none, or no need."""
        if self.settings.pop is None:
            return None
        from ninsho.client.pop import Mailbox  # noqa: PLC0415 - only who is told to needs it

        mailbox = Mailbox(self.settings, watch=self.watch or logged())
        return mailbox if mailbox.is_due else None

    def closed(self) -> list[Connection]:
        """Return the connections at rest, which rest no more; those in use will not."""
        self.generation += 1
        resting, self.resting = self.resting, []
        return resting

    def is_inherited(self) -> bool:
        """Whether this process is a child that was forked since: then all connections are the parent's."""
        if self.process == os.getpid():
            return False
        self.process = os.getpid()
        return True

    def rested(self, now: float) -> tuple[Connection | None, list[Connection]]:
        """Return a connection that has rested not too long, if there is one, and those that have."""
        tired: list[Connection] = []
        while self.resting:
            # The one used last is the one that the server has had least reason to close.
            connection = self.resting.pop()
            if now - connection.rested < self.settings.limits.idle and not connection.is_spent(now):
                return connection, tired
            tired.append(connection)
        return None, tired

    def rest(self, connection: Connection, now: float) -> bool:
        """Keep *connection* for the next who needs one; False where it should be closed instead."""
        session = connection.session
        if session.broken or session.tired or session.heard or connection.is_spent(now):
            return False
        if connection.generation != self.generation:
            return False
        connection.rested = now
        self.resting.append(connection)
        return True

    def workers(self, total: int | None) -> int:
        """How many connections a run of *total* messages is worth."""
        return 1 if total is not None and total < 2 else self.settings.limits.connections

    def outbox(self, order: Order, total: int | None, progress: Callable[[Progress], None] | None) -> Outbox:
        """Return an empty outbox for one run."""
        return Outbox(retry=self.settings.retry, rate=self.rate, order=order, total=total, progress=progress)


class Losses:
    """Bears with connections that break, or cannot be had, as long as there is use in making another."""

    def __init__(self, retry: Retry) -> None:
        self._retry = retry
        self._row = 0
        self._failures = 0

    def pause(self, error: ClientError) -> float:
        """Return the seconds to wait before the next try to connect; raise *error* where it was the last."""
        self._failures += 1
        if not error.temporary or self._failures >= self._retry.attempts:
            raise error
        return min(self._retry.longest, self._retry.first_delay * self._retry.factor ** (self._failures - 1))

    @contextmanager
    def counted(self, courier: Courier) -> Iterator[None]:
        """Bear with a ``ClientError`` within, unless it is the last of several with no verdict in between."""
        try:
            yield
        except ClientError:
            self._row = 1 if courier.verdicts else self._row + 1
            self._failures = 0
            if self._row >= FRUITLESS:
                raise


def submission(
    message: Sendable,
    sender: str | None = None,
    recipients: Sequence[str | Recipient] | None = None,
    options: Options = NO_OPTIONS,
) -> Submission:
    """Return *message* with its envelope as one; raise ``TypeError`` for what is none."""
    if isinstance(message, Submission):
        return message
    return Submission(message, sender, recipients, options)


def given_up(error: BaseException) -> ClientError:
    """Return what a message that was not sent has as its reason, where *error* ended the run."""
    return error if isinstance(error, ClientError) else ClientError(f"given up: {type(error).__name__}")


def delivered(receipt: Receipt) -> Receipt:
    """Return *receipt* if anybody got the message; raise what tells why where nobody did, or nobody can tell."""
    if not receipt.accepted or receipt.unknown:
        receipt.raise_for_refused()
    return receipt
