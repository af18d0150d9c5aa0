"""A mailbox to read mail from, by POP3 (RFC 1939): messages as a sequence, deleted at the end or not at all."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar, overload

from ninsho.client import words
from ninsho.client.errors import ConnectionLost
from ninsho.client.flow import Flow, run
from ninsho.client.keywords import WORDS
from ninsho.client.maildrop import Maildrop
from ninsho.client.settings import Settings, TLSMode
from ninsho.client.sockets import SocketTransport
from ninsho.client.transcript import Watch, logged
from ninsho.client.url import Address, parse
from ninsho.errors import ConfigurationError
from ninsho.mail.reading import Mail, read

if TYPE_CHECKING:
    from typing import Unpack

    from ninsho.client.told import Told

T = TypeVar("T")

MESSAGE_LIMIT = 256 * 1024 * 1024  # octets
POP3S_PORT, POP3_PORT = 995, 110  # RFC 8314 §7.3, RFC 1939 §3
SCHEMES: Final = {
    "pop3s": TLSMode.IMPLICIT,
    "pops": TLSMode.IMPLICIT,
    "pop3": TLSMode.STARTTLS,
    "pop": TLSMode.STARTTLS,
}


class Message:
    """A message in a mailbox: fetched when it is asked for, and kept as long as this object is."""

    def __init__(self, mailbox: "Mailbox", number: int) -> None:
        self._mailbox = mailbox
        self._octets: bytes | None = None
        self.number = number

    def __repr__(self) -> str:
        return f"<message {self.number}, {self.size} octets>"

    @property
    def size(self) -> int:
        """How many octets it has, as the server counts."""
        return self._mailbox.sizes[self.number]

    @property
    def uid(self) -> str:
        """What the server calls it for as long as it is there; raises ``NotOffered`` where it has no names."""
        return self._mailbox.uids[self.number]

    @property
    def octets(self) -> bytes:
        """The message as the server has it, with CRLF."""
        if self._octets is None:
            self._octets = self._mailbox.retrieve(self.number)
        return self._octets

    @property
    def deleted(self) -> bool:
        """Whether it will be deleted at the end."""
        return self.number in self._mailbox.deleted

    def read(self) -> Mail:
        """Fetch it, and decode it."""
        return read(self.octets)

    def top(self, lines: int = 0) -> bytes:
        """Return its header and the first *lines* lines of its body, without fetching it all."""
        return self._mailbox.top(self.number, lines)

    def delete(self) -> None:
        """Have it deleted at the end, if nothing goes wrong until then."""
        self._mailbox.deleted.add(self.number)

    def keep(self) -> None:
        """Take ``delete`` back."""
        self._mailbox.deleted.discard(self.number)


class Mailbox(Sequence[Message]):
    """The messages of a mailbox, but for those whose UIDs have been *seen*.

    Told by a URL, ``pop3s://alice:secret@mail.example.com``, by a client's keywords, or by both: ``pop3s`` begins with
    TLS (port 995), ``pop3`` with STLS (port 110), which must be offered unless ``tls=none``. It is used in a ``with``:
    at its end the messages to be deleted are deleted, if it ends without an exception; else the mailbox stays as it
    was. *limit* is how many octets a message may have. Raises ``ConfigurationError`` and ``ClientError`` as the clients
    do.
    """

    def __init__(
        self,
        url: str | None = None,
        /,
        *,
        seen: Collection[str] = (),
        limit: int = MESSAGE_LIMIT,
        transcript: Watch | None = None,
        **keywords: "Unpack[Told]",
    ) -> None:
        self.settings = settings_of(url, keywords)
        self.sizes: Mapping[int, int] = {}
        self.deleted: set[int] = set()
        self._seen = seen
        self._uids: Mapping[int, str] | None = None
        self._numbers: list[int] = []
        self._talk = Maildrop(self.settings, limit=limit, watch=transcript or logged())
        self._transport: SocketTransport | None = None

    @property
    def total(self) -> int:
        """How many messages there are, the seen ones as well."""
        return len(self.sizes)

    @property
    def uids(self) -> Mapping[int, str]:
        """What the server calls each message, by its number; raises ``NotOffered`` where they have no names."""
        if self._uids is None:
            self._uids = self._run(self._talk.uids())
        return self._uids

    def with_uid(self, uid: str) -> Message | None:
        """Return the message that the server calls *uid*; None where it is not there any more."""
        return next((Message(self, number) for number, each in self.uids.items() if each == uid), None)

    def retrieve(self, number: int) -> bytes:
        """Return the message of this number."""
        return self._run(self._talk.retrieve(number))

    def top(self, number: int, lines: int = 0) -> bytes:
        """Return the header of the message of this number, and *lines* lines of its body."""
        return self._run(self._talk.top(number, lines))

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, place: int) -> Message: ...
    @overload
    def __getitem__(self, place: slice) -> list[Message]: ...
    def __getitem__(self, place: int | slice) -> Message | list[Message]:
        if isinstance(place, slice):
            return [Message(self, number) for number in self._numbers[place]]
        return Message(self, self._numbers[place])

    def __iter__(self) -> Iterator[Message]:
        return (Message(self, number) for number in self._numbers)

    def __enter__(self) -> Self:
        self._transport = SocketTransport(self.settings, self._talk.context)
        try:
            self._run(self._talk.connect())
            self.sizes = self._run(self._talk.sizes())
            self._uids = None
            # A server without UIDL need not know it where nobody asks.
            self._numbers = [number for number in self.sizes if not self._seen or self.uids[number] not in self._seen]
        except BaseException:
            self._transport.close()
            self._transport = None
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        transport, deleted = self._transport, sorted(self.deleted)
        self.deleted.clear()
        try:
            if kind is None:
                self._leave(deleted)
            elif issubclass(kind, Exception):
                self._run(self._talk.quit())
        finally:
            self._transport = None
            if transport is not None:
                transport.close()

    def _leave(self, deleted: Sequence[int]) -> None:
        if not self._talk.broken:
            self._run(self._talk.leave(deleted))
        elif deleted:
            raise ConnectionLost(f"{self._talk.endpoint}: the connection was lost before: nothing was deleted")

    def _run(self, flow: Flow[T]) -> T:
        if self._transport is None:
            raise ConfigurationError(["mailbox: expected it to be used within its with, got it used outside"])
        self._transport.take_time()
        return run(flow, self._transport)


def settings_of(url: str | None, keywords: Mapping[str, Any]) -> Settings:
    """Make the settings of a mailbox; raise ``ConfigurationError``, or ``TypeError`` for an unknown keyword."""
    address = parse(url, tuple(SCHEMES)) if url is not None else Address()
    told = {name: value for name, value in keywords.items() if value is not None}
    if faults := [*address.faults, *_unknown(address)]:
        raise ConfigurationError([f"url: {fault}" for fault in faults])
    parts = {"host": address.hosts, "username": address.username, "password": address.password}
    given = {**{name: value for name, value in parts.items() if value}, **dict(address.parameters), **told}
    if "host" not in given:
        raise ConfigurationError(["url: expected one, or a host, got none"])
    settings = Settings.of(**{**given, **_place(given, SCHEMES.get(address.scheme))})
    if settings.login is None:
        raise ConfigurationError(["username: expected one, as a mailbox is somebody's, got none"])
    return settings


def _unknown(address: Address) -> Iterator[str]:
    for name, _ in address.parameters:
        if name not in WORDS or not WORDS[name].in_url:
            yield "unknown parameter; those of a client's URL are known"


def _place(given: Mapping[str, Any], mode: TLSMode | None) -> dict[str, Any]:
    """Work out how TLS begins from the port, or the port from how TLS begins, as POP3 has them."""
    try:
        hosts = words.hosts(given["host"])
        told = words.tls(given["tls"]) if "tls" in given else mode
        port = words.port(given["port"]) if "port" in given else None
    except ValueError as error:
        raise ConfigurationError([f"mailbox: {error}"]) from None
    if not isinstance(told, TLSMode):
        ports = {port or each for _, each in hosts}
        told = mode or (TLSMode.STARTTLS if ports == {POP3_PORT} else TLSMode.IMPLICIT)
    default = port or (POP3S_PORT if told is TLSMode.IMPLICIT else POP3_PORT)
    return {"host": tuple((host, each or default) for host, each in hosts), "tls": told}
