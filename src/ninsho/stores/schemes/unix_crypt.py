"""The forms of crypt(3) that are not weak: SHA-crypt, bcrypt, yescrypt, scrypt and what else the system's knows."""

import re
from dataclasses import dataclass
from typing import ClassVar

import bcrypt

from ninsho.stores.schemes.crypt3 import PHRASE_LIMIT, provider
from ninsho.stores.schemes.scheme import Scheme

ROUNDS_LIMIT = (
    656_000  # of SHA-crypt, what passlib makes: 0.3 s, with the longest password 2 s; Postfix gives up after 10
)
COST_LIMIT = 15  # of bcrypt: 1.7 s
BCRYPT_LIMIT = 72  # octets of a password that bcrypt looks at


@dataclass(frozen=True, slots=True)
class ShaCrypt(Scheme):
    """SHA-crypt; the hash is written in *digits* characters."""

    identifier: str
    digits: int
    rounds: int

    description: ClassVar[str] = "crypt(3) ${identifier}$, {rounds} rounds"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again."""
        self._rounds(form)
        return crypt_matches(self, form, password)

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt of 16 characters."""
        return crypted(self, password, f"${self.identifier}$", rounds=self.rounds)

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had fewer rounds."""
        return self._rounds(form) < self.rounds

    def _rounds(self, form: bytes) -> int:
        setting = rf"\${self.identifier}\$(?:rounds=([1-9][0-9]{{3,8}})\$)?[!-#%-~]{{0,16}}"
        parts = re.fullmatch(rf"{setting}\$[./0-9A-Za-z]{{{self.digits}}}".encode(), form)
        if not parts:
            raise self.malformed(f"expected ${self.identifier}$[rounds=…$]salt$ and {self.digits} characters")
        rounds = int(parts[1] or 5000)
        if rounds > ROUNDS_LIMIT:
            raise self.malformed(f"expected at most {ROUNDS_LIMIT} rounds, got {rounds}")
        return rounds


@dataclass(frozen=True, slots=True)
class Bcrypt(Scheme):
    """Bcrypt; *cost* is the logarithm of its rounds."""

    cost: int

    description: ClassVar[str] = f"bcrypt, cost {{cost}}; passwords of at most {BCRYPT_LIMIT} octets"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again; as everybody's bcrypt does, only the first 72 octets are looked at."""
        self._cost(form)
        return bcrypt_matches(self, form, password[:BCRYPT_LIMIT])

    def make(self, password: bytes) -> bytes:
        """Hash with a new salt; a password that would be cut is refused."""
        if len(password) > BCRYPT_LIMIT:
            raise ValueError(f"password: {self.name} looks at {BCRYPT_LIMIT} octets, got {len(password)}")
        return bcrypt.hashpw(password, bcrypt.gensalt(self.cost))

    def cuts(self, form: bytes, password: bytes) -> bool:  # noqa: ARG002 - the password tells
        """Tell whether octets were left out, or one of more octets would match as well."""
        return len(password) >= BCRYPT_LIMIT

    def outdated(self, form: bytes) -> bool:
        """Tell whether it was cheaper."""
        return self._cost(form) < self.cost

    def _cost(self, form: bytes) -> int:
        if not (parts := re.fullmatch(rb"\$2[aby]\$([0-3][0-9])\$[./0-9A-Za-z]{53}", form)):
            raise self.malformed("expected $2y$, two digits, $ and 53 characters")
        return affordable_cost(self, int(parts[1]))


# Costs up to the last but one that crypt_gensalt(3) chooses and 512 MiB of memory, about 1.5 s:
# $y$ and the like write logarithm of N and r in a character each, $7$ r and p in five.
_MEMORY_HARD = re.compile(
    rb"\$(?:(?:gy|sm3y|y)\$j[./0-9A-E][5T]\$[./0-9A-Za-z]{0,86}|7\$[./0-9A-F][./0-9A-U]\.{4}/\.{4}[!-#%-~]{0,86})"
    rb"\$[./0-9A-Za-z]{43}"
)
# The rounds that crypt_gensalt(3) chooses for $sha1$ are up to half of our limit.
_COUNTED = (
    rb"\$sha1\$(?P<sha1>[1-9][0-9]{0,9})\$[./0-9A-Za-z]{1,64}\$[./0-9A-Za-z]{28}"
    rb"|\$sm3\$(?:rounds=(?P<sm3>[1-9][0-9]{3,8})\$)?[!-#%-~]{0,16}\$[./0-9A-Za-z]{43}"
)


class SystemCrypt(Scheme):
    """The forms of crypt(3) that no other scheme names; new ones are yescrypt."""

    __slots__ = ()

    description: ClassVar[str] = "crypt(3): makes yescrypt, reads every accepted form of crypt(3)"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Hash again."""
        self.check(form)
        return crypt_matches(self, form, password)

    def make(self, password: bytes) -> bytes:
        """Hash with yescrypt, which only libxcrypt can compute."""
        return crypted(self, password, "$y$")

    def outdated(self, form: bytes) -> bool:
        """Tell whether it is not yescrypt, or cheaper than crypt_gensalt(3) makes it."""
        self.check(form)
        # The digits of crypt(3) stand in the order of their octets.
        return not form.startswith(b"$y$") or form[3:6] < b"j9T"

    def check(self, form: bytes) -> None:
        """Read method and cost."""
        if parts := re.fullmatch(_COUNTED, form):
            rounds = int(parts["sha1"] or parts["sm3"] or 5000)
            if rounds > ROUNDS_LIMIT:
                raise self.malformed(f"expected at most {ROUNDS_LIMIT} rounds, got {rounds}")
        elif not _MEMORY_HARD.fullmatch(form):
            raise self.malformed("expected a crypt(3) form at a cost that crypt_gensalt(3) may choose, but its highest")


def affordable_cost(scheme: Scheme, cost: int) -> int:
    """Return the *cost* of a bcrypt form; raise ``MalformedSecret`` where it is none, or too dear."""
    if not 4 <= cost <= COST_LIMIT:
        raise scheme.malformed(f"expected a cost from 4 to {COST_LIMIT}, got {cost}")
    return cost


def bcrypt_matches(scheme: Scheme, form: bytes, phrase: bytes) -> bool:
    """Tell whether *form* is the bcrypt of *phrase*, 72 octets at most."""
    try:
        return bcrypt.checkpw(phrase, form)
    except ValueError:
        raise scheme.malformed("bcrypt refuses the salt") from None


def crypt_matches(scheme: Scheme, form: bytes, password: bytes) -> bool:
    """Tell whether crypt(3) makes *form* of *password*."""
    # A longer one cannot have been hashed with crypt(3).
    if len(password) > PHRASE_LIMIT:
        return False
    matches = provider().verify(form, password)
    if matches is None:
        raise scheme.malformed("crypt(3) on this system refuses it")
    return matches


def crypted(scheme: Scheme, password: bytes, prefix: str, *, rounds: int = 0) -> bytes:
    """Make a form by the method of *prefix*, with a new salt; raise ``ValueError`` where crypt(3) cannot."""
    if len(password) > PHRASE_LIMIT:
        raise ValueError(f"password: {scheme.name} takes {PHRASE_LIMIT} octets, got {len(password)}")
    form = provider().make(prefix.encode(), password, rounds=rounds)
    if form is None:
        raise ValueError(f"scheme {scheme.name}: crypt(3) on this system cannot make it")
    return form
