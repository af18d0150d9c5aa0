"""Mail transactions as flows: one by one, the next envelope behind the final dot, or several in flight by BDAT.

RFC 2920 §3.1 lets MAIL, RCPT, RSET and, as the last of a group, DATA be sent without waiting; a message may begin a
group. So ``<CRLF>.<CRLF>MAIL FROM…`` is lawful, and a message costs one round trip. RFC 3030 §2 lets BDAT stand
anywhere in a group, with which whole transactions follow each other and a message costs a fraction of one.
"""

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ninsho.client.bundle import Bundle
from ninsho.client.errors import ConnectionLost
from ninsho.client.flow import Desk, Flow, Take
from ninsho.client.hearing import SALVAGE, Hearing
from ninsho.client.job import Job, Transaction
from ninsho.client.window import Window
from ninsho.errors import ClientError
from ninsho.mail.unsendable import ContentChanged, Unsendable

if TYPE_CHECKING:
    from ninsho.client.session import Session
    from ninsho.mail.message import Preparer

DATA: Final = b"DATA\r\n"
RSET: Final = b"RSET\r\n"
DOT: Final = b".\r\n"
GO_AHEAD: Final = 354
# A larger message waits for its recipients to be accepted; until then nothing of it is sent.
SPECULATIVE: Final = 1_048_576  # octets
# Groups of commands are no longer than this, lest both ends wait for each other to read (RFC 2920 §3.1).
GROUP: Final = 100  # recipients
WRITE: Final = 65_536  # octets; what is smaller is put together
LOSSES: Final = 2  # connections that may break under a message before it counts as failed


