"""An issuer's public keys: from a JWK Set (RFC 7517), or from PEM."""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

Key: TypeAlias = RSAKey | ECKey | OKPKey

RSA_MINIMUM = 2048  # bits; RFC 7518 §3.3
TRIES = 10  # keys that are tried where the token names none, each of which takes up to 0.1 ms

# Symmetric keys ("oct") have no business in a set that anybody may read.
_KINDS: dict[object, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_PEM = re.compile(rb"-----BEGIN ([A-Z ]*PUBLIC KEY)-----.*?-----END \1-----", re.DOTALL)


class Keys:
    """Public keys, found by the name that a token gives its own."""

    def __init__(self, keys: Iterable[tuple[str | None, Key]] = ()) -> None:
        self._all: list[Key] = []
        self._by_name: dict[str | None, list[Key]] = {}
        for name, key in keys:
            self._all.append(key)
            self._by_name.setdefault(name, []).append(key)

    def __len__(self) -> int:
        return len(self._all)

    def find(self, kid: str | None) -> Sequence[Key]:
        """The keys that may have signed a token which calls its own *kid*; None if it does not say."""
        found = self._all if kid is None else self._by_name.get(kid) or self._by_name.get(None, [])
        return found[:TRIES]


def read_jwks(text: bytes) -> Keys:
    """Read a JWK Set; raise ``ValueError`` if there is no usable key in it."""
    try:
        document = json.loads(text)
    except RecursionError:
        document = None
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError('expected a JWK Set, {"keys": […]}')  # noqa: TRY004 - a document, not an argument
    # RFC 7517 §5: what cannot be used is ignored.
    keys = Keys((entry.get("kid"), key) for entry in entries if (key := _key_of(entry)))
    if not keys:
        raise ValueError(f"expected a usable public key, found none among {len(entries)}")
    return keys


def _key_of(entry: Any) -> Key | None:  # noqa: ANN401 - from somebody else's document
    try:
        kind = _KINDS[entry["kty"]]
        if entry.get("use", "sig") != "sig" or "verify" not in entry.get("key_ops", ["verify"]):
            return None
        return _strong(kind(kind.binding.import_public_key(entry), entry))
    except (JoseError, AttributeError, KeyError, TypeError, ValueError, UnsupportedAlgorithm):
        return None


def read_pem(text: bytes) -> Keys:
    """Read public keys in PEM; raise ``ValueError`` if there is none, or one that cannot be used."""
    if b"PRIVATE KEY" in text:
        raise ValueError("expected public keys in PEM, got a private one")
    keys = [(None, _key_in(block[0])) for block in _PEM.finditer(text)]
    if not keys:
        raise ValueError("expected public keys in PEM, found none")
    return Keys(keys)


def _key_in(block: bytes) -> Key:
    try:
        native = load_pem_public_key(block)
    except UnsupportedAlgorithm:
        native = None
    for kind in _KINDS.values():
        if kind.binding.check_cryptography_key(native) and (key := _strong(kind(native, native))):
            return key
    raise ValueError(f"expected a key for RSA ({RSA_MINIMUM} bits at least), ECDSA or EdDSA")


def _strong(key: Key) -> Key | None:
    return None if isinstance(key, RSAKey) and key.public_key.key_size < RSA_MINIMUM else key
