"""What an issuer publishes: its keys (RFC 7517), and where they are (OpenID Connect Discovery, RFC 8414)."""

import asyncio
import json
from typing import Any, NamedTuple

from ninsho.errors import StoreUnavailable
from ninsho.stores.tokens.addresses import configuration_of, onward_fault
from ninsho.stores.tokens.keys import Keys, read_jwks
from ninsho.stores.tokens.web import PATIENCE, Web

MAX_AGE = 3600.0  # seconds, where the issuer does not say


class Fetched(NamedTuple):
    """Keys, and for how many seconds they hold."""

    keys: Keys
    max_age: float


async def fetch_jwks(web: Web, url: str) -> Fetched:
    """Fetch a JWK Set; raise ``StoreUnavailable``."""
    page = await web.get(url)
    try:
        keys = read_jwks(page.body)
    except ValueError as error:
        raise StoreUnavailable(f"{url}: {error}") from None
    return Fetched(keys, MAX_AGE if page.max_age is None else page.max_age)


async def discover(web: Web, issuer: str) -> Fetched:
    """Fetch the JWK Set that the metadata of *issuer* names; raise ``StoreUnavailable``."""
    url = configuration_of(issuer)
    try:
        # Both requests together, as somebody waits.
        async with asyncio.timeout(PATIENCE):
            metadata = object_in((await web.get(url)).body, url)
            if metadata.get("issuer") != issuer:
                # Discovery §4.3: else one issuer could hand out keys in another's name.
                raise StoreUnavailable(f"{url}: issuer: expected {issuer}, got another")
            jwks_url = metadata.get("jwks_uri")
            if not isinstance(jwks_url, str) or (fault := onward_fault(jwks_url, issuer)):
                raise StoreUnavailable(f"{url}: jwks_uri: {fault if isinstance(jwks_url, str) else 'expected a URL'}")
            return await fetch_jwks(web, jwks_url)
    except TimeoutError:
        raise StoreUnavailable(f"{url}: expected an answer within {PATIENCE:g} s, got none") from None


def object_in(body: bytes, url: str) -> dict[str, Any]:
    """Read a JSON object; raise ``StoreUnavailable``."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise StoreUnavailable(f"{url}: expected a JSON object")
    return document
