"""Stored secrets for users who have none: made from a key of the site's, so that a name gets the same each time."""

import hmac
from collections.abc import Mapping, Sequence
from hashlib import shake_256
from typing import NamedTuple

from ninsho.sasl.secrets import SCRAM_ITERATIONS, SCRAM_SALT_SIZE, ScramKeys
from ninsho.stores.names import key_of


class Model(NamedTuple):
    """What real keys look like; ``derived``: they are made of a stored password when they are first asked for."""

    iterations: int = SCRAM_ITERATIONS
    salt_size: int = SCRAM_SALT_SIZE
    derived: bool = False


class Decoys:
    """Makes what an attacker cannot tell from the real thing, as long as the *key* stays secret.

    *models* are real keys of the site; each name takes after one of them, so that in a site with several iteration
    counts strangers have all of them (RFC 5802 says nothing of this; PostgreSQL's mock authentication is the idea).
    """

    def __init__(self, key: bytes, models: Mapping[type[ScramKeys], Sequence[Model]] | None = None) -> None:
        self._key = key
        self._models = models or {}

    def model(self, username: str, kind: type[ScramKeys]) -> Model:
        """What the keys of *username* look like."""
        models = self._models.get(kind) or (Model(),)
        return models[int.from_bytes(self._chance(username, kind, "model")[:8], "big") % len(models)]

    def salt(self, username: str, kind: type[ScramKeys], size: int = SCRAM_SALT_SIZE) -> bytes:
        """The salt of *username*, also of one whose keys are derived: clients remember what they computed with it."""
        return shake_256(self._chance(username, kind, "salt")).digest(size)

    def keys(self, username: str, kind: type[ScramKeys]) -> ScramKeys:
        """Keys that no password has."""
        model = self.model(username, kind)
        stored_key = hmac.digest(self._key, b"stored key\0" + key_of(username).encode(), kind.algorithm)
        return kind(model.iterations, self.salt(username, kind, model.salt_size), stored_key, stored_key)

    def _chance(self, username: str, kind: type[ScramKeys], purpose: str) -> bytes:
        # Names are found whatever their case, so their salts are the same as well.
        return hmac.digest(self._key, f"{purpose}\0{kind.name}\0{key_of(username)}".encode(), "sha256")
