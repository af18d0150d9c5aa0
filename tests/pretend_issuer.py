"""An issuer of the tests' own: it signs tokens, and publishes keys and answers questions on loopback."""

import asyncio
import json
from base64 import b64encode
from contextlib import asynccontextmanager
from urllib.parse import quote_plus

from aiohttp import web
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

NOW = 1_700_000_000.0
ISSUER = "https://id.example.org/realms/mail"
CLIENT = ("ninsho", "s+cret: %")

# Made once: an RSA key takes a while.
KEYS = {
    "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
    "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "okp"}),
}
KEYS |= {"PS256": KEYS["RS256"], "RS512": KEYS["RS256"], "Ed25519": KEYS["EdDSA"]}


class Clock:
    """Time that goes by only when told."""

    def __init__(self, now=NOW):
        self.now = now

    def __call__(self):
        return self.now


def claims(**changes):
    """The claims of a good token, with *changes*; None takes one out."""
    good = {
        "iss": ISSUER,
        "aud": "smtp",
        "sub": "42",
        "email": "alice@example.org",
        "scope": "openid mail",
        "iat": NOW - 10,
        "exp": NOW + 300,
    }
    return {name: value for name, value in (good | changes).items() if value is not None}


def token(algorithm="ES256", *, key=None, header=None, **changes):
    """A signed token."""
    key = key or KEYS[algorithm]
    header = {"alg": algorithm, "kid": key.kid, **(header or {})}
    header = {name: value for name, value in header.items() if value is not None}
    return sign(header, claims(**changes), key)


def sign(header, payload, key):
    """Sign anything, as the library would not."""
    algorithm = jwt.JWSRegistry.algorithms[header["alg"]]
    parts = [json.dumps(part).encode() if isinstance(part, dict) else part for part in (header, payload)]
    signed = b".".join(base64url(part) for part in parts)
    return b".".join((signed, base64url(algorithm.sign(signed, key)))).decode()


def base64url(octets):
    return b64encode(octets, b"-_").rstrip(b"=")


def jwks(*keys):
    return {"keys": [key.as_dict(private=False) for key in keys]}


class PretendIssuer:
    """What an issuer's server does; ``asked`` are the paths in the order in which they were asked for."""

    def __init__(self):
        self.keys = [KEYS["ES256"], KEYS["RS256"]]
        self.headers = {}
        self.issuer = None
        self.jwks_uri = None
        self.body = None
        self.status = 200
        self.known = {}
        self.asked = []
        self.forms = []
        self.gate = None
        self.came = asyncio.Event()
        self.url = ""

    @property
    def fetches(self):
        return self.asked.count("/jwks")

    async def answer(self, request):
        self.asked.append(request.path)
        self.came.set()
        if self.gate is not None:
            await self.gate.wait()
        if self.status != 200 or self.body is not None:
            return web.Response(status=self.status, body=self.body, headers=self.headers)
        match request.path:
            case "/jwks":
                return web.json_response(jwks(*self.keys), headers=self.headers)
            case "/.well-known/openid-configuration":
                issuer, jwks_uri = self.issuer or self.url, self.jwks_uri or f"{self.url}/jwks"
                return web.json_response({"issuer": issuer, "jwks_uri": jwks_uri})
            case "/introspect":
                return await self.introspect(request)
        return web.Response(status=404)

    async def introspect(self, request):
        form = dict(await request.post())
        self.forms.append(form)
        basic = ":".join(quote_plus(part) for part in CLIENT)
        by_header = request.headers.get("Authorization") == f"Basic {b64encode(basic.encode()).decode()}"
        if not (by_header or (form.get("client_id"), form.get("client_secret")) == CLIENT):
            return web.Response(status=401)
        return web.json_response(self.known.get(form["token"], {"active": False}))

    @asynccontextmanager
    async def serving(self, tls=None, port=0):
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self.answer)
        runner = web.AppRunner(application, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls)
        await site.start()
        port = site._server.sockets[0].getsockname()[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            await runner.cleanup()


async def settled(answer):
    """What an inspector or a source of keys answers, at once or later."""
    return await answer if asyncio.iscoroutine(answer) else answer
