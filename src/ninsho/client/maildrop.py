"""A maildrop as flows (RFC 1939 §5): what is in it, each message, and at the end which of them are deleted."""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from ninsho.client.errors import Desynchronized, NotOffered, Refused
from ninsho.client.flow import Close, Flow
from ninsho.client.pop import Pop3Session
from ninsho.client.settings import Settings
from ninsho.client.transcript import Watch
from ninsho.errors import ProtocolError
from ninsho.wire.maildrop import Contents, sizes, uids
from ninsho.wire.pop3 import FAILURE
from ninsho.wire.smtp import Reply

T = TypeVar("T")

LISTING_LIMIT = 64 * 1024 * 1024  # octets: some 700,000 messages
# What SMTP says of a mailbox where the password is not what is wrong.
UNAVAILABLE: Final = 550


class Maildrop(Pop3Session):
    """The talk with a POP3 server that holds mail; *limit* is how many octets a message may have."""

    parser = Contents

    def __init__(self, settings: Settings, *, limit: int, watch: Watch | None = None) -> None:
        super().__init__(settings, watch=watch)
        self._limit = limit

    def sizes(self) -> Flow[dict[int, int]]:
        """Return the size of each message by its number."""
        listing = yield from self._content(LISTING_LIMIT, "LIST")
        return self._parsed(sizes, listing)

    def uids(self) -> Flow[dict[int, str]]:
        """Return what each message is called, by its number; raise ``NotOffered`` where they have no names."""
        try:
            listing = yield from self._content(LISTING_LIMIT, "UIDL")
        except Refused as error:
            raise NotOffered(f"{self.endpoint}: expected a POP3 server that knows UIDL, got {error.reply}") from None
        return self._parsed(uids, listing)

    def retrieve(self, number: int) -> Flow[bytes]:
        """Return a message."""
        return (yield from self._content(self._limit, "RETR", number))

    def top(self, number: int, lines: int) -> Flow[bytes]:
        """Return the header of a message, and *lines* lines of its body."""
        return (yield from self._content(self._limit, "TOP", number, lines))

    def leave(self, deleted: Sequence[int]) -> Flow[None]:
        """Delete messages and close; where one cannot be deleted, none is, and ``Refused`` is raised."""
        for number in deleted:
            reply = yield from self.command("DELE", str(number))
            if not reply.positive:
                yield from self.command("RSET")
                yield from self.quit()
                raise self._refused(f"DELE {number}", reply)
        # RFC 1939 §6: only now they are removed.
        reply = yield from self.command("QUIT")
        self.broken = True
        yield Close()
        if deleted and not reply.positive:
            raise self._refused("QUIT: some messages may not have been deleted", reply)

    def _content(self, limit: int, verb: str, *arguments: int) -> Flow[bytes]:
        reply = yield from self.command(verb, *map(str, arguments))
        if not reply.positive:
            raise self._refused(" ".join((verb, *map(str, arguments))), reply)
        if not isinstance(self._replies, Contents):
            raise TypeError("expected a reader of contents")
        self._replies.expect_content(limit)
        try:
            while (content := self._replies.content()) is None:
                yield from self._more(self.settings.timeouts.data_block, anew=True)
        except ProtocolError as error:
            self.broken = True
            raise Desynchronized(f"{self.endpoint}: {verb}: {error}") from None
        self._note(f"{len(content)} octets")
        return content

    def _parsed(self, read: Callable[[bytes], dict[int, T]], listing: bytes) -> dict[int, T]:
        try:
            return read(listing)
        except ProtocolError as error:
            raise self._muddled(str(error)) from None

    def _refused(self, what: str, reply: Reply) -> Refused:
        if reply.code == FAILURE:
            reply = reply._replace(code=UNAVAILABLE)
        return Refused(f"{self.endpoint}: {what}", reply)
