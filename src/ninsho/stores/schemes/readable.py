"""Forms that challenge-response mechanisms can use: the password itself, and the keys of CRAM-MD5 and DIGEST-MD5."""

import re
from hashlib import md5
from hmac import compare_digest
from typing import ClassVar

from ninsho.sasl.secrets import CramKey, DigestKey, Password
from ninsho.stores.schemes.scheme import Encoding, Scheme, Secret


class Plain(Scheme):
    """The password itself."""

    __slots__ = ()

    description: ClassVar[str] = "the password itself: serves every mechanism, and whoever reads the store"

    cheap: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[type[Secret], ...]:
        """The password, from which every key can be made."""
        return (Password,)

    def verify(self, form: bytes, password: bytes) -> bool:
        """Compare; how long that takes is not told, as a failure waits for the failure delay."""
        self.check(form)
        return compare_digest(form, password)

    def make(self, password: bytes) -> bytes:
        """Return the password."""
        return password

    def check(self, form: bytes) -> None:
        """Expect a password: without one, everybody could prove to know it."""
        if not form:
            raise self.malformed("expected a password, got nothing")

    def secret(self, form: bytes) -> Password:
        """Return the password."""
        self.check(form)
        return Password(form)


class CramMd5(Scheme):
    """The key that CRAM-MD5 makes of the password, which pure Python computes."""

    __slots__ = ()

    description: ClassVar[str] = "the key of CRAM-MD5: as good as the password there, and quick to guess from"

    encoding: ClassVar[Encoding] = Encoding.HEX
    # 70 µs; and as pure Python keeps the interpreter's lock, another thread would not help.
    cheap: ClassVar[bool] = True

    @property
    def secrets(self) -> tuple[type[Secret], ...]:
        """The key of CRAM-MD5."""
        return (CramKey,)

    @property
    def size(self) -> int:
        """Two states of MD5."""
        return 32

    def verify(self, form: bytes, password: bytes) -> bool:
        """Make the key again."""
        self.check(form)
        return compare_digest(form, self.make(password))

    def make(self, password: bytes) -> bytes:
        """Return the key."""
        return bytes(CramKey.of(password))

    def check(self, form: bytes) -> None:
        """Count the octets."""
        self.secret(form)

    def secret(self, form: bytes) -> CramKey:
        """Return the key."""
        return CramKey.from_bytes(form)


class DigestMd5(Scheme):
    """The key that DIGEST-MD5 makes of user name, realm and password.

    The account's name is split at its last ``@``; without one, the realm is empty.
    """

    __slots__ = ()

    description: ClassVar[str] = "the key of DIGEST-MD5, for one user name: as good as the password there"

    encoding: ClassVar[Encoding] = Encoding.HEX
    cheap: ClassVar[bool] = True
    named: ClassVar[bool] = True

    @property
    def size(self) -> int:
        """A digest of MD5."""
        return 16

    @property
    def secrets(self) -> tuple[type[Secret], ...]:
        """The key of DIGEST-MD5."""
        return (DigestKey,)

    def phrases(self, password: bytes, username: str) -> tuple[bytes, ...]:
        """What RFC 2831 §2.1.2.1 says clients hash, then what those hash who know nothing but UTF-8."""
        name, separator, realm = username.rpartition("@")
        parts = (name, realm, password.decode()) if separator else (username, "", password.decode())
        narrow, wide = (b":".join(map(spell, parts)) for spell in (_narrow, str.encode))
        return (narrow,) if narrow == wide else (narrow, wide)

    def verify(self, form: bytes, password: bytes) -> bool:
        """Make the key again."""
        self.check(form)
        return compare_digest(form, self.make(password))

    def make(self, password: bytes) -> bytes:
        """Return the key of one of the ``phrases``."""
        return md5(password, usedforsecurity=False).digest()

    def check(self, form: bytes) -> None:
        """Count the octets."""
        if len(form) != self.size:
            raise self.malformed(f"expected {self.size} octets, got {len(form)}")

    def secret(self, form: bytes) -> DigestKey:
        """Return the key."""
        self.check(form)
        return DigestKey(form)


class PlainTrunc(Scheme):
    """The password itself, which somebody may have cut: ``length-`` before it is how long it can have become.

    One of that length or more matches every password that begins with it.
    """

    __slots__ = ()

    description: ClassVar[str] = "the password itself, possibly cut: what begins alike matches"

    cheap: ClassVar[bool] = True

    def verify(self, form: bytes, password: bytes) -> bool:
        """Compare what is left of it."""
        length, text = self._parts(form)
        return compare_digest(text, password[:length] if len(text) == length else password)

    def make(self, password: bytes) -> bytes:
        """Return the password, uncut."""
        return b"%d-%b" % (len(password) + 1, password)

    def cuts(self, form: bytes, password: bytes) -> bool:  # noqa: ARG002 - the form tells
        """Tell whether the password may have been longer."""
        length, text = self._parts(form)
        return len(text) >= length

    def check(self, form: bytes) -> None:
        """Find the length."""
        self._parts(form)

    def _parts(self, form: bytes) -> tuple[int, bytes]:
        if not (parts := re.fullmatch(rb"([1-9][0-9]{0,3})-(.+)", form, re.DOTALL)):
            raise self.malformed("expected length-password")
        return int(parts[1]), parts[2]


def _narrow(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode()
