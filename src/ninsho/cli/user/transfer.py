"""``ninsho user import`` and ``ninsho user export``."""

import io
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ninsho.cli.endings import NO, WrongUsage
from ninsho.cli.options import ConfigOption, JsonOption
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import remark, say, say_json
from ninsho.cli.user.database import with_accounts
from ninsho.cli.user.files import read_lines, write_text
from ninsho.cli.user.guessing import FormatName, guess
from ninsho.cli.user.plan import Plan, plan
from ninsho.stores import hashing
from ninsho.stores.administration import Administration
from ninsho.stores.entries import Entry
from ninsho.stores.interchange.formats import FORMATS, Format, sasldb2_of
from ninsho.stores.names import key_of

FileArgument: TypeAlias = Annotated[
    str, Parameter(help="The file; - is standard input or output.", allow_leading_hyphen=True)
]
FormatOption: TypeAlias = Annotated[
    FormatName | None,
    Parameter(
        name="--format",
        help="The file's format, else guessed from its name and contents: docker-mailserver is its "
        "postfix-accounts.cf, sasldb2 what db_dump -p prints of one.",
    ),
]
RealmOption: TypeAlias = Annotated[
    str | None, Parameter(help="Of a sasldb2: the realm whose users go by their names alone, as alice without @realm.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class FormatOptions:
    """How a file is written or read."""

    format_name: FormatOption = None
    realm: RealmOption = None

    def format(self, file: str, lines: Sequence[str] = ()) -> Format:
        """Return the format of *file*, which begins with *lines*; raise ``WrongUsage``."""
        name = self.format_name or guess(file, lines)
        if self.realm is None:
            return FORMATS[name]
        if name != "sasldb2":
            raise WrongUsage(f"--realm: expected the format sasldb2, got {name}")
        return sasldb2_of(self.realm)


@Parameter(name="*")
@dataclass(frozen=True)
class ImportOptions(FormatOptions):
    """How to take over accounts."""

    dry_run: bool = False
    """Only show what would happen; the exit status is 1 if nothing would be imported."""
    replace: bool = False
    """Let accounts that exist become what the file says."""
    config: ConfigOption = None
    as_json: JsonOption = False


def import_accounts(file: FileArgument, /, *, options: ImportOptions = ImportOptions()) -> int:
    """Take over accounts from a file: all of them, or none if anything is wrong with one."""
    lines = read_lines(file)
    entries = options.format(file, lines).read(lines)
    watched = _watched(entries, "Reading", total=len(lines))
    made = with_accounts(options.config, lambda accounts: _import(accounts, watched, options))
    hindered = bool(made.refused) or (bool(made.changed) and not options.replace)
    if options.as_json:
        say_json({"imported": not (hindered or options.dry_run), **made.facts()})
    else:
        _tell(made, options, hindered=hindered)
    return NO if hindered else 0


def export_accounts(
    file: FileArgument,
    /,
    *,
    options: FormatOptions = FormatOptions(),
    config: ConfigOption = None,
) -> None:
    """Write all accounts to a new file that only its owner can read."""
    form = options.format(file)

    async def collect(accounts: Administration) -> list[Entry]:
        return [record.entry() async for record in accounts.list()]

    entries = with_accounts(config, collect)
    # First as a whole: a format that cannot hold an account must not leave half a file.
    text = io.StringIO(newline="")
    form.write(entries, text)
    write_text(file, text.getvalue())
    remark(f"accounts written: {len(entries)}")


async def _import(accounts: Administration, entries: Iterable[Entry], options: ImportOptions) -> Plan:
    permitted = hashing.permission(configuration(options.config).passwords.weak)
    made = plan(entries, {key_of(record.name): record async for record in accounts.list()}, permitted)
    if not (options.dry_run or made.refused or (made.changed and not options.replace)):
        await accounts.import_accounts(
            _watched(made.entries, "Importing", total=len(made.entries)), replace=options.replace
        )
    return made


def _tell(made: Plan, options: ImportOptions, *, hindered: bool) -> None:
    if options.dry_run:
        say(*made.lines())
    remark(*made.problems())
    if made.changed and not options.replace:
        remark(f"accounts that exist already and differ: {len(made.changed)}; expected --replace")
    prefix = "would be: " if options.dry_run else "nothing is imported; would be: " if hindered else ""
    say(prefix + made.summary())


def _watched(entries: Iterable[Entry], what: str, *, total: int) -> Iterable[Entry]:
    """Show how far it is, where somebody looks at it."""
    if not sys.stderr.isatty():
        return entries
    # Imported here, as it takes as long as a small import itself.
    from rich.console import Console  # noqa: PLC0415
    from rich.progress import track  # noqa: PLC0415

    return track(entries, what, total=total, console=Console(stderr=True), transient=True)
