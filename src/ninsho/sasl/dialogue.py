"""The server's side of a mechanism: a generator which asks for what it needs, and at last returns a verdict."""

from collections.abc import Awaitable, Generator
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeAlias, TypeVar

from ninsho.errors import MalformedMessage
from ninsho.text import prepare_username

T = TypeVar("T")
Secret = TypeVar("Secret")


# What stands below is made once or more in each login. A slotted class takes 0.3 µs, a frozen dataclass or a named
# tuple 0.6 (CPython 3.11).
@dataclass(slots=True)
class Identity:
    """Who logs in (authcid), and as whom that user wants to act (authzid; empty: as the same; RFC 4422 §3.4.1)."""

    authcid: str
    authzid: str = ""

    @classmethod
    def parse(cls, authcid: bytes, authzid: bytes = b"") -> "Identity":
        """Prepare the names of a message; raise ``MalformedMessage`` for one that cannot be a user name."""
        if not authzid or authzid == authcid:
            return cls(prepare_username(authcid))
        return cls(prepare_username(authcid), prepare_username(authzid))


class Denial(Enum):
    """Why a login is denied; the value is the word of the log. Users learn far less."""

    MALFORMED = "badprotocol"  # the message is not one of this mechanism's
    MISMATCH = "badpassword"
    UNKNOWN = "baduser"
    NO_SECRET = "nosecret"  # noqa: S105 - a word of the log: the account stores no form that this mechanism can use
    DISABLED = "logindisabled"
    EXPIRED = "expired"
    NETWORK = "badnetwork"  # the account may not log in from this address
    AUTHORIZATION = "badauthz"  # the user may not act as the authzid
    ABORTED = "aborted"  # the client went away or took it back
    UNAVAILABLE = "temp"  # a store cannot tell
    ERROR = "error"  # our fault, or a broken stored form's


@dataclass(slots=True)
class Granted:
    """The login is good; ``data`` are the mechanism's last words to the client, if it has any."""

    identity: Identity
    data: bytes | None = None


@dataclass(slots=True)
class Denied:
    """The login is refused; ``data`` are the mechanism's last words to the client, if it has any."""

    cause: Denial
    data: bytes | None = None


Verdict: TypeAlias = Granted | Denied


class Challenge:
    """Send *data* to the client; the answer is its response."""

    __slots__ = ("data",)
    __match_args__ = ("data",)

    def __init__(self, data: bytes) -> None:
        self.data = data

    def __iter__(self) -> Generator["Challenge", bytes, bytes]:
        return (yield self)


class Verify:
    """Is this the user's password? The answer is a bool."""

    __slots__ = ("password", "username")
    __match_args__ = ("username", "password")

    def __init__(self, username: str, password: str) -> None:
        self.username = username
        self.password = password

    def __iter__(self) -> Generator["Verify", bool, bool]:
        return (yield self)


class Lookup(Generic[Secret]):
    """The first of the user's stored secrets that is of one of *kinds*; None if there is no such user or secret."""

    __slots__ = ("kinds", "username")
    __match_args__ = ("username", "kinds")

    def __init__(self, username: str, kinds: tuple[type[Secret], ...]) -> None:
        self.username = username
        self.kinds = kinds

    def __iter__(self) -> Generator["Lookup[Secret]", Secret | None, Secret | None]:
        return (yield self)


class Await(Generic[T]):
    """The result of any awaitable: for mechanisms that users write."""

    __slots__ = ("awaitable",)
    __match_args__ = ("awaitable",)

    def __init__(self, awaitable: Awaitable[T]) -> None:
        self.awaitable = awaitable

    def __iter__(self) -> Generator["Await[T]", T, T]:
        return (yield self)


Want: TypeAlias = Challenge | Verify | Lookup[Any] | Await[Any]
Dialogue: TypeAlias = Generator[Want, Any, Verdict]


def check_text(message: bytes) -> None:
    """Refuse a NUL, which no message but a binary mechanism's may hold: in C it has cut passwords short."""
    if b"\0" in message:
        raise MalformedMessage("unexpected NUL octet")
