"""The users of a test server: what mechanisms ask about them, answered from a dictionary."""

import asyncio
from collections.abc import Awaitable, Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256
from hmac import compare_digest
from typing import TypeAlias

from ninsho.errors import BrokenMechanism
from ninsho.sasl.dialogue import Await, Compute, Decoy, Derive, Inspect, Inspection, Lookup, Remark, Verify, Want
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys
from ninsho.text import password_candidates

Secret: TypeAlias = str | Password | CramKey | DigestKey | ScramKeys
ITERATIONS = 4096  # what RFC 7677 §4 asks for at least: 2 ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Who may log in.

    ``users`` have a password, or stored secrets of ``ninsho.sasl.secrets``, one or several. ``tokens`` say whose they
    are, or what is wrong with them (an ``Inspection``). ``masters`` may act as any other user.
    """

    users: Mapping[str, Secret | Collection[Secret]] = field(default_factory=dict, repr=False)
    tokens: Mapping[str, str | Inspection] = field(default_factory=dict, repr=False)
    masters: Collection[str] = ()
    iterations: int = ITERATIONS

    def admits(self, authcid: str, authzid: str) -> bool:
        """Whether *authcid*, who has proved it, may act as *authzid* (empty: as the same)."""
        return authzid in {"", authcid} or (authcid in self.masters and authzid in self.users)

    def answer(self, want: Want) -> object:  # noqa: PLR0911 - one want, one case
        """What *want* asks for; raises what a mechanism's own function raises."""
        match want:
            case Verify(username, password):
                return any(_is(secret, username, password) for secret in self._secrets(username))
            case Lookup(username, kinds):
                return next((one for one in self._secrets(username) if isinstance(one, kinds)), None)
            case Decoy(username, kind):
                return self._decoy(username, kind)
            case Derive(password, form):
                return _derived(password.text, type(form), form.salt, form.iterations)  # type: ignore[arg-type]
            case Inspect(token):
                return self._inspect(token)
            case Compute(function, arguments):
                return function(*arguments)
            case Remark():
                return None
            case Await(awaitable):
                return asyncio.run(_result(awaitable))
        raise BrokenMechanism(f"expected a want from the mechanism, got {type(want).__name__}")

    def _secrets(self, username: str) -> list[Password | CramKey | DigestKey | ScramKeys]:
        held = self.users.get(username, ())
        several = (held,) if isinstance(held, str | Password | CramKey | DigestKey | ScramKeys) else held
        return [Password(one.encode()) if isinstance(one, str) else one for one in several]

    def _decoy(self, username: str, kind: type[ScramKeys]) -> ScramKeys:
        salt = sha256(username.encode()).digest()[:16]
        return kind(self.iterations, salt, b"\0" * kind.size, b"\0" * kind.size)

    def _inspect(self, token: str) -> Inspection:
        found = self.tokens.get(token)
        return found if isinstance(found, Inspection) else Inspection(found)


def _is(secret: Password | CramKey | DigestKey | ScramKeys, username: str, password: str) -> bool:
    """Whether *secret* was made of *password*, in any of the spellings that it may have."""
    return any(_made_of(secret, username, candidate) for candidate in password_candidates(password))


def _made_of(secret: Password | CramKey | DigestKey | ScramKeys, username: str, password: str) -> bool:
    match secret:
        case Password(text):
            return any(compare_digest(one.encode(), password.encode()) for one in password_candidates(text.decode()))
        case CramKey():
            return compare_digest(bytes(secret), bytes(CramKey.of(password.encode())))
        case DigestKey(digest):
            return compare_digest(digest, DigestKey.of(username, "", password).hash)
        case ScramKeys():
            made = _derived(password.encode(), type(secret), secret.salt, secret.iterations)  # type: ignore[arg-type]
            return compare_digest(secret.stored_key, made.stored_key)


# Tests log in as the same user again and again. To mypy a class is no more hashable than its instances.
@lru_cache(maxsize=64)
def _derived(password: bytes, kind: type[ScramKeys], salt: bytes, iterations: int) -> ScramKeys:
    return kind.of(password_candidates(password.decode())[0].encode(), salt=salt, iterations=iterations)


async def _result(awaitable: Awaitable[object]) -> object:
    return await awaitable
