"""Cyrus SASL's sasldb2 as text: a dump of its records, whose keys are user, realm and property."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter
from typing import TextIO

from ninsho.errors import MalformedSecret
from ninsho.sasl.secrets import Password
from ninsho.stores import hashing
from ninsho.stores.entries import Entry
from ninsho.stores.interchange.dump import printed, records
from ninsho.stores.interchange.numbered import Check, entries
from ninsho.stores.interchange.whole import refuse_unsaid, said, schemes
from ninsho.stores.names import MalformedEntry, key_of

_PASSWORD = b"userPassword"
# What stands beside the password, or in its place: sequences of one-time passwords, and what SASL 1 stored.
_PROPERTY = re.compile(rb"authPassword|cmusaslsecret[A-Z0-9-]{1,20}")


@dataclass(slots=True)
class User:
    """What a dump says of one user: *owner* is user and realm as they stand in the keys, parted by a NUL."""

    owner: bytes
    line: int
    properties: list[tuple[bytes, bytes]] = field(default_factory=list, repr=False)


def read(lines: Iterable[str], *, realm: str | None = None, check: Check | None = None) -> Iterator[Entry]:
    """Yield the users that have a userPassword, by the name user@realm; raise ``MalformedList`` at the end.

    Users of *realm*, in any case, go by their name alone, as do those of no realm and those with an @ in their name.
    What else is stored beside a userPassword was made from it, and is left out.
    """
    return entries(_users(lines), partial(_entry, realm=realm), check=check)


def write(accounts: Iterable[Entry], stream: TextIO, *, realm: str | None = None) -> None:
    """Write what db_load makes a sasldb2 of; names without an @ are of *realm*.

    Raises ``MalformedEntry`` for the accounts that it cannot say whole, above all those whose password is not stored
    as ``{PLAIN}``.
    """
    stream.write("VERSION=3\nformat=print\ntype=hash\nHEADER=END\n")
    taken: dict[bytes, str] = {}
    stream.writelines(said(accounts, partial(_record, realm=realm, taken=taken)))
    stream.write("DATA=END\n")


def _users(lines: Iterable[str]) -> Iterator[tuple[int, User]]:
    """Gather the records, which stand in no order, by their owners; the line is that of the password."""
    users: dict[bytes, User] = {}
    for line, key, value in records(lines):
        owner, _, name = key.rpartition(b"\0")
        user = users.setdefault(owner, User(owner, line))
        user.properties.append((name, value))
        if name == _PASSWORD:
            user.line = line
    yield from sorted(((user.line, user) for user in users.values()), key=itemgetter(0))


def _entry(found: User, *, realm: str | None) -> Entry:
    match found.owner.split(b"\0"):
        case [user, domain] if user:
            name = _name(_text(user), _text(domain), realm)
        case _:
            raise MalformedEntry("expected a key of user, realm and property, parted by NULs")
    properties = dict(found.properties)
    if len(properties) < len(found.properties):
        raise MalformedEntry("expected each property of a user once, got one again")
    if not (password := properties.get(_PASSWORD)):
        raise MalformedEntry(f"{name!r}: expected a userPassword, got {_names(properties)}")
    return Entry(name, ("{PLAIN}" + _text(password),))


def _names(properties: Iterable[bytes]) -> str:
    names = sorted(name.decode() for name in properties if _PROPERTY.fullmatch(name))
    return f"only {', '.join(names)}, of which no password can be made" if names else "none"


def _name(user: str, realm: str, ours: str | None) -> str:
    bare = "@" in user or not realm or (ours is not None and key_of(realm) == key_of(ours))
    return user if bare else f"{user}@{realm}"


def _text(octets: bytes) -> str:
    # What is not UTF-8 is told by whoever takes the text.
    return octets.decode(errors="surrogateescape")


def _record(entry: Entry, *, realm: str | None, taken: dict[bytes, str]) -> str:
    refuse_unsaid(entry, form="sasldb2")
    owner = b"\0".join(part.encode() for part in _parts(entry.name, realm))
    if (other := taken.setdefault(owner, entry.name)) != entry.name:
        raise MalformedEntry(f"expected another name, as it would be the same user as {other!r}")
    return printed(owner + b"\0" + _PASSWORD) + printed(_password(entry))


def _parts(name: str, ours: str | None) -> tuple[str, str]:
    """Return user and realm; raise ``MalformedEntry`` unless the two make that name again."""
    match name.split("@"):
        case [user, realm] if user and realm:
            return user, realm
        case [user] if ours:
            return user, ours
        case [_]:
            raise MalformedEntry("expected a name with a realm, such as user@example.org, or else --realm")
        case _:
            raise MalformedEntry("expected one @ in the name, between user and realm")


def _password(entry: Entry) -> bytes:
    """Return the password; raise ``MalformedEntry`` unless it is there, and all forms are made from it."""
    for password in map(_readable, entry.secrets):
        if password and all(_is_made_from(password, stored, entry.name) for stored in entry.secrets):
            return password.encode()
    raise MalformedEntry(f"expected {{PLAIN}}, as sasldb2 holds the password itself, got {schemes(entry)}")


def _readable(stored: str) -> str:
    try:
        secret = hashing.secret_in(stored, (Password,))
        return secret.text.decode() if isinstance(secret, Password) else ""
    except (MalformedSecret, UnicodeDecodeError):
        return ""


def _is_made_from(password: str, stored: str, username: str) -> bool:
    try:
        return hashing.verify(stored, password, username)
    except MalformedSecret:
        return False
