"""A token that its issuer has signed (JWT, RFC 7519): read without trust, and proved by a key."""

import json
from typing import Any

from joserfc.errors import JoseError, UnsupportedAlgorithmError
from joserfc.jws import CompactSignature, JWSRegistry, extract_compact, validate_compact

from ninsho.stores.tokens.algorithms import ALGORITHMS
from ninsho.stores.tokens.expectations import shown
from ninsho.stores.tokens.keys import Key

# RFC 9068 §2.1 has at+jwt, most issuers JWT. What is made for another use says so (RFC 8725 §3.11).
TYPES = frozenset(("jwt", "at+jwt", "application/at+jwt"))


class _Registry(JWSRegistry):
    """The library's algorithms: those with which the holder of a public key cannot sign, and no others."""

    max_header_length = 8192  # some issuers send a chain of certificates

    def get_alg(self, name: str) -> Any:  # noqa: ANN401 - the library does not name its type
        # The library's own would warn at each token of EdDSA, which has got a second name (RFC 9864).
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(name)
        return self.algorithms[name]


# RFC 7515 §4: header parameters that nobody here knows are ignored.
_REGISTRY = _Registry(strict_check_header=False)


class SignedToken:
    """A token taken apart; whoever has not had it proved may believe nothing in it."""

    __slots__ = ("_signature", "claims", "header")

    def __init__(self, signature: CompactSignature, claims: dict[str, Any]) -> None:
        self._signature = signature
        self.header = signature.protected
        self.claims = claims

    @classmethod
    def read(cls, token: str) -> "SignedToken | None":
        """Read *token*; None if it is not a signed one."""
        try:
            signature = extract_compact(token.encode(), registry=_REGISTRY)
            claims = json.loads(signature.payload)
        except (JoseError, ValueError, TypeError, RecursionError):
            return None
        if not (isinstance(signature.protected, dict) and isinstance(claims, dict)):
            return None
        return cls(signature, claims)

    @property
    def issuer(self) -> str:
        """Who it says has made it."""
        issuer = self.claims.get("iss")
        return issuer if isinstance(issuer, str) else ""

    @property
    def kid(self) -> str | None:
        """The name of its key: a word to be compared with others, and nothing else (CVE-2021-29157)."""
        kid = self.header.get("kid")
        return kid if isinstance(kid, str) else None

    def objection(self, algorithms: frozenset[str]) -> str | None:
        """What its header says that it must not, for the log."""
        algorithm = self.header.get("alg")
        if not (isinstance(algorithm, str) and algorithm in algorithms):
            return f"alg: expected one of {' '.join(sorted(algorithms))}, got {shown(algorithm)}"
        kind = self.header.get("typ", "JWT")
        if not (isinstance(kind, str) and kind.lower() in TYPES):
            return f"typ: expected JWT or at+jwt, got {shown(kind)}"
        if not isinstance(self.header.get("kid", ""), str):
            return "kid: expected a string"
        if "crit" in self.header or "b64" in self.header:
            # RFC 7515 §4.1.11: who does not understand an extension refuses it.
            return "crit: expected no extensions"
        return None

    def is_signed_by(self, key: Key) -> bool:
        """Whether *key* proves it."""
        try:
            return validate_compact(self._signature, key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            # A key of another kind, or made for another algorithm.
            return False
