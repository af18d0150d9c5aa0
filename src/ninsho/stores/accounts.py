"""Accounts, and what a user base can do: hand out accounts with their stored secrets, or only verify passwords."""

from collections.abc import Awaitable, Generator
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


def settled(answer: Answer[T]) -> Asking[T]:
    """The value of *answer*: with no wait where it is there already."""
    if isinstance(answer, Awaitable):
        value: T = yield answer
        return value
    return answer


@dataclass(frozen=True, slots=True)
class Account:
    """One user of a store.

    ``name`` is the canonical user name, which the mail server is told. ``secrets`` are stored forms such as
    ``{ARGON2ID}$argon2id$…``, the preferred one first; empty where the store verifies passwords itself.
    ``expires`` is a Unix time in seconds. ``networks``, where not empty, are the only ones the account may log in from.
    """

    name: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    disabled: bool = False
    expires: float | None = None
    networks: tuple[Network, ...] = ()


class Checked(NamedTuple):
    """What became of a password: the account (None: no such user here), and whether the password is the account's."""

    account: Account | None
    matches: bool


NOBODY = Checked(None, matches=False)


class Request(NamedTuple):
    """What the mail server tells about a login: who asks, from where, over what. Empty text where it did not say."""

    service: str = ""
    remote_ip: str = ""
    local_ip: str = ""
    remote_port: str = ""
    local_port: str = ""
    secured: bool = False
    mechanism: str = ""
    session: str = ""
    client_pid: int = 0


@runtime_checkable
class SecretStore(Protocol):
    """Hands out accounts with their stored secrets: enough for every mechanism."""

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
