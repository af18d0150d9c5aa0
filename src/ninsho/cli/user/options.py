"""The options of ``ninsho user``, and what they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import ConfigOption, JsonOption, PasswordStdinOption
from ninsho.cli.passwords import generate, given
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import remark, say
from ninsho.daemon.growing import forms_of
from ninsho.stores import hashing
from ninsho.stores.accounts import Network
from ninsho.stores.moments import parse_moment
from ninsho.stores.networks import parse_networks
from ninsho.stores.schemes.stored import Label

ContainingArgument: TypeAlias = Annotated[str, Parameter(help="Only names that contain this text.")]


@Parameter(name="*")
@dataclass(frozen=True)
class PasswordOptions:
    """Where a new password comes from, and how it is stored; it is asked for twice unless told otherwise."""

    password_stdin: PasswordStdinOption = False
    generate: bool = False
    """Make the password, and show it this once."""
    scheme: tuple[str, ...] = ()
    """How to store it; may be repeated, the form to check first comes first. Else as passwords.scheme and
    accounts.derive say."""
    config: ConfigOption = None

    def password(self) -> str:
        """Get it."""
        if self.generate and self.password_stdin:
            raise WrongUsage("expected --generate or --password-stdin, got both")
        return generate() if self.generate else given(stdin=self.password_stdin, twice=True)

    def stored_forms(self, user: str, password: str) -> list[str]:
        """Make the forms to store for *user*."""
        wanted = forms_of(configuration(self.config))
        with _meaning_of("--scheme" if self.scheme else "the configured schemes"):
            return [
                hashing.make(password, scheme, user, permitted=wanted.permitted)
                for scheme in self.scheme or wanted.schemes()
            ]

    def tell(self, what: str, password: str) -> None:
        """Say what was done; a password that was made stands alone on standard output."""
        if self.generate:
            remark(f"{what}; the password, which is shown this once:")
            say(password)
        else:
            say(what)


@Parameter(name="*")
@dataclass(frozen=True)
class AccountOptions(PasswordOptions):
    """What an account has besides its password."""

    note: str = ""
    """A note for administrators."""
    expires: str | None = None
    """The end of the account, such as 2030-12-31 or 2030-12-31T18:00:00+01:00; UTC unless it says otherwise."""
    network: tuple[str, ...] = ()
    """Let the user log in only from this network, such as 192.0.2.0/24; may be repeated."""
    master: bool = False
    """Let the user act as any other one, where accounts.masters permits that."""

    @property
    def expires_at(self) -> float | None:
        """The end as a Unix time."""
        with _meaning_of("--expires"):
            return None if self.expires is None else parse_moment(self.expires)

    @property
    def networks(self) -> tuple[Network, ...]:
        """The networks."""
        with _meaning_of("--network"):
            return parse_networks(" ".join(self.network))


@Parameter(name="*")
@dataclass(frozen=True)
class ListOptions:
    """Which accounts to list, and what of them."""

    scheme: str | None = None
    """Only accounts that hold a form of this scheme, such as MD5-CRYPT."""
    mechanisms: bool = False
    """Tell by which mechanisms each account can log in."""
    config: ConfigOption = None
    as_json: JsonOption = False

    @property
    def scheme_name(self) -> str | None:
        """The one name of the scheme."""
        if self.scheme is None:
            return None
        with _meaning_of("--scheme"):
            hashing.check_default_scheme(self.scheme)
        return Label.parse(self.scheme).name


@contextmanager
def _meaning_of(option: str) -> Iterator[None]:
    """Raise ``WrongUsage`` where *option* means nothing."""
    try:
        yield
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None
