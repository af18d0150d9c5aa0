"""An account as people enter, list, import and export it: everything that may be stored about a user."""

from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field

from ninsho.errors import MalformedSecret, NinshoError
from ninsho.stores import hashing
from ninsho.stores.accounts import Account, Network
from ninsho.stores.moments import check_moment
from ninsho.stores.names import MalformedEntry, key_of, prepare_name


class AccountExists(NinshoError):
    """There is an account of this name already, perhaps in another case."""


class NoSuchAccount(NinshoError):
    """There is no account of this name."""


class MalformedList(NinshoError):
    """A list of accounts cannot be read; ``problems`` are its bad lines with their numbers, which start at 1."""

    def __init__(self, problems: Iterable[tuple[int, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"line {number}: {problem}" for number, problem in self.problems))


@dataclass(frozen=True, slots=True)
class Entry:
    """What may be stored about a user; see ``Account`` for the fields, *note* is the administrator's.

    An entry is sound once it is there: its name is prepared, its secrets have their ``{SCHEME}`` in front, for which
    *default_scheme* is that of a secret that has none. Raises ``MalformedEntry`` for what cannot be stored.
    """

    name: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    disabled: bool = False
    expires: float | None = None
    networks: tuple[Network, ...] = ()
    note: str = ""
    default_scheme: InitVar[str | None] = None
    master: bool = field(default=False, kw_only=True)

    def __post_init__(self, default_scheme: str | None) -> None:
        settle = object.__setattr__
        settle(self, "name", prepare_name(self.name))
        settle(self, "secrets", tuple([stored_form(secret, default_scheme) for secret in self.secrets]))
        if self.note:
            _check_text("note", self.note, without="\0\r\n")
        if self.expires is not None:
            settle(self, "expires", _checked_moment(self.expires))

    @property
    def key(self) -> str:
        """What the account is looked up by."""
        return key_of(self.name)

    def account(self) -> Account:
        """The account as a login sees it."""
        return Account(self.name, self.secrets, self.disabled, self.expires, self.networks, self.master)


@dataclass(frozen=True, slots=True)
class Record:
    """What the accounts database holds about a user, sound or not; *created* and *changed* are Unix times."""

    name: str
    secrets: tuple[str, ...] = field(repr=False)
    disabled: bool
    expires: float | None
    networks: tuple[Network, ...]
    note: str
    created: float
    changed: float
    master: bool = False

    def entry(self) -> Entry:
        """The same as an entry; raise ``MalformedEntry`` for what somebody wrote there by other means."""
        return Entry(self.name, self.secrets, self.disabled, self.expires, self.networks, self.note, master=self.master)


def stored_form(form: str, default_scheme: str | None = None) -> str:
    """Return *form* with its ``{SCHEME}`` in front; raise ``MalformedEntry`` if none is known."""
    # No database keeps a NUL, and no password has one.
    _check_text("password", form, without="\0")
    try:
        return hashing.normalise(form, default_scheme)
    except MalformedSecret as error:
        raise MalformedEntry(f"password: {error}") from None


def _checked_moment(seconds: float) -> float:
    try:
        return check_moment(seconds)
    except ValueError as error:
        raise MalformedEntry(f"expires: {error}") from None


def _check_text(what: str, text: str, *, without: str) -> None:
    if text.isascii() and text.isprintable():
        return
    try:
        text.encode()
    except UnicodeEncodeError:
        raise MalformedEntry(f"{what}: expected UTF-8") from None
    if not set(without).isdisjoint(text):
        raise MalformedEntry(f"{what}: expected no NUL and no line feed")
