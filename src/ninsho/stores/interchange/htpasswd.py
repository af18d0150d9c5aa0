"""htpasswd, as web servers read it: ``user:hash``, where a hash names its method itself."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from ninsho.stores import hashing
from ninsho.stores.entries import Entry
from ninsho.stores.interchange.numbered import Check, entries, numbered_lines
from ninsho.stores.interchange.whole import refuse_forms, refuse_unreadable, refuse_unsaid, said
from ninsho.stores.names import MalformedEntry

# What web servers verify; {SHA} keeps its label there, the forms of crypt(3) have none.
_WRITABLE = frozenset(("BLF-CRYPT", "CRYPT", "SHA", "SHA256-CRYPT", "SHA512-CRYPT"))


def read(lines: Iterable[str], *, check: Check | None = None) -> Iterator[Entry]:
    """Yield the entries; raise ``MalformedList`` at the end for lines that are none."""
    return entries(numbered_lines(lines), parse, check=check)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write one line for each; raise ``MalformedEntry`` for the accounts that no line can say whole."""
    stream.writelines(said(accounts, _line))


def parse(line: str) -> Entry | None:
    """Read one line; None for a comment or nothing. Raises ``MalformedEntry``."""
    if not line.strip() or line.startswith("#"):
        return None
    name, colon, form = line.partition(":")
    if not (colon and form):
        raise MalformedEntry("expected user:hash, got no hash")
    return Entry(name, (form,), default_scheme="CRYPT")


def _line(entry: Entry) -> str:
    refuse_forms(entry, form="htpasswd")
    refuse_unsaid(entry, form="htpasswd")
    if not entry.secrets:
        raise MalformedEntry("htpasswd holds a hash for each name, and this account has no password")
    fields = entry.name, _hash(entry.secrets[0])
    refuse_unreadable(*fields, separators=":")
    return ":".join(fields) + "\n"


def _hash(form: str) -> str:
    scheme = hashing.scheme_of(form)
    label = f"{{{scheme}}}"
    if scheme not in _WRITABLE or not form.startswith(label):
        got = form[: form.index("}") + 1]
        raise MalformedEntry(f"expected a form that web servers verify, {', '.join(sorted(_WRITABLE))}, got {got}")
    return form if scheme == "SHA" else form.removeprefix(label)
