"""htpasswd, as web servers read it: ``user:hash``, where a hash names its method itself."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from ninsho.stores import hashing
from ninsho.stores.entries import Entry
from ninsho.stores.interchange.numbered import entries, numbered_lines
from ninsho.stores.interchange.passwd import fields_hold
from ninsho.stores.names import MalformedEntry

# What web servers verify; {SHA} keeps its label there, the forms of crypt(3) have none.
_WRITABLE = frozenset(("BLF-CRYPT", "CRYPT", "SHA", "SHA256-CRYPT", "SHA512-CRYPT"))


def read(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield the entries; raise ``MalformedList`` at the end for lines that are none."""
    return entries(numbered_lines(lines), parse)


def write(accounts: Iterable[Entry], stream: TextIO) -> None:
    """Write one line for each; raise ``MalformedEntry`` for an account that no line can say whole."""
    stream.writelines(map(_line, accounts))


def parse(line: str) -> Entry | None:
    """Read one line; None for a comment or nothing. Raises ``MalformedEntry``."""
    if not line.strip() or line.startswith("#"):
        return None
    name, colon, form = line.partition(":")
    if not (colon and form):
        raise MalformedEntry("expected user:hash, got no hash")
    return Entry(name, (form,), default_scheme="CRYPT")


def _line(entry: Entry) -> str:
    fields = [entry.name, *map(_hash, entry.secrets)]
    if entry != Entry(entry.name, entry.secrets) or len(fields) != 2 or not fields_hold(*fields):
        raise MalformedEntry(
            f"{entry.name!r}: htpasswd holds a name and one hash, nothing of whether, when and from where it counts"
        )
    return ":".join(fields) + "\n"


def _hash(form: str) -> str:
    scheme = hashing.scheme_of(form)
    label = f"{{{scheme}}}"
    if scheme not in _WRITABLE or not form.startswith(label):
        raise MalformedEntry(f"expected {', '.join(sorted(_WRITABLE))} for htpasswd, got {form[: form.index('}') + 1]}")
    return form if scheme == "SHA" else form.removeprefix(label)
