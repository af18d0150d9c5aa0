"""All issuers of a site as one: who has made a token, what it says, and what is remembered of it."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

from ninsho.sasl.dialogue import Inspection
from ninsho.stores.accounts import Answer
from ninsho.stores.tokens.expectations import Expectations, Judgement
from ninsho.stores.tokens.introspection import Introspection
from ninsho.stores.tokens.keys import Key
from ninsho.stores.tokens.remembered import Remembered
from ninsho.stores.tokens.signed import SignedToken
from ninsho.stores.tokens.sources import KeySource
from ninsho.stores.tokens.turns import first_known


class Signer:
    """An issuer whose tokens are checked here, with its public keys."""

    def __init__(
        self,
        expectations: Expectations,
        algorithms: Iterable[str],
        keys: KeySource,
        *,
        clock: Callable[[], float],
    ) -> None:
        self.expectations = expectations
        self._algorithms = frozenset(algorithms)
        self._keys = keys
        self._clock = clock

    def inspect(self, token: SignedToken) -> Answer[Judgement]:
        """Judge *token*; raise ``StoreUnavailable`` where the keys cannot be had."""
        if objection := token.objection(self._algorithms):
            return self.expectations.refused(objection)
        found = self._keys.find(token.kid)
        return self._proved(token, found) if isinstance(found, Sequence) else self._later(token, found)

    async def _later(self, token: SignedToken, found: Awaitable[Sequence[Key]]) -> Judgement:
        return self._proved(token, await found)

    def _proved(self, token: SignedToken, keys: Sequence[Key]) -> Judgement:
        # In the event loop: it takes 50 µs (RS256) to 130 µs (EdDSA), 0.4 ms with ES384; the way to a thread and back
        # would add 20 to 35 µs.
        if not keys:
            return self.expectations.refused("kid: expected one of the issuer's keys, got another")
        if not any(token.is_signed_by(key) for key in keys):
            return self.expectations.refused("signature: expected one by the issuer's key")
        return self.expectations.judge(token.claims, self._clock(), signed=True)


Issuer: TypeAlias = Signer | Introspection


class Issuers:
    """Inspects tokens: at once where that takes no waiting. The first of *issuers* speaks for those nobody has made."""

    def __init__(self, issuers: Sequence[Issuer], remembered: Remembered) -> None:
        self._first = issuers[0].expectations
        self._by_name = {one.expectations.issuer: one for one in issuers if one.expectations.issuer}
        self._asked = [one for one in issuers if isinstance(one, Introspection)]
        self._remembered = remembered

    def inspect(self, token: str) -> Answer[Inspection]:
        """Tell what *token* says; an empty one is refused. Raises ``StoreUnavailable`` where that cannot be told."""
        digest = self._remembered.digest(token)
        known = self._remembered.find(digest)
        if known is not None:
            return known
        judged = self._judge(token)
        return self._keep(digest, judged) if isinstance(judged, Judgement) else self._later(digest, judged)

    async def _later(self, digest: bytes, judged: Awaitable[Judgement]) -> Inspection:
        return self._keep(digest, await judged)

    def _keep(self, digest: bytes, judged: Judgement) -> Inspection:
        # What is refused is not remembered: the issuer's mistake may be mended any time.
        if judged.inspection.username is not None:
            self._remembered.keep(digest, judged.inspection, judged.until)
        return judged.inspection

    def _judge(self, token: str) -> Answer[Judgement]:
        if not token:
            return self._first.refused("expected a token, got none")
        signed = SignedToken.read(token)
        name = signed.issuer if signed is not None else ""
        # Whom the token names is not proved yet: it only says whose keys to try.
        issuer = self._by_name.get(name)
        if isinstance(issuer, Signer) and signed is not None:
            return issuer.inspect(signed)
        if isinstance(issuer, Introspection):
            return issuer.inspect(token)
        # One issuer's token is not shown to another.
        asked = [one for one in self._asked if not (name and one.expectations.issuer)]
        if asked:
            return first_known(asked, token)
        return self._first.refused(
            "iss: expected an issuer of the configuration" if name else "expected a signed token"
        )
