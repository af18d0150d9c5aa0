"""One issuer whose keys are known, and a clock."""

import json

from ninsho.sasl.dialogue import Inspection
from ninsho.stores.tokens.algorithms import ALGORITHMS
from ninsho.stores.tokens.expectations import Expectations
from ninsho.stores.tokens.issuers import Issuers, Signer
from ninsho.stores.tokens.keys import read_jwks
from ninsho.stores.tokens.remembered import Remembered
from ninsho.stores.tokens.sources import FixedKeys
from pretend_issuer import ISSUER, KEYS, Clock, jwks

CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
ALICE = "alice@example.org"


class Site:
    """One issuer whose keys are known, and a clock."""

    def __init__(self, *keys, remember=300.0, algorithms=ALGORITHMS, **expectations):
        self.clock = Clock()
        published = read_jwks(json.dumps(jwks(*(keys or (KEYS["RS256"], KEYS["ES256"], KEYS["EdDSA"])))).encode())
        expected = {"audience": ("smtp",), "scopes": ("mail",), "configuration": CONFIGURATION} | expectations
        self.expectations = Expectations(ISSUER, remember=remember, **expected)
        signer = Signer(self.expectations, algorithms, FixedKeys(published), clock=self.clock)
        self.remembered = Remembered(self.clock)
        self.issuers = Issuers([signer], self.remembered)

    def inspect(self, shown):
        inspection = self.issuers.inspect(shown)
        assert isinstance(inspection, Inspection)
        return inspection

    def refusal(self, shown):
        """Why it is refused, for the log."""
        inspection = self.inspect(shown)
        assert inspection.username is None
        assert inspection.configuration == CONFIGURATION
        assert not any(len(part) > 20 and part in inspection.detail for part in shown.split("."))
        return inspection.detail
