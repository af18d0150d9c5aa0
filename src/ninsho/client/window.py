"""How many messages may be on their way at once, by what became of those before."""

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from ninsho.client.session import Session

# Exim hangs up at its tenth RSET behind a refused message (smtp_accept_max_nonmail), Postfix slows down after ten
# errors (smtpd_soft_error_limit): a connection is given up before. So no more fly until some have been accepted.
REFUSALS: Final = 8


class Window:
    """What one connection has shown of its server so far."""

    def __init__(self, session: "Session") -> None:
        self._session = session
        self._accepted = self._refused = 0

    def count(self, *, accepted: bool) -> None:
        """Take note of a verdict."""
        if accepted:
            self._accepted += 1
        else:
            self._refused += 1

    @property
    def room(self) -> int:
        """How many may be in flight."""
        settings = self._session.settings
        # The first BDAT goes alone, and with a deadline each does: what waits behind others would be late.
        if self.is_single or not self._session.chunked or settings.timeouts.total is not None:
            return 1
        # More and more: a server that closes after some messages should not leave many in doubt.
        wide = max(1, REFUSALS - self._refused if self._refused else 2 * self._accepted)
        return min(settings.limits.in_flight, wide)

    @property
    def is_single(self) -> bool:
        """Whether the server dislikes RSET, without which nothing may follow what has no verdict yet."""
        return "RSET" in self._session.without

    @property
    def is_closed(self) -> bool:
        """Whether so many have been refused that the connection should be given up."""
        return self._refused >= REFUSALS
