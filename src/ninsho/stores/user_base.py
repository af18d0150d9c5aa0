"""All stores of a site as one: an unknown user is looked for in the next store, a wrong password ends the search."""

from collections.abc import Sequence

from ninsho.stores.accounts import NOBODY, Account, Asking, Checked, Request, SecretStore, Store, settled
from ninsho.stores.passwords import Passwords


class UserBase:
    """The stores of a site, asked in their order.

    Both questions may raise ``StoreUnavailable``: where a store cannot tell, the stores behind it are not asked, as
    they might know another user of the same name.
    """

    def __init__(self, stores: Sequence[Store], passwords: Passwords) -> None:
        self._stores = tuple(stores)
        self._passwords = passwords

    def verify(self, username: str, password: str, request: Request) -> Asking[Checked]:
        """Tell whose the password is; one that nobody knows costs as much as a wrong password."""
        for store in self._stores:
            if isinstance(store, SecretStore):
                checked = yield from self._check(store, username, password)
            else:
                checked = yield from settled(store.verify(username, password, request))
            if checked.account is not None:
                return checked
        yield from self._passwords.check_nobody(password)
        return NOBODY

    def find(self, username: str) -> Asking[Account | None]:
        """Return the account of *username* with its stored secrets, None if no store that hands them out has one."""
        for store in self._stores:
            if isinstance(store, SecretStore):
                account = yield from settled(store.find(username))
                if account is not None:
                    return account
        return None

    def _check(self, store: SecretStore, username: str, password: str) -> Asking[Checked]:
        account = yield from settled(store.find(username))
        if account is None:
            return NOBODY
        return Checked(account, (yield from self._passwords.check(account, password)))
