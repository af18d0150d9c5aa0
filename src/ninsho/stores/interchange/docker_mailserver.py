"""docker-mailserver's ``postfix-accounts.cf``: ``user@domain|{SHA512-CRYPT}hash|extra fields``."""

from collections.abc import Iterable, Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import TextIO

from ninsho.stores.entries import Entry
from ninsho.stores.interchange.numbered import Check, entries, numbered_lines
from ninsho.stores.interchange.passwd import extra_fields, secrets_in, written_fields
from ninsho.stores.interchange.whole import refuse_forms, refuse_unreadable, refuse_unsaid, said
from ninsho.stores.names import MalformedEntry

# The scheme that it tells its Dovecot, for a password without ``{SCHEME}``.
_SCHEME = "SHA512-CRYPT"
_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def read(lines: Iterable[str], *, check: Check | None = None) -> Iterator[Entry]:
    """Yield the entries; raise ``MalformedList`` at the end for lines that are none."""
    return entries(numbered_lines(lines), parse, check=check)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write one line for each, with its name in small letters: in these, docker-mailserver looks names up.

    Raises ``MalformedEntry`` for the accounts that no line can say whole.
    """
    stream.writelines(said(accounts, _line))


def parse(line: str) -> Entry | None:
    """Read one line; None for a comment or nothing. Raises ``MalformedEntry``."""
    if not line.strip() or line.lstrip().startswith("#"):
        return None
    name, bar, rest = line.partition("|")
    if not bar:
        raise MalformedEntry("expected user@domain|password, got no |")
    password, _, extra = rest.partition("|")
    if ":" in name + password:
        # It writes a passwd-file of the line, where this would begin the next field.
        raise MalformedEntry("expected no colon in name and password")
    fields = extra_fields(extra)
    secrets = secrets_in(password, _SCHEME)
    return Entry(name, secrets, fields.disabled, None, fields.networks, default_scheme=_SCHEME, master=fields.master)


def _line(entry: Entry) -> str:
    refuse_forms(entry, form="docker-mailserver")
    refuse_unsaid(entry, form="docker-mailserver", says=("disabled", "networks"))
    refuse_unreadable(entry.name, *entry.secrets, separators=":|")
    name = entry.name.translate(_SMALL)
    if "@" not in name or name.startswith(" "):
        raise MalformedEntry("expected an address, as docker-mailserver's users have one")
    return "|".join(filter(None, (f"{name}|{''.join(entry.secrets)}", written_fields(entry)))) + "\n"
