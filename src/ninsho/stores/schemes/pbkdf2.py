"""PBKDF2 (RFC 8018), as Dovecot writes it, and as OpenLDAP and passlib do."""

import re
from dataclasses import dataclass
from hashlib import new, pbkdf2_hmac
from hmac import compare_digest
from secrets import token_bytes, token_hex
from typing import ClassVar

from ninsho.stores.schemes.bare64 import decoded, encoded
from ninsho.stores.schemes.scheme import Scheme

ROUNDS_LIMIT = 2_500_000  # 0.8 s, of SHA-512 1.8 s


@dataclass(frozen=True, slots=True)
class DovecotPbkdf2(Scheme):
    """PBKDF2 over HMAC-SHA-1, written as Dovecot does: ``$1$salt$rounds$`` and 40 hexadecimal digits."""

    rounds: int

    description: ClassVar[str] = "PBKDF2 (RFC 8018) with HMAC-SHA-1, {rounds} rounds, as Dovecot writes it"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Derive the key again."""
        salt, rounds, digits = self._parts(form)
        return compare_digest(bytes.fromhex(digits.decode()), pbkdf2_hmac("sha1", password, salt, rounds))

    def make(self, password: bytes) -> bytes:
        """Return salt, rounds and key."""
        salt = token_hex(8).encode()
        key = pbkdf2_hmac("sha1", password, salt, self.rounds)
        return b"$1$%b$%d$%b" % (salt, self.rounds, key.hex().encode())

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had fewer rounds."""
        return self._parts(form)[1] < self.rounds

    def _parts(self, form: bytes) -> tuple[bytes, int, bytes]:
        parts = re.fullmatch(rb"\$1\$([!-#%-~]+)\$([1-9][0-9]{0,9})\$([0-9a-fA-F]{40})", form)
        if not parts:
            raise self.malformed("expected $1$salt$rounds$ and 40 hexadecimal digits")
        # The salt is the text itself, not what it might encode.
        return parts[1], _affordable(self, int(parts[2])), parts[3]


@dataclass(frozen=True, slots=True)
class Pbkdf2(Scheme):
    """PBKDF2 over HMAC, written as OpenLDAP does: ``rounds$salt$key``, the last two in base64 with ``.`` for ``+``."""

    algorithm: str
    rounds: int

    description: ClassVar[str] = "PBKDF2 (RFC 8018) with HMAC-{algorithm}, {rounds} rounds"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Derive the key again."""
        rounds, salt, key = self._parts(form)
        return compare_digest(key, pbkdf2_hmac(self.algorithm, password, salt, rounds))

    def make(self, password: bytes) -> bytes:
        """Return rounds, a salt of 16 octets and the key."""
        salt = token_bytes(16)
        key = pbkdf2_hmac(self.algorithm, password, salt, self.rounds)
        return written(self.rounds, salt, key).encode()

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had fewer rounds."""
        return self._parts(form)[0] < self.rounds

    def _parts(self, form: bytes) -> tuple[int, bytes, bytes]:
        parts = re.fullmatch(rb"([1-9][0-9]{0,9})\$([./0-9A-Za-z]*)\$([./0-9A-Za-z]+)", form)
        try:
            salt, key = (decoded(parts[2].decode()), decoded(parts[3].decode())) if parts else (b"", b"")
        except ValueError:
            raise self.malformed("expected base64") from None
        size = new(self.algorithm).digest_size
        if not parts or len(key) != size:
            raise self.malformed(f"expected rounds$salt$ and a key of {size} octets")
        return _affordable(self, int(parts[1])), salt, key


def written(rounds: int | str, salt: bytes, key: bytes) -> str:
    """Write a form that ``Pbkdf2`` reads."""
    return f"{rounds}${encoded(salt)}${encoded(key)}"


def _affordable(scheme: Scheme, rounds: int) -> int:
    if rounds > ROUNDS_LIMIT:
        raise scheme.malformed(f"expected at most {ROUNDS_LIMIT} rounds, got {rounds}")
    return rounds
