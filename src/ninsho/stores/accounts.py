"""Accounts, and what a user base can do: hand out accounts with their stored secrets, or only verify passwords."""

from collections.abc import Awaitable, Generator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network
from typing import Any, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

T = TypeVar("T")

# A store that has the answer in memory, or reads it in microseconds, gives it at once; only a real wait is awaited.
Answer: TypeAlias = T | Awaitable[T]

# Stores around stores are written as generators which yield what must be awaited, and return the answer.
Asking: TypeAlias = Generator[Awaitable[Any], Any, T]

Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Account:
    """One user of a store.

    ``name`` is the canonical user name, which the mail server is told. ``secrets`` are stored forms such as
    ``{ARGON2ID}$argon2id$…``, the preferred one first; empty where the store verifies passwords itself.
    ``expires`` is a Unix time in seconds. ``networks``, where not empty, are the only ones the account may log in from.
    A ``master`` may act as any other user where the configuration lets masters do so.
    """

    name: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    disabled: bool = False
    expires: float | None = None
    networks: tuple[Network, ...] = ()
    master: bool = False


class Checked(NamedTuple):
    """What became of a password: the account (None: no such user here), and whether the password is the account's."""

    account: Account | None
    matches: bool


NOBODY = Checked(None, matches=False)


class Request:
    """What the mail server tells about a login. Where it did not say something, the text is empty.

    ``fields`` are the parameters as they stood on the line, ``client_pid`` is the mail server's process.
    """

    __slots__ = ("client_pid", "fields", "mechanism")

    def __init__(self, mechanism: str = "", fields: Sequence[str] = (), client_pid: int = 0) -> None:
        self.mechanism = mechanism
        self.fields = fields
        self.client_pid = client_pid

    def parameter(self, name: str) -> str:
        """The value of the parameter that the protocol calls *name*, such as ``rip``."""
        prefix = f"{name}="
        for one in self.fields:
            if one.startswith(prefix):
                return one[len(prefix) :]
        return ""

    @property
    def service(self) -> str:
        """The service, such as ``smtp``; Dovecot calls it protocol since 2.4."""
        return self.parameter("service") or self.parameter("protocol")

    @property
    def remote_ip(self) -> str:
        """The end user's address."""
        return self.parameter("rip")

    @property
    def local_ip(self) -> str:
        """The address that the end user connected to."""
        return self.parameter("lip")

    @property
    def secured(self) -> bool:
        """Whether the end user's connection is encrypted, or never left the machine."""
        return "secured" in self.fields or self.parameter("secured") != ""

    @property
    def certified(self) -> str:
        """The user name in the end user's certificate, where the mail server has checked that; Dovecot alone tells."""
        return self.parameter("cert_username") if "valid-client-cert" in self.fields else ""

    @property
    def session(self) -> str:
        """The mail server's name of the session."""
        return self.parameter("session")


@runtime_checkable
class SecretStore(Protocol):
    """Hands out accounts with their stored secrets: enough for every mechanism.

    One whose ``find`` never gives an awaitable may say so with the attribute ``immediate = True``: that saves time.
    """

    def find(self, username: str) -> Answer[Account | None]:
        """Return the account of *username*, None if there is none; raise ``StoreUnavailable`` if it cannot be told."""


@runtime_checkable
class PasswordVerifier(Protocol):
    """Only verifies passwords, as LDAP, PAM and other people's code do: PLAIN and LOGIN."""

    def verify(self, username: str, password: str, request: Request) -> Answer[Checked]:
        """Tell whose the password is; raise ``StoreUnavailable`` if it cannot be told."""


Store: TypeAlias = SecretStore | PasswordVerifier


class StoreRecipe(Protocol):
    """A store's settings: a frozen dataclass decoded from a ``[[store]]`` table, found by its entry point."""

    def open(self) -> AbstractAsyncContextManager[Store]:
        """Return the store, ready for use; raises ``ConfigurationError`` or ``StoreUnavailable``."""
