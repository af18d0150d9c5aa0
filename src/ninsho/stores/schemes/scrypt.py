"""The scrypt function (RFC 7914), written as passlib does: ``$scrypt$ln=16,r=8,p=1$salt$key``."""

import re
from dataclasses import dataclass
from hashlib import scrypt
from hmac import compare_digest
from secrets import token_bytes
from typing import ClassVar, NamedTuple

from ninsho.errors import StoreUnavailable
from ninsho.stores.schemes.bare64 import decoded, encoded
from ninsho.stores.schemes.scheme import Scheme

_KEY_SIZES = (32, 64)  # octets: passlib's, and Django's and Werkzeug's
_LIMITS = {"r": 32, "p": 16}  # others write 8, and 1 or 5; far beyond these, memory and time follow other rules
_WORK_LIMIT = 2**22  # N times r times p: 512 MiB and about 1.5 s
_FORM = (
    rb"\$scrypt\$ln=(?P<ln>[1-9][0-9]?),r=(?P<r>[1-9][0-9]{0,8}),p=(?P<p>[1-9][0-9]{0,8})"
    rb"\$(?P<salt>[./+0-9A-Za-z]*)\$(?P<key>[./+0-9A-Za-z]+)"
)


class _Parts(NamedTuple):
    ln: int
    r: int
    p: int
    salt: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Scrypt(Scheme):
    """The scrypt function; *ln* is the logarithm of N, r is 8 and p is 1."""

    ln: int

    description: ClassVar[str] = "scrypt (RFC 7914), N = 2^{ln}, r = 8, p = 1"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Derive the key again; raise ``StoreUnavailable`` where the memory cannot be had."""
        parts = self._parts(form)
        return compare_digest(parts.key, self._key(password, parts))

    def make(self, password: bytes) -> bytes:
        """Derive a key of 32 octets with a new salt of 16."""
        parts = _Parts(self.ln, 8, 1, token_bytes(16), bytes(32))
        return written(*parts[:4], self._key(password, parts)).encode()

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had less memory."""
        parts = self._parts(form)
        return parts.r << parts.ln < 8 << self.ln

    def _parts(self, form: bytes) -> _Parts:
        if not (found := re.fullmatch(_FORM, form)):
            raise self.malformed("expected $scrypt$ln=…,r=…,p=…$salt$key")
        self._check_cost(ln := int(found["ln"]), r := int(found["r"]), p := int(found["p"]))
        try:
            parts = _Parts(ln, r, p, decoded(found["salt"].decode()), decoded(found["key"].decode()))
        except ValueError:
            raise self.malformed("expected base64") from None
        # scrypt makes keys of any length: one that was cut would still match.
        if len(parts.key) not in _KEY_SIZES:
            raise self.malformed(f"expected a key of 32 or 64 octets, got {len(parts.key)}")
        return parts

    def _check_cost(self, ln: int, r: int, p: int) -> None:
        for parameter, value in (("r", r), ("p", p)):
            if value > _LIMITS[parameter]:
                raise self.malformed(f"expected {parameter}={_LIMITS[parameter]} at most, got {value}")
        # RFC 7914 §2: N is less than 2^(128 * r / 8).
        if ln >= 16 * r:
            raise self.malformed(f"expected ln less than {16 * r} for r={r}, got {ln}")
        if (r * p) << ln > _WORK_LIMIT:
            raise self.malformed("expected at most 2^22 for N times r times p")

    def _key(self, password: bytes, parts: _Parts) -> bytes:
        # RFC 7914 §6: N blocks of 128 r octets, and p more; the limit that OpenSSL sets by itself is 32 MiB.
        room = 128 * parts.r * (2**parts.ln + parts.p + 2) + 2**20
        try:
            return scrypt(
                password, salt=parts.salt, n=2**parts.ln, r=parts.r, p=parts.p, maxmem=room, dklen=len(parts.key)
            )
        except (MemoryError, ValueError):
            # The parameters are good: what is left to fail is OpenSSL's malloc.
            raise StoreUnavailable(f"{{{self.name}}}: no memory to compute the hash") from None


def written(ln: int, r: int | str, p: int | str, salt: bytes, key: bytes) -> str:
    """Write a form that ``Scrypt`` reads."""
    return f"$scrypt$ln={ln},r={r},p={p}${encoded(salt)}${encoded(key)}".replace(".", "+")
