"""crypt(3): from libxcrypt where the system has it, else from libpass, which is slower and knows fewer methods."""

import re
from functools import cache
from typing import Any, Protocol

PHRASE_LIMIT = 511  # octets; libxcrypt's CRYPT_MAX_PASSPHRASE_SIZE less its NUL

# libpass's names of the methods that it has. What has no prefix is of DES.
_HANDLERS = {
    b"$1$": "md5_crypt",
    b"$5$": "sha256_crypt",
    b"$6$": "sha512_crypt",
    b"$7$": "scrypt",
    b"$md5": "sun_md5_crypt",
    b"$sha1": "sha1_crypt",
    b"_": "bsdi_crypt",
    b"": "des_crypt",
}
_METHOD = re.compile(rb"\$[1567]\$|\$md5|\$sha1|_|(?!\$)")


class Crypt3(Protocol):
    """Whoever computes crypt(3). A method is named by its prefix, ``$6$``; phrases and forms hold no NUL."""

    def verify(self, form: bytes, phrase: bytes) -> bool | None:
        """Tell whether *form* was made from *phrase*; None where *form* is refused or its method unknown."""

    def make(self, prefix: bytes, phrase: bytes, *, rounds: int) -> bytes | None:
        """Make a form with a new salt, at the method's usual cost where *rounds* is 0; None for an unknown method."""


@cache
def provider() -> Crypt3:
    """Return who computes crypt(3) on this system."""
    from ninsho.stores.schemes.libxcrypt import Libxcrypt  # noqa: PLC0415 - ctypes: 2 ms for those whom it serves

    return Libxcrypt.load() or Libpass()


class Libpass:
    """crypt(3) where the system has no libxcrypt: macOS, musl."""

    def verify(self, form: bytes, phrase: bytes) -> bool | None:
        """Tell whether *form* was made from *phrase*; None where *form* is refused or its method unknown."""
        handler = self._handler(form)
        try:
            return bool(handler.verify(phrase, form)) if handler else None
        except ValueError:
            return None

    def make(self, prefix: bytes, phrase: bytes, *, rounds: int) -> bytes | None:
        """Make a form with a new salt, at the method's usual cost where *rounds* is 0; None for an unknown method."""
        handler = self._handler(prefix)
        if handler is None:
            return None
        hashed: str = (handler.using(rounds=rounds) if rounds else handler).hash(phrase)
        return hashed.encode()

    def _handler(self, form: bytes) -> Any:  # noqa: ANN401 - libpass has no types
        if not (found := _METHOD.match(form)):
            return None
        from passlib import hash as hashes  # noqa: PLC0415 - 30 ms for those whom it serves

        return getattr(hashes, _HANDLERS[found[0]])
