"""All stores of a site as one: an unknown user is looked for in the next store, a wrong password ends the search."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ninsho.stores.accounts import NOBODY, Account, Asking, Checked, PasswordVerifier, Request, SecretStore, Store

if TYPE_CHECKING:
    from ninsho.stores.passwords import Passwords


class Found(NamedTuple):
    """An account and the secret of it that a mechanism can use; each None if there is none."""

    account: Account | None
    secret: object | None


class UserBase:
    """The stores of a site, asked in their order; *passwords* checks for those that hand out secrets.

    Both questions may raise ``StoreUnavailable``: where a store cannot tell, the stores behind it are not asked, as
    they might know another user of the same name.
    """

    def __init__(self, stores: Sequence[Store] = (), passwords: "Passwords | None" = None) -> None:
        # Told apart once: asking a protocol costs 3 µs.
        self._stores: list[tuple[SecretStore | None, PasswordVerifier | None]] = [
            (store, None) if isinstance(store, SecretStore) else (None, store) for store in stores
        ]
        self._passwords = passwords
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
        return None if matches is None else (account, matches)

    def find_at_once(self, username: str, kinds: tuple[type, ...]) -> tuple[Account, object] | None:
        """Return what ``find`` would, where the first store is immediate and has the user with such a secret."""
        if self._immediate is None or self._passwords is None:
            return None
        account = self._immediate.find(username)
        if not isinstance(account, Account):
            return None
        secret = self._passwords.secret(account, kinds)
        return None if secret is None else (account, secret)

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
                    return Checked(account, matches)
        if self._passwords is not None and self._hands_out:
            yield from self._passwords.check_nobody(password)
        return NOBODY

    def find(self, username: str, kinds: tuple[type, ...]) -> Asking[Found]:
        """Return the account of *username*, from the first store that has it, and its first secret of these *kinds*."""
        for secret_store, _ in self._stores:
            if secret_store is not None and self._passwords is not None:
                found = secret_store.find(username)
                account: Account | None = found if found is None or isinstance(found, Account) else (yield found)
                if account is not None:
                    return Found(account, self._passwords.secret(account, kinds))
        return Found(None, None)
