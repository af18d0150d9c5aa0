"""Digests of the password, with and without salt, each computed once."""

import hashlib
import re
from dataclasses import dataclass
from hmac import compare_digest
from secrets import token_bytes, token_hex
from typing import ClassVar

from ninsho.stores.schemes import md4
from ninsho.stores.schemes.scheme import Encoding, Scheme


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
        return _size(self.algorithm)

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest the password again."""
        self.check(form)
        return compare_digest(form, self.make(password))

    def make(self, password: bytes) -> bytes:
        """Return the digest."""
        return _digest(self.algorithm, password)

    def check(self, form: bytes) -> None:
        """Count the octets."""
        if len(form) != self.size:
            raise self.malformed(f"expected {self.size} octets, got {len(form)}")


class HexDigest(Digest):
    """The same, which others are used to see in hexadecimal digits (``{PLAIN-MD5}``)."""

    __slots__ = ()

    encoding: ClassVar[Encoding] = Encoding.HEX


class Md4Digest(HexDigest):
    """The same, of MD4, which today's OpenSSL lacks."""

    __slots__ = ()

    @property
    def size(self) -> int:
        """The octets of the digest."""
        return 16

    def make(self, password: bytes) -> bytes:
        """Return the digest, in 30 µs for a short password."""
        return md4.digest(password)


@dataclass(frozen=True, slots=True)
class SaltedDigest(Scheme):
    """A digest of the password and a salt, followed by the salt (``{SSHA256}``)."""

    algorithm: str

    description: ClassVar[str] = "{algorithm}, salted: as quick to guess as to check"

    encoding: ClassVar[Encoding] = Encoding.BASE64
    cheap: ClassVar[bool] = True

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest the password again with the same salt."""
        self.check(form)
        return compare_digest(form, self._salted(password, form[_size(self.algorithm) :]))

    def make(self, password: bytes) -> bytes:
        """Return digest and salt."""
        return self._salted(password, token_bytes(16))

    def check(self, form: bytes) -> None:
        """Count the octets."""
        if len(form) < (size := _size(self.algorithm)):
            raise self.malformed(f"expected {size} octets and a salt, got {len(form)}")

    def _salted(self, password: bytes, salt: bytes) -> bytes:
        return _digest(self.algorithm, password + salt) + salt


class DjangoDigest(SaltedDigest):
    """A digest of a salt and the password, written ``salt$`` and hexadecimal digits, as Django once did."""

    __slots__ = ()

    description: ClassVar[str] = "{algorithm} of Django, salted or not: as quick to guess as to check"

    encoding: ClassVar[Encoding] = Encoding.TEXT

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest the password again with the same salt."""
        self.check(form)
        salt, _, digits = form.rpartition(b"$")
        return compare_digest(digits.lower(), self._digits(salt + password))

    def make(self, password: bytes) -> bytes:
        """Return salt and digest."""
        salt = token_hex(8).encode()
        return salt + b"$" + self._digits(salt + password)

    def check(self, form: bytes) -> None:
        """Count the digits."""
        digits = 2 * _size(self.algorithm)
        if not re.fullmatch(rb"[^$]*\$[0-9a-fA-F]{%d}" % digits, form):
            raise self.malformed(f"expected salt$ and {digits} hexadecimal digits")

    def _digits(self, octets: bytes) -> bytes:
        return _digest(self.algorithm, octets).hex().encode()


def _digest(algorithm: str, octets: bytes) -> bytes:
    return hashlib.new(algorithm, octets, usedforsecurity=False).digest()


def _size(algorithm: str) -> int:
    return hashlib.new(algorithm, usedforsecurity=False).digest_size