class Courier:
    """Submits the jobs of a *desk* on one connection, until there are none or the connection has done its share.

    ``spent(n)`` says whether the connection has had enough with *n* messages more.
    """

    def __init__(self, session: "Session", preparer: "Preparer", desk: Desk, *, spent: Callable[[int], bool]) -> None:
        self._session = session
        self._preparer = preparer
        self._desk = desk
        self._spent = spent
        self._timeouts = session.settings.timeouts
        self._pipelining = "PIPELINING" in session.capabilities
        self._chunking = "CHUNKING" in session.capabilities
        self._window = Window(session)
        self._via = session.via
        self._most_recipients = session.recipients_limit
        self._take, self._take_now = Take(desk, wait=True), Take(desk, wait=False)
        self._bundle = Bundle(watched=session.watch is not None)
        # Prepared and not begun; begun and without a verdict, the oldest first.
        self._ready: deque[Transaction] = deque()
        self._flight: deque[Transaction] = deque()
        self._done: deque[Job] = deque()
        self._hearing = Hearing(session, self._flight)
        self.count = self.verdicts = 0

    def deliver(self) -> Flow[None]:
        """Submit; raise ``ClientError`` where the connection broke, after all jobs have been handed in or back."""
        try:
            while (transaction := (yield from self._next(self._take))) is not None:
                if self._session.unclear:
                    self._ready.appendleft(transaction)
                    yield from self._clear()
                else:
                    yield from self._way(transaction)(transaction)
        except ClientError as error:
            if isinstance(error.__cause__, OSError) and not isinstance(error.__cause__, TimeoutError):
                yield from self._salvage()
            self._learn(error)
            self._abandon(error)
            raise
        except BaseException:
            self._abandon(ConnectionLost(f"{self._session.endpoint}: given up"))
            raise
        # Prepared for this connection, which has done its share. The last first, as each is put in front of the others.
        for job in reversed(dict.fromkeys(transaction.job for transaction in self._ready)):
            self._desk.give_back(job)

    def _way(self, transaction: Transaction) -> Callable[[Transaction], Flow[None]]:
        if not self._pipelining or len(transaction.places) > GROUP:
            return self._in_turns
        if not self._chunking:
            return self._behind_the_dot
        return self._in_flight if transaction.prepared.content.size <= SPECULATIVE else self._in_turns

    # One by one.

    def _in_turns(self, transaction: Transaction) -> Flow[None]:
        """One transaction as carefully as it takes: nothing of the message is sent before somebody may have it."""
        group = GROUP if self._pipelining else 1
        lines = self._opening(transaction)
        while lines:
            some, lines = lines[:group], lines[group:]
            self._bundle.command(b"".join(some))
            yield from self._flush()
            yield from self._hearing.envelope(transaction, len(some))
            if transaction.mail is not None and not transaction.mail.positive:
                # Without a sender no recipient can be accepted.
                transaction.rcpts, lines = [transaction.mail] * len(transaction.places), []
        if transaction.accepted and self._chunking:
            yield from self._chunk(transaction)
            yield from self._hearing.ends(transaction)
        elif transaction.accepted:
            self._bundle.command(DATA)
            yield from self._flush()
            yield from self._content_after_data(transaction, None)
        self._close(transaction)

    # The next envelope behind the final dot.

    def _behind_the_dot(self, transaction: Transaction) -> Flow[None]:
        """DATA, one round trip a message: what ends one message and what begins the next leave in one write."""
        current: Transaction | None = transaction
        self._begin_by_data(transaction)
        yield from self._flush()
        while current is not None:
            # Mostly all replies are there, and as always: read at once they take a third of the time.
            if (replies := self._session.successes(current.unheard + 1)) is not None:
                current.go = replies.pop()
                current.answered_well(replies)
            else:
                yield from self._hearing.envelope(current, current.unheard)
            following = yield from self._content_after_data(current, self._behind_the_dot)
            self._close(current, at_once=following is None)
            if following is None and (following := (yield from self._following(self._behind_the_dot))):
                self._begin_by_data(following)
                yield from self._flush()
            current = following

    def _begin_by_data(self, transaction: Transaction) -> None:
        # RFC 2920 §3.1: DATA is the last of a group.
        self._bundle.command(b"".join((*self._opening(transaction), DATA)))

    def _content_after_data(
        self, transaction: Transaction, way: "Callable[[Transaction], Flow[None]] | None"
    ) -> Flow[Transaction | None]:
        """Hear the reply to DATA, send the content, and behind it the next that goes this *way*; hear the verdict."""
        if transaction.go is None:
            transaction.go = yield from self._hearing.reply(self._timeouts.data_start)
        go = transaction.go
        self._session.expect_silence()
        if go.code != GO_AHEAD:
            if go.code < 400:
                raise self._hearing.muddled(go)
            transaction.ends = [go] * max(1, transaction.accepted)
            return None
        if not transaction.accepted:
            # RFC 2920 §3.1: the server waits for a message that nobody may have. It gets none.
            self._bundle.command(DOT)
            yield from self._flush()
            transaction.ends = [(yield from self._hearing.verdict())]
            return None
        yield from self._stream(transaction.prepared.content.stuffed())
        self._bundle.command(DOT)
        self._bundle.complete(transaction)
        following = None
        if way is not None and self._desk.eager and not self._window.is_single:
            following = self._at_hand(way) or (yield from self._following(way))
            if following is not None:
                self._begin_by_data(following)
        yield from self._flush()
        if following is not None:
            self._overlap()
        yield from self._hearing.ends(transaction)
        return following

    # Several in flight.

    def _in_flight(self, transaction: Transaction) -> Flow[None]:
        """BDAT: whole transactions follow each other before the first has its verdict."""
        following: Transaction | None = transaction
        while following is not None or self._flight:
            while following is not None:
                self._bundle.command(b"".join(self._opening(following)))
                yield from self._chunk(following, flush=not self._desk.eager or self._bundle.size > WRITE)
                room = len(self._flight) < self._window.room
                following = (yield from self._following(self._in_flight)) if room else None
            yield from self._flush()
            # All that has been heard is settled before more is sent: so several leave in one write again.
            yield from self._hear_oldest()
            while self._flight and self._session.heard:
                yield from self._hear_oldest()
            following = yield from self._following(self._in_flight)

    def _hear_oldest(self) -> Flow[None]:
        transaction = self._flight[0]
        yield from self._hearing.envelope(transaction, transaction.unheard)
        yield from self._hearing.ends(transaction)
        self._close(transaction)

    # What all of them are made of.

    def _next(self, take: Take) -> Flow[Transaction | None]:
        """Return the next transaction; None where there is none, or the connection has done its share."""
        if self._is_at_end():
            return None
        while not self._ready:
            job: Job | None = yield take
            if job is None:
                return None
            self._prepare(job)
        return self._ready.popleft()

    def _is_at_end(self) -> bool:
        if self._window.is_closed:
            self._session.tired = True
        return self._session.broken or self._session.tired or self._spent(self.count)

    def _at_hand(self, way: Callable[[Transaction], Flow[None]]) -> Transaction | None:
        """Return the next transaction, if it is ready and goes this *way*."""
        if self._ready and self._way(self._ready[0]) == way and not self._is_at_end():
            return self._ready.popleft()
        return None

    def _overlap(self) -> None:
        """While the server is busy with a message, hand in the one before, and make the one after the next ready."""
        self._hand_out()
        free = self._timeouts.total is None and not self._ready and not self._is_at_end()
        if free and (job := self._desk.at_once()) is not None:
            self._prepare(job)

    def _following(self, way: Callable[[Transaction], Flow[None]]) -> Flow[Transaction | None]:
        """Return the next transaction, if it is at hand and goes this *way*."""
        if self._session.unclear and not self._flight:
            return None
        transaction = yield from self._next(self._take_now)
        if transaction is None or self._way(transaction) == way:
            return transaction
        self._ready.appendleft(transaction)
        return None

    def _prepare(self, job: Job) -> None:
        try:
            transaction = job.begin(self._preparer.prepare(job.submission), self._via)
        except Unsendable as error:
            self._fail(job, error)
            return
        except Exception as accident:  # noqa: BLE001 - one message that cannot be read is no reason to stop the others
            unsendable = Unsendable(f"the message cannot be made ready: {type(accident).__name__}")
            unsendable.__cause__ = accident
            self._fail(job, unsendable)
            return
        self._ready.extend(transaction.split(self._most_recipients))

    def _fail(self, job: Job, error: ClientError) -> None:
        job.fail(error)
        self._desk.give(job)

    def _clear(self) -> Flow[None]:
        """End a transaction that nobody wants any more; where the server will not, its next MAIL would be refused."""
        self._session.unclear = False
        reply = yield from self._session.exchange(RSET)
        if not reply.positive:
            self._session.without.add("RSET")
            self._session.tired = True

    def _opening(self, transaction: Transaction) -> list[bytes]:
        """Return the lines that begin a transaction, which is under way with them."""
        # Without RSET a recipient of this message could join a transaction that was refused half-way; and Dovecot up to
        # 2.3 breaks down at a MAIL that comes before it has answered what ended the message before.
        transaction.reset = bool(self._flight)
        self._session.count += 1
        self._flight.append(transaction)
        self.count += 1
        if len(self._flight) == 1:
            self._session.expect_silence()
        return [RSET, *transaction.envelope] if transaction.reset else transaction.envelope

    def _chunk(self, transaction: Transaction, *, flush: bool = True) -> Flow[None]:
        """Add the content as one BDAT."""
        content = transaction.prepared.content
        self._bundle.command(b"BDAT %d LAST\r\n" % content.size)
        yield from self._stream(content.plain())
        self._bundle.complete(transaction)
        if flush:
            yield from self._flush()

    def _stream(self, chunks: Iterable[bytes]) -> Flow[None]:
        """Add the *chunks* of a content; send what becomes too much to keep."""
        for chunk in chunks:
            if self._bundle.size > WRITE:
                yield from self._flush()
            self._bundle.content(chunk)

    def _flush(self) -> Flow[None]:
        """Send what has been put together."""
        if not self._bundle.size:
            return
        data, shown, complete = self._bundle.taken()
        try:
            yield from self._session.send(data, shown=shown)
        except ClientError as error:
            # How many octets were handed over before that, where the transport knows.
            handed = getattr(error.__cause__, "handed", len(data))
            for end, transaction in complete:
                transaction.sent = end <= handed
            raise
        for _, transaction in complete:
            transaction.sent = True

    def _close(self, transaction: Transaction, *, at_once: bool = True) -> None:
        """Take the oldest transaction, which has its verdict, out of the flight, and hand it in, now or soon."""
        self._flight.popleft()
        self.verdicts += 1
        self._window.count(accepted=bool(transaction.accepted and transaction.ends and transaction.ends[0].positive))
        # RFC 5321 §3.3: a message's verdict ends its transaction; but a refused RCPT, DATA or BDAT does not.
        if not self._flight:
            ended = transaction.go is not None and transaction.go.code == GO_AHEAD
            positive = bool(transaction.ends) and transaction.ends[0].positive
            self._session.unclear = not (ended or positive or transaction.mail is None or not transaction.mail.positive)
        self._hand_in(transaction)
        if at_once:
            self._hand_out()
        if self._session.broken and self._flight:
            raise self._hearing.farewell(transaction.ends[-1])

    def _hand_in(self, transaction: Transaction) -> None:
        if not transaction.settle():
            self._ready.append(transaction.again())
        elif not transaction.job.under_way:
            self._done.append(transaction.job)

    def _hand_out(self) -> None:
        while self._done:
            self._desk.give(self._done.popleft())

    def _salvage(self) -> Flow[None]:
        """Hear what the server said before it closed: verdicts, and mostly the very reason."""
        self._session.broken = False
        self._hearing.hurry()
        with suppress(ClientError):
            while self._flight:
                transaction = self._flight[0]
                yield from self._hearing.envelope(transaction, transaction.unheard)
                if not self._chunking and transaction.go is None:
                    transaction.go = yield from self._hearing.reply(SALVAGE)
                if transaction.go is not None and transaction.go.code != GO_AHEAD:
                    transaction.ends = [transaction.go] * max(1, transaction.accepted)
                else:
                    yield from self._hearing.ends(transaction)
                if not transaction.sent and any(end.positive for end in transaction.ends):
                    # It cannot have been for what it never got.
                    transaction.ends = []
                    return
                self._close(transaction)

    def _learn(self, error: ClientError) -> None:
        """Be more careful with a server whose connection broke, from the next one on."""
        if any(transaction.sent for transaction in self._flight):
            self._session.doubt_chunking()
        # A server that closes after each message leaves all that followed in doubt.
        if self.verdicts and self._flight and self._flight[0].reset and not isinstance(error.__cause__, TimeoutError):
            self._session.doubt_followers()

    def _abandon(self, error: ClientError) -> None:
        """Hand in what was under way when the connection broke: unknown where all of it was sent, else back."""
        self._session.broken = True
        self._hand_out()
        # The server broke at the oldest, the others were only on their way; a file that changed is the newest.
        if self._flight:
            self._flight[-1 if isinstance(error, ContentChanged) else 0].job.losses += 1
        jobs = dict.fromkeys(transaction.job for transaction in (*self._flight, *self._ready))
        for transaction in self._flight:
            if transaction.sent:
                transaction.lose(error)
        self._flight.clear()
        self._ready.clear()
        for job in reversed(jobs):
            if None in job.fates and job.losses < LOSSES:
                self._desk.give_back(job)
            elif None in job.fates:
                self._fail(job, error)
            else:
                self._desk.give(job)
