"""bcrypt of a digest, which takes passwords of any length: passlib's two versions, and Django's."""

import hmac
import re
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, TypeAlias

import bcrypt

from ninsho.stores.schemes.scheme import Scheme
from ninsho.stores.schemes.unix_crypt import affordable_cost, bcrypt_matches

Condenser: TypeAlias = Callable[[bytes, bytes], bytes]

_HASH = rb"(?P<salt>[./0-9A-Za-z]{22})\$?(?P<hash>[./0-9A-Za-z]{31})"
_FORMS: tuple[tuple[bytes, Condenser], ...] = (
    (
        rb"\$bcrypt-sha256\$v=2,t=(?P<variant>2b),r=(?P<cost>[0-9]{1,2})\$" + _HASH,
        lambda password, salt: b64encode(hmac.digest(salt, password, "sha256")),
    ),
    (
        rb"\$bcrypt-sha256\$(?P<variant>2[aby]),(?P<cost>[0-9]{1,2})\$" + _HASH,
        lambda password, _: b64encode(sha256(password).digest()),
    ),
    (
        rb"bcrypt_sha256\$\$(?P<variant>2[aby])\$(?P<cost>[0-9]{2})\$" + _HASH,
        lambda password, _: sha256(password).hexdigest().encode(),
    ),
)


@dataclass(frozen=True, slots=True)
class BcryptSha256(Scheme):
    """bcrypt of a SHA-256 digest; *cost* is the logarithm of its rounds."""

    cost: int

    description: ClassVar[str] = "bcrypt of SHA-256, cost {cost}: passlib's and Django's"

    def verify(self, form: bytes, password: bytes) -> bool:
        """Digest and hash again."""
        parts, condense = self._parts(form)
        hashed = b"$%b$%02d$%b%b" % (parts["variant"], int(parts["cost"]), parts["salt"], parts["hash"])
        return bcrypt_matches(self, hashed, condense(password, parts["salt"]))

    def make(self, password: bytes) -> bytes:
        """Write what passlib calls version 2, with a new salt."""
        salt = bcrypt.gensalt(self.cost)
        condense = _FORMS[0][1]
        hashed = bcrypt.hashpw(condense(password, salt[-22:]), salt)
        return b"$bcrypt-sha256$v=2,t=2b,r=%d$%b$%b" % (self.cost, salt[-22:], hashed[-31:])

    def outdated(self, form: bytes) -> bool:
        """Tell whether it was cheaper."""
        return int(self._parts(form)[0]["cost"]) < self.cost

    def _parts(self, form: bytes) -> tuple[re.Match[bytes], Condenser]:
        for pattern, condense in _FORMS:
            if parts := re.fullmatch(pattern, form):
                affordable_cost(self, int(parts["cost"]))
                return parts, condense
        raise self.malformed("expected $bcrypt-sha256$v=2,t=2b,r=…$salt$hash")
