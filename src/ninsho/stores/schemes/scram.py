"""The keys of SCRAM (RFC 5802 §3), written as Dovecot does: ``iterations,salt,StoredKey,ServerKey``."""

from dataclasses import dataclass
from hmac import compare_digest
from typing import ClassVar

from ninsho.sasl.secrets import SCRAM_ITERATIONS, ScramKeys
from ninsho.stores.schemes.scheme import Scheme, Secret

_ITERATIONS_MINIMUM = 4096  # RFC 7677 §4; clients refuse fewer
_ITERATIONS_LIMIT = 2_000_000  # of SHA3-512, the slowest: 2 s


@dataclass(frozen=True, slots=True)
class Scram(Scheme):
    """The keys of one hash function; *kind* reads and makes them."""

    kind: type[ScramKeys]
    iterations: int = SCRAM_ITERATIONS

    description: ClassVar[str] = "the keys of {name}, {iterations} iterations: good there, and for PLAIN and LOGIN"

    @property
    def secrets(self) -> tuple[type[Secret], ...]:
        """The keys of that hash function."""
        return (self.kind,)

    def verify(self, form: bytes, password: bytes) -> bool:
        """Make the keys again."""
        kept = self._affordable(form)
        keys = self.kind.of(password, salt=kept.salt, iterations=kept.iterations)
        return compare_digest(kept.stored_key + kept.server_key, keys.stored_key + keys.server_key)

    def make(self, password: bytes) -> bytes:
        """Return keys with a new salt."""
        return self.made_with(None, password)

    def made_with(self, salt: bytes | None, password: bytes) -> bytes:
        """Return keys with this *salt*."""
        return self.kind.of(password, salt=salt, iterations=self.iterations).encode().encode()

    def outdated(self, form: bytes) -> bool:
        """Tell whether it had fewer iterations."""
        return self._affordable(form).iterations < self.iterations

    def admit(self, form: bytes) -> None:
        """Count the iterations: a client that finds too few ends the login; PLAIN does not mind."""
        if (found := self._affordable(form).iterations) < _ITERATIONS_MINIMUM:
            raise self.malformed(f"expected {_ITERATIONS_MINIMUM} iterations at least, got {found}")

    def secret(self, form: bytes) -> ScramKeys:
        """Return the keys."""
        return self.kind.parse(form.decode(errors="replace"))

    def _affordable(self, form: bytes) -> ScramKeys:
        keys = self.secret(form)
        if keys.iterations > _ITERATIONS_LIMIT:
            raise self.malformed(f"expected at most {_ITERATIONS_LIMIT} iterations, got {keys.iterations}")
        return keys
