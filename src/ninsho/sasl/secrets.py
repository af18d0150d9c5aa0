"""What an account may store for challenge-response mechanisms; every repr is masked."""

import binascii
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import md5, pbkdf2_hmac
from os import urandom
from typing import Any, ClassVar, Self, TypeAlias

from ninsho.errors import MalformedSecret
from ninsho.sasl import md5_state


@dataclass(frozen=True, slots=True)
class Password:
    """The password itself, as UTF-8: enough for every mechanism."""

    text: bytes = field(repr=False)

    def cram_md5(self, challenge: bytes) -> bytes:
        """The keyed digest of *challenge* (16 octets; RFC 2195 §2)."""
        return hmac.digest(self.text, challenge, "md5")


@dataclass(frozen=True, slots=True)
class CramKey:
    """The two MD5 states in which HMAC keeps its key (RFC 2104 §4), as Dovecot's ``{CRAM-MD5}`` stores them.

    They do for CRAM-MD5 what the password does, and nothing else.
    """

    outer: bytes = field(repr=False)
    inner: bytes = field(repr=False)

    @classmethod
    def of(cls, password: bytes) -> "CramKey":
        """Make the key of *password*."""
        # RFC 2104 §2: a key longer than a block is hashed first.
        key = password if len(password) <= md5_state.BLOCK else md5(password, usedforsecurity=False).digest()
        key = key.ljust(md5_state.BLOCK, b"\0")
        return cls(_state_after(key, pad=0x5C), _state_after(key, pad=0x36))

    @classmethod
    def parse(cls, digits: str) -> "CramKey":
        """Read 64 hexadecimal digits, the outer state first; raise ``MalformedSecret``."""
        try:
            states = binascii.a2b_hex(digits)
        except ValueError:
            raise MalformedSecret("{CRAM-MD5}: expected hexadecimal digits") from None
        return cls.from_bytes(states)

    @classmethod
    def from_bytes(cls, states: bytes) -> "CramKey":
        """Read 32 octets, the outer state first; raise ``MalformedSecret``."""
        if len(states) != 32:
            raise MalformedSecret(f"{{CRAM-MD5}}: expected 32 octets (64 hexadecimal digits), got {len(states)}")
        return cls(states[:16], states[16:])

    def cram_md5(self, challenge: bytes) -> bytes:
        """The keyed digest of *challenge* (16 octets; RFC 2195 §2), in about 70 µs."""
        inner = md5_state.finish(md5_state.from_bytes(self.inner), challenge, taken=md5_state.BLOCK)
        return md5_state.finish(md5_state.from_bytes(self.outer), inner, taken=md5_state.BLOCK)

    def __bytes__(self) -> bytes:
        return self.outer + self.inner

    def hex(self) -> str:
        """The 64 digits that ``parse`` reads."""
        return bytes(self).hex()


def _state_after(key: bytes, *, pad: int) -> bytes:
    return md5_state.to_bytes(md5_state.compress(md5_state.INITIAL, bytes(octet ^ pad for octet in key)))


CramSecret: TypeAlias = Password | CramKey


# RFC 7677 §4 asks for 4096 at least; the clients of Cyrus SASL refuse more than this. 23 ms for SHA-256.
SCRAM_ITERATIONS = 65_536
SCRAM_SALT_SIZE = 16  # octets
# Enough for every client there is, and no more than 2 s.
_SCRAM_ITERATIONS_LIMIT = 5_000_000
_SCRAM_FORM = re.compile(r"([1-9][0-9]{0,9}),([0-9A-Za-z+/]{2,}={0,2}),([0-9A-Za-z+/]+={0,2}),([0-9A-Za-z+/]+={0,2})")


