"""What an account may store for challenge-response mechanisms; every repr is masked."""

import binascii
import hmac
from dataclasses import dataclass, field
from hashlib import md5
from typing import TypeAlias

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
