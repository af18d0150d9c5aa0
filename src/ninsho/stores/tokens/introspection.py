"""Asking an issuer what a token says (RFC 7662): for tokens that nobody else can read, or that may be taken back."""

from base64 import b64encode
from collections.abc import Callable
from urllib.parse import quote_plus

from ninsho.errors import StoreUnavailable
from ninsho.stores.tokens.documents import object_in
from ninsho.stores.tokens.expectations import Expectations, Judgement
from ninsho.stores.tokens.web import Web


class ClientSecret:
    """How we tell an issuer who asks (RFC 6749 §2.3.1): by a header, or where *post* is set in the form."""

    __slots__ = ("form", "header")

    def __init__(self, client_id: str, secret: str, *, post: bool = False) -> None:
        pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
        self.form = {"client_id": client_id, "client_secret": secret} if post else {}
        self.header = None if post else f"Basic {b64encode(pair).decode()}"


class Introspection:
    """An issuer that is asked about each token; *authorize* says who asks."""

    def __init__(
        self,
        expectations: Expectations,
        url: str,
        authorize: ClientSecret,
        *,
        web: Web,
        clock: Callable[[], float],
    ) -> None:
        self.expectations = expectations
        self.url = url
        self._authorize = authorize
        self._web = web
        self._clock = clock

    async def inspect(self, token: str) -> Judgement:
        """Ask; raise ``StoreUnavailable`` where the issuer does not answer, or does not know us."""
        try:
            return await self._judgement(token)
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, it is no refusal, and its text may hold the token
            reason = type(error).__name__
        # Raised out here: a context would carry the request, and its token, into a traceback.
        raise StoreUnavailable(f"{self.url}: unexpected {reason}")

    async def _judgement(self, token: str) -> Judgement:
        form = {"token": token, "token_type_hint": "access_token", **self._authorize.form}
        page = await self._web.post(self.url, form, self._authorize.header)
        claims = object_in(page.body, self.url)
        if claims.get("active") is not True:
            return self.expectations.refused("active: expected true, got another value")
        # Some servers write null for what they do not know.
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.expectations.judge(claims, self._clock(), signed=False)
