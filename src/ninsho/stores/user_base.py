"""All stores of a site as one: an unknown user is looked for in the next store, a wrong password ends the search."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from ninsho.errors import StoreUnavailable
from ninsho.sasl.dialogue import Inspection
from ninsho.stores.accounts import (
    NOBODY,
    Account,
    Answer,
    Asking,
    Checked,
    PasswordVerifier,
    Request,
    SecretStore,
    Store,
)

if TYPE_CHECKING:
    from ninsho.sasl.secrets import Password, ScramKeys
    from ninsho.stores.growth import Growth
    from ninsho.stores.passwords import Passwords

T = TypeVar("T")


class TokenInspector(Protocol):
    """Tells what bearer tokens say."""

    def inspect(self, token: str) -> Answer[Inspection]:
        """Return what *token* says, at once where that is remembered; raise ``StoreUnavailable`` for an outage."""


class Found(NamedTuple):
    """An account and the secret of it that a mechanism can use; each None if there is none."""

    account: Account | None
    secret: object | None


NOTHING = Found(None, None)


class UserBase:
    """The stores of a site, asked in their order; *passwords* checks for those that hand out secrets.

    All questions may raise ``StoreUnavailable``: where a store cannot tell, the stores behind it are not asked, as
    they might know another user of the same name. *tokens* tells what bearer tokens say; *growth* hears of each
    password that matched.
    """

    def __init__(
        self,
        stores: Sequence[Store] = (),
        passwords: "Passwords | None" = None,
        tokens: TokenInspector | None = None,
        growth: "Growth | None" = None,
    ) -> None:
        # Told apart once: asking a protocol costs 3 µs.
        self._stores: list[tuple[SecretStore | None, PasswordVerifier | None]] = [
            (store, None) if isinstance(store, SecretStore) else (None, store) for store in stores
        ]
        self._passwords = passwords
        self._tokens = tokens
        self._growth = growth
        self._hands_out = any(secret_store is not None for secret_store, _ in self._stores)
        first = self._stores[0][0] if self._stores else None
        self._immediate = first if getattr(first, "immediate", False) else None

    def verify_at_once(self, username: str, password: str) -> tuple[Account, bool] | None:
        """Whose the password is, where the first store is immediate and knows the user, and no hash is computed."""
        if self._immediate is None or self._passwords is None:
            return None
        account = self._immediate.find(username)
        if not isinstance(account, Account):
            return None
        matches = self._passwords.at_once(account, password)
        if matches and self._growth is not None:
            self._growth.consider(self._immediate, account, password)
        return None if matches is None else (account, matches)

    def find_at_once(self, username: str, kinds: tuple[type, ...]) -> Found | None:
        """Return what ``find`` would, where the first store is immediate, and knows the user or is the only one."""
        if self._immediate is None or self._passwords is None:
            return None
        account = self._immediate.find(username)
        if isinstance(account, Account):
            return Found(account, self._passwords.secret(account, kinds))
        return NOTHING if account is None and len(self._stores) == 1 else None

    def verify(self, username: str, password: str, request: Request) -> Asking[Checked]:
        """Tell whose the password is; one that nobody knows costs as much as a wrong password."""
        for secret_store, verifier in self._stores:
            if verifier is not None:
                answer = verifier.verify(username, password, request)
                checked: Checked = answer if isinstance(answer, Checked) else (yield answer)
                if checked.account is not None:
                    return checked
            elif secret_store is not None and self._passwords is not None:
                found = secret_store.find(username)
                account: Account | None = found if found is None or isinstance(found, Account) else (yield found)
                if account is not None:
                    matches = self._passwords.at_once(account, password)
                    if matches is None:
                        matches = yield from self._passwords.hashed(account, password)
                    if matches and self._growth is not None:
                        self._growth.consider(secret_store, account, password)
                    return Checked(account, matches)
        if self._passwords is not None and self._hands_out:
            yield from self._passwords.check_nobody(password)
        return NOBODY

    def find(self, username: str, kinds: tuple[type, ...]) -> Asking[Found]:
        """Return the account of *username*, from the first store that has it, and its first secret of these *kinds*."""
        account = yield from self.account(username)
        if account is None or self._passwords is None:
            return Found(account, None)
        return Found(account, self._passwords.secret(account, kinds))

    def account(self, username: str) -> Asking[Account | None]:
        """Return the account of *username*, from the first store that has it."""
        for secret_store, _ in self._stores:
            if secret_store is not None:
                found = secret_store.find(username)
                account: Account | None = found if found is None or isinstance(found, Account) else (yield found)
                if account is not None:
                    return account
        return None

    def decoy(self, username: str, kind: "type[ScramKeys]") -> "ScramKeys":
        """Return what a challenge-response mechanism asks a stranger by."""
        if self._passwords is None:
            raise StoreUnavailable("there is no store")
        return self._passwords.decoy(username, kind)

    def derive(self, password: "Password", form: "ScramKeys") -> Asking["ScramKeys"]:
        """Return the keys of a password that is itself stored."""
        if self._passwords is None:
            raise StoreUnavailable("there is no store")
        return (yield from self._passwords.derive(password, form))

    def inspect(self, token: str) -> Asking[Inspection]:
        """Return what a bearer token says."""
        if self._tokens is None:
            raise StoreUnavailable("there is nobody who could tell what a token says")
        answer = self._tokens.inspect(token)
        inspection: Inspection = answer if isinstance(answer, Inspection) else (yield answer)
        return inspection

    def compute(self, function: Callable[..., T], arguments: tuple[object, ...]) -> Asking[T]:
        """Return the result of *function*, computed where it keeps nobody waiting."""
        if self._passwords is None:
            return function(*arguments)
        return (yield from self._passwords.compute(function, arguments))
