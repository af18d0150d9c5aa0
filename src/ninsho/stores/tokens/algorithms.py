"""The signatures that a token may have: those of public keys (RFC 7518 §3.1, RFC 8037, RFC 9864)."""

from typing import Literal, TypeAlias, get_args

# With "none" nobody signs; with HS256 and its like whoever knows the public key could.
Algorithm: TypeAlias = Literal[
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "EdDSA",
    "Ed25519",
    "Ed448",
]

ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
