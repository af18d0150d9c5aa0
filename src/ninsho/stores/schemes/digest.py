"""Digests of the password, with and without salt, once or many times."""

import hashlib
import re
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_bytes, token_hex
from typing import ClassVar

from ninsho.stores.schemes.scheme import Encoding, Scheme

ROUNDS_LIMIT = 5_000_000  # about 2 s; Postfix gives up after 10


@dataclass(frozen=True, slots=True)
class Digest(Scheme):
    """A digest of the password (``{SHA256}``)."""

    algorithm: str

    description: ClassVar[str] = "{algorithm}, unsalted: one table of digests opens all accounts"

    encoding: ClassVar[Encoding] = Encoding.BASE64
    cheap: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """The octets of the digest."""
        return hashlib.new(self.algorithm).digest_size

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest the password again."""
        if len(form) != self.size:
            raise self.malformed(f"expected {self.size} octets, got {len(form)}")
        return compare_digest(form, self.make(password))

    def make(self, password: bytes) -> bytes:
        """Return the digest."""
        return hashlib.new(self.algorithm, password).digest()


@dataclass(frozen=True, slots=True)
class SaltedDigest(Scheme):
    """A digest of the password and a salt, followed by the salt (``{SSHA256}``)."""

    algorithm: str

    description: ClassVar[str] = "{algorithm}, salted: as quick to guess as to check"

    encoding: ClassVar[Encoding] = Encoding.BASE64
    cheap: ClassVar[bool] = True

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest the password again with the same salt."""
        size = hashlib.new(self.algorithm).digest_size
        if len(form) < size:
            raise self.malformed(f"expected {size} octets and a salt, got {len(form)}")
        return compare_digest(form, self._salted(password, form[size:]))

    def make(self, password: bytes) -> bytes:
        """Return digest and salt."""
        return self._salted(password, token_bytes(16))

    def _salted(self, password: bytes, salt: bytes) -> bytes:
        return hashlib.new(self.algorithm, password + salt).digest() + salt


@dataclass(frozen=True, slots=True)
class Pbkdf2(Scheme):
    """PBKDF2 over HMAC-SHA-1, written as Dovecot does: ``$1$salt$rounds$`` and 40 hexadecimal digits."""

    rounds: int

    description: ClassVar[str] = "PBKDF2 (RFC 8018) with HMAC-SHA-1, {rounds} rounds"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Derive the key again."""
        salt, rounds, digits = self._parts(form)
        return compare_digest(bytes.fromhex(digits.decode()), hashlib.pbkdf2_hmac("sha1", password, salt, rounds))

    def make(self, password: bytes) -> bytes:
        """Return salt, rounds and key."""
        salt = token_hex(8).encode()
        key = hashlib.pbkdf2_hmac("sha1", password, salt, self.rounds)
        return b"$1$%b$%d$%b" % (salt, self.rounds, key.hex().encode())

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had fewer rounds."""
        return self._parts(form)[1] < self.rounds

    def _parts(self, form: bytes) -> tuple[bytes, int, bytes]:
        parts = re.fullmatch(rb"\$1\$([!-#%-~]+)\$([1-9][0-9]{0,9})\$([0-9a-fA-F]{40})", form)
        if not parts:
            raise self.malformed("expected $1$salt$rounds$ and 40 hexadecimal digits")
        # The salt is the text itself, not what it might encode.
        salt, rounds, digits = parts[1], int(parts[2]), parts[3]
        if rounds > ROUNDS_LIMIT:
            raise self.malformed(f"expected at most {ROUNDS_LIMIT} rounds, got {rounds}")
        return salt, rounds, digits
