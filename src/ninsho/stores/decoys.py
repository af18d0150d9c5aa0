"""What strangers are asked by: made from a key of the site's, so that a name gets the same each time."""

from collections.abc import Mapping, Sequence
from hashlib import blake2b, shake_256
from typing import NamedTuple

from ninsho.sasl.secrets import (
    SCRAM_ITERATIONS,
    SCRAM_SALT_SIZE,
    ScramKeys,
    ScramSha1Keys,
    ScramSha256Keys,
    ScramSha512Keys,
    ScramSha3512Keys,
)
from ninsho.stores.names import key_of


class Model(NamedTuple):
    """What real keys look like."""

    iterations: int = SCRAM_ITERATIONS
    salt_size: int = SCRAM_SALT_SIZE


_MADE_HERE = (Model(),)
_NO_KEY = bytes(64)
_KINDS: Mapping[str, type[ScramKeys]] = {
    kind.name: kind for kind in (ScramSha1Keys, ScramSha256Keys, ScramSha512Keys, ScramSha3512Keys)
}


class Decoys:
    """Makes what an attacker cannot tell from the real thing, as long as the *key*, of 64 octets at most, stays secret.

    *models* are real keys of the site; each name takes after one of them, so that in a site with several iteration
    counts strangers have all of them (RFC 5802 says nothing of this; PostgreSQL's mock authentication is the idea).
    """

    def __init__(self, key: bytes, models: Mapping[type[ScramKeys], Sequence[Model]] | None = None) -> None:
        # The hash of the key is computed once.
        self._begun = {kind: blake2b(f"{kind.name}\0".encode(), key=key) for kind in _KINDS.values()}
        # In an order: one model more or less then changes few names' choice.
        self._models = {kind: tuple(sorted(found)) for kind, found in (models or {}).items() if found}

    def salt(self, username: str, scheme: str) -> bytes | None:
        """The salt of *username* in the *scheme*, so that it stays when the user becomes known; None: any will do."""
        kind = _KINDS.get(scheme.upper())
        return None if kind is None else self.keys(username, kind).salt

    def keys(self, username: str, kind: type[ScramKeys]) -> ScramKeys:
        """Keys that no password has, with the salt and the iteration count of *username*."""
        # Each login by SCRAM comes here, that of a known user as well.
        hashed = self._begun[kind].copy()
        # Names are found whatever their case, so they have one salt.
        hashed.update(key_of(username).encode())
        chance = hashed.digest()
        models = self._models.get(kind, _MADE_HERE)
        model = models[int.from_bytes(chance[:8], "big") * len(models) >> 64]
        salt = chance[8 : 8 + model.salt_size]
        if len(salt) < model.salt_size:
            salt = shake_256(chance).digest(model.salt_size)
        return kind(model.iterations, salt, _NO_KEY[: kind.size], _NO_KEY[: kind.size])
