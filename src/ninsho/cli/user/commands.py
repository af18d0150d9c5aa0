"""``ninsho user add``, ``passwd``, ``list``, ``show``, ``disable``, ``enable``, ``master`` and ``remove``."""

from typing import Annotated

from cyclopts import Parameter

from ninsho.cli.endings import NO
from ninsho.cli.options import ConfigOption, JsonOption, UserArgument, YesOption
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import confirmed, say, say_json, say_table
from ninsho.cli.user import mechanisms_listed, records
from ninsho.cli.user.database import with_accounts
from ninsho.cli.user.options import AccountOptions, ContainingArgument, ListOptions, PasswordOptions
from ninsho.stores.administration import Administration
from ninsho.stores.entries import Record
from ninsho.stores.names import prepare_name


def add(user: UserArgument, /, *, options: AccountOptions = AccountOptions()) -> None:  # noqa: B008 - it is frozen
    """Add an account."""
    expires, networks = options.expires_at, options.networks
    password = options.password()
    name = prepare_name(user)
    forms = options.stored_forms(name, password)
    with_accounts(
        options.config,
        lambda accounts: accounts.add(
            name, forms, expires=expires, networks=networks, note=options.note, master=options.master
        ),
    )
    options.tell(f"{user}: added", password)


def passwd(user: UserArgument, /, *, options: PasswordOptions = PasswordOptions()) -> None:  # noqa: B008 - it is frozen
    """Give an account a new password."""
    # Whoever mistypes the name shall know before typing a password twice.
    name = with_accounts(options.config, lambda accounts: accounts.get(user)).name
    password = options.password()
    forms = options.stored_forms(name, password)
    with_accounts(options.config, lambda accounts: accounts.set_secrets(user, forms))
    options.tell(f"{user}: has a new password", password)


def list_accounts(containing: ContainingArgument = "", /, *, options: ListOptions = ListOptions()) -> None:  # noqa: B008 - it is frozen
    """List the accounts."""
    scheme = options.scheme_name

    async def collect(accounts: Administration) -> list[Record]:
        return [record async for record in accounts.list(containing=containing, scheme=scheme)]

    found = with_accounts(options.config, collect)
    if options.mechanisms:
        mechanisms_listed.tell(found, configuration(options.config), as_json=options.as_json)
    elif options.as_json:
        say_json([records.facts(record) for record in found])
    else:
        say_table(records.HEADINGS, map(records.row, found))


def show(user: UserArgument, /, *, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show an account."""
    record = with_accounts(config, lambda accounts: accounts.get(user))
    if as_json:
        say_json(records.facts(record))
    else:
        say(*records.lines(record))


def disable(user: UserArgument, /, *, config: ConfigOption = None) -> None:
    """Let an account log in no more, from now on."""
    with_accounts(config, lambda accounts: accounts.disable(user))
    say(f"{user}: disabled")


def enable(user: UserArgument, /, *, config: ConfigOption = None) -> None:
    """Let a disabled account log in again."""
    with_accounts(config, lambda accounts: accounts.enable(user))
    say(f"{user}: enabled")


def master(
    user: UserArgument,
    /,
    *,
    revoke: Annotated[bool, Parameter(help="Let it act as others no more.")] = False,
    config: ConfigOption = None,
) -> None:
    """Let an account act as any other one, where accounts.masters permits that."""
    with_accounts(config, lambda accounts: accounts.set_master(user, master=not revoke))
    say(f"{user}: is {'no master any more' if revoke else 'a master'}")


def remove(user: UserArgument, /, *, yes: YesOption = False, config: ConfigOption = None) -> int:
    """Remove an account for good."""
    name = with_accounts(config, lambda accounts: accounts.get(user)).name
    if not (yes or confirmed(f"Remove {name} for good?")):
        say("nothing is removed")
        return NO
    with_accounts(config, lambda accounts: accounts.remove(name))
    say(f"{name}: removed")
    return 0
