"""Stores that read a passwd-file as Dovecot does, or an htpasswd file as web servers do."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ninsho.errors import ConfigurationError
from ninsho.stores import hashing
from ninsho.stores.accounts import SecretStore
from ninsho.stores.file_accounts import FileAccounts
from ninsho.stores.interchange import htpasswd, passwd


@dataclass(frozen=True)
class PasswdFileStore:
    """``user:{SCHEME}hash:uid:gid:gecos:home:shell:extra fields``; *default_scheme* is that of a bare password.

    Of the extra fields ``allow_nets=``, ``nologin`` and ``master=y`` hold, ``userdb_…`` and the like are left to
    Dovecot, and any other is refused, since it might be meant to keep somebody out.
    """

    path: Path
    default_scheme: str = "CRYPT"

    def __post_init__(self) -> None:
        try:
            hashing.check_default_scheme(self.default_scheme)
        except ValueError as error:
            raise ConfigurationError([f"default_scheme: {error}"]) from None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SecretStore]:
        """Read the file; raise ``ConfigurationError`` with every line that is wrong."""
        yield FileAccounts(self.path, partial(passwd.read, default_scheme=self.default_scheme))


@dataclass(frozen=True)
class HtpasswdStore:
    """``user:hash``. The MD5 of ``htpasswd -m`` and DES are reported when read, and refused at each login."""

    path: Path

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SecretStore]:
        """Read the file; raise ``ConfigurationError`` with every line that is wrong."""
        yield FileAccounts(self.path, htpasswd.read)
