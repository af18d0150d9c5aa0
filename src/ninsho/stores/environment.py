"""Users from an environment variable or a file of secrets, for containers: ``alice:{ARGON2ID}$…,bob:{BLF-CRYPT}$…``."""

import os
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ninsho.errors import ConfigurationError
from ninsho.stores.accounts import SecretStore
from ninsho.stores.entries import Entry, MalformedList
from ninsho.stores.interchange.numbered import entries
from ninsho.stores.listed import Listed
from ninsho.stores.names import MalformedEntry, prepare_name
from ninsho.stores.reporting import report

# What says of itself what it is; anything else is taken as the password, as other container images take it.
_FORM = re.compile(r"\{[A-Za-z0-9._-]+\}|\$[A-Za-z0-9-]+\$")
_READABLE = ("{PLAIN}", "{CLEAR}", "{CLEARTEXT}")


@dataclass(frozen=True)
class EnvironmentStore:
    """Users in the environment variable *variable*, or in *file*, or in the file that ``<variable>_FILE`` names.

    Each user is ``name:secret``. In a text of several lines each line is a user, and the secret goes on to its end. In
    a text of one line users stand between commas or blanks; a piece without a colon goes on the form in front of it,
    so that argon2's commas stay where they are. A secret is a stored form, or the password itself: that is reported, as
    whoever sees the environment can log in. It is read once, when the store is opened.
    """

    variable: str = "NINSHO_USERS"
    file: Path | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[SecretStore]:
        """Read the users; raise ``ConfigurationError`` for each one that is wrong."""
        place, text = self._read(os.environ)
        users = list(_users(text))
        try:
            listed = Listed(entries(enumerate(users, start=1), _entry, called="user"))
        except MalformedList as error:
            problems = [f"{place}: user {number}: {problem}" for number, problem in error.problems]
            raise ConfigurationError(problems) from None
        if not users:
            raise ConfigurationError([f"{place}: expected users as name:secret, got none"])
        if bare := sum(user.is_bare for user in users):
            report(f"{place}: {bare} of {len(users)} users have the password itself there, where a hash would do")
        yield listed

    def _read(self, environ: Mapping[str, str]) -> tuple[str, str]:
        """Return where the users are, and their text."""
        named = environ.get(f"{self.variable}_FILE")
        file = self.file or (Path(named) if named else None)
        if file is None:
            return f"${self.variable}", environ.get(self.variable, "")
        if self.variable in environ:
            other = "file" if self.file else f"${self.variable}_FILE"
            raise ConfigurationError([f"expected either ${self.variable} or {other}, got both"])
        try:
            return str(file), file.read_text(encoding="utf-8")
        except OSError as error:
            raise ConfigurationError([f"{file}: cannot be read: {error.strerror}"]) from None
        except UnicodeDecodeError:
            problem = f"{file}: expected UTF-8"
        raise ConfigurationError([problem])


@dataclass(frozen=True, slots=True)
class User:
    """``name:secret``, taken apart; *split* tells whether commas and blanks separate users where it stood."""

    name: str
    secret: str = field(repr=False)
    split: bool = False

    @property
    def is_bare(self) -> bool:
        """Whether the secret is the password, with nothing that says so."""
        return not _FORM.match(self.secret)


def _users(text: str) -> Iterator[User]:
    lines = text.strip().split("\n")
    if len(lines) == 1:
        yield from (User(*_halves(user), split=True) for user in _split(lines[0]))
        return
    for line in lines:
        user = line.strip("\r").lstrip()
        if user and not user.startswith("#"):
            yield User(*_halves(user))


def _split(line: str) -> list[str]:
    """Part users at commas and blanks; a piece without a colon is the rest of the one in front of it."""
    users: list[str] = []
    for separator, piece in re.findall(r"([\s,]*)([^\s,]+)", line):
        if users and ":" not in piece:
            users[-1] += separator + piece
        else:
            users.append(piece)
    return users


def _halves(user: str) -> tuple[str, str]:
    name, _, secret = user.partition(":")
    return name, secret


def _entry(user: User) -> Entry:
    # What is found is not quoted: in a text that is parted elsewhere than was meant, it may be of a password.
    if not (user.name and user.secret):
        raise MalformedEntry("expected name:secret")
    secret = f"{{PLAIN}}{user.secret}" if user.is_bare else user.secret
    if user.split and secret.upper().startswith(_READABLE) and re.search(r"[\s,]", secret):
        raise MalformedEntry("expected several lines, one for each user, as this password has a comma or a blank")
    name = prepare_name(user.name)
    try:
        return Entry(name, (secret,))
    except MalformedEntry:
        # What it says quotes the scheme, which may be a password that only looks like one.
        finding = "expected a stored form; in front of a password that begins with { or $ goes {PLAIN}"
    raise MalformedEntry(finding)
