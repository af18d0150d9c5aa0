"""Forms that challenge-response mechanisms can use: the password itself, and the key of CRAM-MD5."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import ClassVar

from ninsho.sasl.secrets import CramKey, Password
from ninsho.stores.schemes.scheme import Encoding, Scheme, Secret


@dataclass(frozen=True, slots=True)
class Plain(Scheme):
    """The password itself."""

    description: ClassVar[str] = "the password itself: serves every mechanism, and whoever reads the store"

    cheap: ClassVar[bool] = True
    secrets: ClassVar[tuple[type[Secret], ...]] = (Password,)

    def verify(self, form: bytes, password: bytes) -> bool:
        """Compare; how long that takes is not told, as a failure waits for the failure delay."""
        return compare_digest(form, password)

    def make(self, password: bytes) -> bytes:
        """Return the password."""
        return password

    def secret(self, form: bytes) -> Password:
        """Return the password."""
        return Password(form)


@dataclass(frozen=True, slots=True)
class CramMd5(Scheme):
    """The key that CRAM-MD5 makes of the password, which pure Python computes."""

    description: ClassVar[str] = "the key of CRAM-MD5: as good as the password there, and quick to guess from"

    encoding: ClassVar[Encoding] = Encoding.HEX
    # 70 µs; and as pure Python keeps the interpreter's lock, another thread would not help.
    cheap: ClassVar[bool] = True
    secrets: ClassVar[tuple[type[Secret], ...]] = (CramKey,)

    @property
    def size(self) -> int:
        """Two states of MD5."""
        return 32

    def verify(self, form: bytes, password: bytes) -> bool:
        """Make the key again."""
        return compare_digest(bytes(CramKey.from_bytes(form)), bytes(CramKey.of(password)))

    def make(self, password: bytes) -> bytes:
        """Return the key."""
        return bytes(CramKey.of(password))

    def secret(self, form: bytes) -> CramKey:
        """Return the key."""
        return CramKey.from_bytes(form)
