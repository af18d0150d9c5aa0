"""crypt(3): from libxcrypt where the system has it, else from libpass, which is slower and knows fewer methods."""

from functools import cache
from typing import Protocol

PHRASE_LIMIT = 511  # octets; libxcrypt's CRYPT_MAX_PASSPHRASE_SIZE less its NUL


class Crypt3(Protocol):
    """Whoever computes crypt(3). Phrases and settings hold no NUL."""

    def crypt(self, phrase: bytes, setting: bytes) -> bytes | None:
        """Hash *phrase* as *setting* says; None where *setting* is refused or its method unknown."""

    def new_setting(self, prefix: bytes) -> bytes | None:
        """Make a setting with a new salt and the method's usual cost; None where the method is unknown."""


@cache
def provider() -> Crypt3:
    """Return who computes crypt(3) on this system."""
    from ninsho.stores.schemes.libxcrypt import Libxcrypt  # noqa: PLC0415 - ctypes: 2 ms for those whom it serves

    return Libxcrypt.load() or Libpass()


class Libpass:
    """crypt(3) where the system has no libxcrypt: macOS, musl."""

    def crypt(self, phrase: bytes, setting: bytes) -> bytes | None:
        """Hash *phrase* as *setting* says; None where *setting* is refused or its method unknown."""
        from passlib.hash import scrypt, sha256_crypt, sha512_crypt  # noqa: PLC0415 - 30 ms for those whom it serves

        handlers = {b"$5$": sha256_crypt, b"$6$": sha512_crypt, b"$7$": scrypt}
        if (handler := handlers.get(setting[:3])) is None:
            return None
        try:
            hashed: str = handler.genhash(phrase, setting.decode())
        except ValueError:
            return None
        return hashed.encode()

    def new_setting(self, prefix: bytes) -> None:
        """Libpass has no yescrypt."""