# Read once in each login: 0.5 µs less than a frozen dataclass (CPython 3.11).
@dataclass(slots=True)
class ScramKeys:
    """What SCRAM keeps of a password (RFC 5802 §3): enough to check a proof, not to make one.

    Written as Dovecot does: ``iterations,salt,StoredKey,ServerKey``, the last three in base64. Each subclass is of one
    hash function: *algorithm* is its name in ``hashlib``, *size* that of its digests in octets.
    """

    name: ClassVar[str]
    algorithm: ClassVar[str]
    size: ClassVar[int]
    hash: ClassVar[Callable[[bytes], Any]]

    iterations: int
    salt: bytes
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)

    @classmethod
    def of(cls, password: bytes, *, salt: bytes | None = None, iterations: int = SCRAM_ITERATIONS) -> Self:
        """Make the keys of *password*, which SASLprep has prepared; takes as long as *iterations* say."""
        salt = urandom(SCRAM_SALT_SIZE) if salt is None else salt
        salted = pbkdf2_hmac(cls.algorithm, password, salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", cls.algorithm)
        server_key = hmac.digest(salted, b"Server Key", cls.algorithm)
        return cls(iterations, salt, cls.hash(client_key).digest(), server_key)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what ``encode`` writes; raise ``MalformedSecret``."""
        parts = _SCRAM_FORM.fullmatch(text)
        if not parts:
            raise MalformedSecret(f"{{{cls.name}}}: expected iterations,salt,StoredKey,ServerKey")
        try:
            salt, stored_key, server_key = map(_decoded, parts.groups()[1:])
        except ValueError:
            raise MalformedSecret(f"{{{cls.name}}}: expected base64") from None
        if len(stored_key) != cls.size or len(server_key) != cls.size:
            found = f"{len(stored_key)} and {len(server_key)}"
            raise MalformedSecret(f"{{{cls.name}}}: expected keys of {cls.size} octets, got {found}")
        iterations = int(parts[1])
        if iterations > _SCRAM_ITERATIONS_LIMIT:
            raise MalformedSecret(f"{{{cls.name}}}: expected at most {_SCRAM_ITERATIONS_LIMIT} iterations")
        return cls(iterations, salt, stored_key, server_key)

    def encode(self) -> str:
        """The text that ``parse`` reads."""
        salt, stored_key, server_key = map(_encoded, (self.salt, self.stored_key, self.server_key))
        return f"{self.iterations},{salt},{stored_key},{server_key}"


class ScramSha1Keys(ScramKeys):
    """``{SCRAM-SHA-1}`` (RFC 5802)."""

    __slots__ = ()
    name = "SCRAM-SHA-1"
    algorithm = "sha1"
    size = 20
    hash = staticmethod(hashlib.sha1)


class ScramSha256Keys(ScramKeys):
    """``{SCRAM-SHA-256}`` (RFC 7677)."""

    __slots__ = ()
    name = "SCRAM-SHA-256"
    algorithm = "sha256"
    size = 32
    hash = staticmethod(hashlib.sha256)


class ScramSha512Keys(ScramKeys):
    """``{SCRAM-SHA-512}`` (draft-melnikov-scram-sha-512)."""

    __slots__ = ()
    name = "SCRAM-SHA-512"
    algorithm = "sha512"
    size = 64
    hash = staticmethod(hashlib.sha512)


class ScramSha3512Keys(ScramKeys):
    """``{SCRAM-SHA3-512}`` (draft-melnikov-scram-sha3-512)."""

    __slots__ = ()
    name = "SCRAM-SHA3-512"
    algorithm = "sha3_512"
    size = 64
    hash = staticmethod(hashlib.sha3_512)


@dataclass(frozen=True, slots=True)
class DigestKey:
    """What DIGEST-MD5 keeps of a password (RFC 2831 §2.1.2.1): the MD5 of ``user:realm:password``, 16 octets.

    It does for DIGEST-MD5 what the password does, in one realm and for one spelling of the user name.
    """

    hash: bytes = field(repr=False)

    @classmethod
    def of(cls, username: str, realm: str, password: str) -> "DigestKey":
        """Make the key of *password*, as clients do: what ISO 8859-1 can say is hashed in that (RFC 2831 §2.1.2.1)."""
        return cls(md5(b":".join(map(_spelt, (username, realm, password))), usedforsecurity=False).digest())


def _spelt(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()


def _decoded(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)


def _encoded(octets: bytes) -> str:
    return binascii.b2a_base64(octets, newline=False).decode()
