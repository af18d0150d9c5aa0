"""The options of ``ninsho user``, and what they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import ConfigOption, PasswordStdinOption
from ninsho.cli.passwords import generate, given
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import remark, say
from ninsho.stores import hashing
from ninsho.stores.accounts import Network
from ninsho.stores.moments import parse_moment
from ninsho.stores.networks import parse_networks

ContainingArgument: TypeAlias = Annotated[str, Parameter(help="Only names that contain this text.")]


@Parameter(name="*")
@dataclass(frozen=True)
class PasswordOptions:
    """Where a new password comes from, and how it is stored; it is asked for twice unless told otherwise."""

    password_stdin: PasswordStdinOption = False
    generate: bool = False
    """Make the password, and show it this once."""
    scheme: tuple[str, ...] = ()
    """How to store it; may be repeated, the form to check first comes first. Else as the configuration says."""
    config: ConfigOption = None

    def password(self) -> str:
        """Get it."""
        if self.generate and self.password_stdin:
            raise WrongUsage("expected --generate or --password-stdin, got both")
        return generate() if self.generate else given(stdin=self.password_stdin, twice=True)

    def stored_forms(self, password: str) -> list[str]:
        """Make the forms to store."""
        schemes = self.scheme or (configuration(self.config).passwords.scheme,)
        with _meaning_of("--scheme"):
            return [hashing.make(password, scheme) for scheme in schemes]

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


@contextmanager
def _meaning_of(option: str) -> Iterator[None]:
    """Raise ``WrongUsage`` where *option* means nothing."""
    try:
        yield
    except ValueError as error:
        raise WrongUsage(f"{option}: {error}") from None
