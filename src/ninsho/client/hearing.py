"""What a server says of the transactions under way: each reply belongs to the oldest that waits for one."""

from collections import deque
from typing import TYPE_CHECKING, Final

from ninsho.client.errors import ConnectionLost, Desynchronized
from ninsho.client.flow import Flow
from ninsho.client.job import Transaction
from ninsho.client.settings import Timeouts
from ninsho.wire.smtp import Reply

if TYPE_CHECKING:
    from ninsho.client.session import Session

# RFC 5321 §4.2.4: what a server answers that offers CHUNKING and does not know BDAT.
UNKNOWN_COMMAND: Final = frozenset((500, 501, 502, 503, 504))
SALVAGE: Final = 1.0  # seconds to wait for what a server said before it closed


class Hearing:
    """Hears the replies to the transactions of *flight*, the oldest first."""

    def __init__(self, session: "Session", flight: deque[Transaction]) -> None:
        self._session = session
        self._flight = flight
        self._timeouts = session.settings.timeouts
        self._each = session.settings.protocol == "lmtp"

    def hurry(self) -> None:
        """Wait no longer than for what is on its way already."""
        self._timeouts = Timeouts(**dict.fromkeys(("command", "mail", "recipient", "data_end"), SALVAGE))

    def envelope(self, transaction: Transaction, count: int) -> Flow[None]:
        """Hear the next *count* replies to RSET, MAIL and RCPT."""
        at_hand, timeouts = self._session.at_hand, self._timeouts
        for _ in range(count):
            if transaction.reset:
                # Some servers do not know RSET: then nothing may depend on it.
                reply = at_hand() or (yield from self.reply(timeouts.command))
                transaction.reset = False
                if not reply.positive:
                    self._session.without.add("RSET")
            else:
                timeout = timeouts.mail if transaction.mail is None else timeouts.recipient
                reply = at_hand() or (yield from self.reply(timeout))
                if 300 <= reply.code < 400:
                    raise self.muddled(reply)
                transaction.answered(reply)
            if self._session.broken:
                raise self.farewell(reply)

    def ends(self, transaction: Transaction) -> Flow[None]:
        """Hear the verdict: with LMTP (RFC 2033 §4.2) one for each recipient that was accepted."""
        count = max(1, transaction.accepted) if self._each else 1
        while len(transaction.ends) < count:
            transaction.ends.append((yield from self.verdict()))
        if transaction.go is None and transaction.accepted:
            self._judge_chunking(transaction)

    def _judge_chunking(self, transaction: Transaction) -> None:
        """Step down to DATA where a server offers BDAT and does not know it."""
        session, end = self._session, transaction.ends[0]
        if end.positive:
            session.chunked = True
        elif end.code in UNKNOWN_COMMAND and not session.chunked:
            session.without.add("CHUNKING")
            session.broken = True
            # What it refused so, it cannot have taken; but it may go on to read the message as commands.
            transaction.sent = False
            raise ConnectionLost(f"{session.endpoint}: the server offers CHUNKING and does not know BDAT: {end}")

    def reply(self, timeout: float) -> Flow[Reply]:
        """Return a reply that is not the server's farewell."""
        reply = yield from self._session.reply(timeout)
        if self._session.broken:
            raise self.farewell(reply)
        return reply

    def verdict(self) -> Flow[Reply]:
        """Return the reply to a message."""
        reply = self._session.at_hand() or (yield from self._session.reply(self._timeouts.data_end))
        if reply.code < 400 and not reply.positive:
            raise self.muddled(reply)
        return reply

    def muddled(self, reply: Reply) -> Desynchronized:
        """Take note that replies are not those to what was asked (RFC 5321 §4.2): none can be trusted."""
        self._session.broken = True
        return Desynchronized(f"{self._session.endpoint}: expected a reply to something else, got {reply}")

    def farewell(self, reply: Reply) -> ConnectionLost:
        """Take note that nothing of what is under way will be looked at any more (RFC 5321 §3.8)."""
        for transaction in self._flight:
            transaction.sent = False
        return ConnectionLost(f"{self._session.endpoint}: {reply}")
