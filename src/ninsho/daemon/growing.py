"""Which stored forms a configuration wants its accounts to hold."""

from ninsho.daemon.config import Config
from ninsho.stores import hashing
from ninsho.stores.wanted_forms import WantedForms


def wanted_forms(config: Config) -> WantedForms | None:
    """Return what logins are to bring about; None where that is nothing."""
    accounts = config.accounts
    return forms_of(config) if accounts.derive or accounts.rehash else None


def forms_of(config: Config) -> WantedForms:
    """Return what new passwords are stored as, and what logins make of old ones."""
    passwords, accounts = config.passwords, config.accounts
    return WantedForms(
        passwords.scheme, accounts.derive, rehash=accounts.rehash, permitted=hashing.permission(passwords.weak)
    )
