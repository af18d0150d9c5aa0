"""Access tokens that are fetched again when they end: RFC 6749 by refresh token, or as the program itself."""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final
from urllib.error import URLError
from urllib.parse import urlsplit

from ninsho.client.posting import LOOPBACK, posted
from ninsho.client.secret_sources import revealed
from ninsho.client.settings import Endpoint, Secret, TLSMode
from ninsho.client.tls import explain
from ninsho.errors import ClientError, ConfigurationError

GOOGLE: Final = "https://oauth2.googleapis.com/token"
MICROSOFT: Final = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token"
MICROSOFT_SCOPE: Final = "https://outlook.office.com/SMTP.Send offline_access"
MICROSOFT_OWN_SCOPE: Final = "https://outlook.office365.com/.default"
# Fetched again so long before the end that it lasts for a login.
MARGIN: Final = 60.0  # seconds
# RFC 6749 §5.1 recommends servers to say it; where one does not, it is asked again after so long.
UNTOLD: Final = 300.0  # seconds
LIFETIME: Final = re.compile("[0-9]{1,9}")  # seconds, in ASCII
TOKEN: Final = re.compile("[ -~]+")  # RFC 6749 §A.12, §A.17


class TokenUnavailable(ClientError):
    """No token could be had; ``error`` is the authorization server's word for it (RFC 6749 §5.2), if it said one."""

    def __init__(self, message: str, *, error: str = "", temporary: bool) -> None:
        self.error = error
        self.temporary = temporary
        super().__init__(message)


@dataclass(kw_only=True)
class TokenSource:
    """Gets access tokens from *url*, and remembers one until shortly before its end; give it to a client as ``token``.

    With a *refresh_token* it is the user's (RFC 6749 §6), without one the program's own (§4.4). Some servers replace
    the refresh token now and then: *keep* is called with the new one, to be stored where the old one was. ``google``
    and ``microsoft`` know these two's addresses. It may be used by several threads. Raises ``ConfigurationError`` for
    an address that is neither https nor on this machine, or holds a password; a call raises ``TokenUnavailable``.
    ``timeout`` is for each step: to connect, to begin TLS, to send, and to get all of the answer.
    """

    url: str
    client_id: str
    client_secret: Secret | None = field(default=None, repr=False)
    refresh_token: Secret | None = field(default=None, repr=False)
    scope: str = ""
    keep: Callable[[str], None] | None = None
    timeout: float = 30
    clock: Callable[[], float] = field(default=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        if fault := _fault(self.url):
            raise ConfigurationError([f"url: {fault}"])
        self._lock = threading.Lock()
        self._token, self._end = "", 0.0

    @classmethod
    def google(cls, client_id: str, *, client_secret: Secret, refresh_token: Secret) -> "TokenSource":
        """For Gmail and Google Workspace."""
        return cls(url=GOOGLE, client_id=client_id, client_secret=client_secret, refresh_token=refresh_token)

    @classmethod
    def microsoft(
        cls,
        client_id: str,
        *,
        tenant: str = "common",
        client_secret: Secret | None = None,
        refresh_token: Secret | None = None,
        keep: Callable[[str], None] | None = None,
    ) -> "TokenSource":
        """For Microsoft 365; without a refresh token as the program itself, which then needs its tenant and secret."""
        return cls(
            url=MICROSOFT.format(tenant=tenant),
            client_id=client_id,
            client_secret=client_secret,
            refresh_token=refresh_token,
            scope=MICROSOFT_OWN_SCOPE if refresh_token is None else MICROSOFT_SCOPE,
            keep=keep,
        )

    def __call__(self, *, refresh: bool = False) -> str:
        """Return a token; told to *refresh*, a new one, as the last was refused."""
        with self._lock:
            if refresh or self.clock() >= self._end:
                self._fetch()
            return self._token

    def _fetch(self) -> None:
        answer = self._asked()
        token, lifetime = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token:
            raise TokenUnavailable(f"{self.url}: expected an access token, got none", temporary=False)
        if not TOKEN.fullmatch(token):
            expected = "expected an access token in ASCII (RFC 6749 §A.12), got another"
            raise TokenUnavailable(f"{self.url}: {expected}", temporary=False)
        told = LIFETIME.fullmatch(str(lifetime))
        seconds = float(told[0]) if told else UNTOLD
        self._token, self._end = token, self.clock() + max(0.0, seconds - MARGIN)
        renewed = answer.get("refresh_token")
        if isinstance(renewed, str) and TOKEN.fullmatch(renewed) and self.refresh_token is not None:
            self.refresh_token = renewed
            if self.keep is not None:
                self.keep(renewed)

    def _asked(self) -> Mapping[str, object]:
        form = self._form()
        try:
            status, text = posted(self.url, form, self.timeout)
        except (OSError, HTTPException) as error:
            reason = f"cannot be asked for a token: {_reason(error, self.url)}"
            raise TokenUnavailable(f"{self.url}: {reason}", temporary=True) from None
        if not 200 <= status < 300:
            raise self._refusal(status, _members(text))
        return _members(text)

    def _form(self) -> dict[str, str]:
        form = {"client_id": self.client_id, "grant_type": "client_credentials"}
        if self.refresh_token is not None:
            form |= {"grant_type": "refresh_token", "refresh_token": revealed(self.refresh_token, "refresh_token")}
        if self.client_secret is not None:
            form["client_secret"] = revealed(self.client_secret, "client_secret")
        return form | ({"scope": self.scope} if self.scope else {})

    def _refusal(self, status: int, answer: Mapping[str, object]) -> TokenUnavailable:
        error = str(answer.get("error", ""))[:80]
        # What follows is for people; it names the account at times, and no secret (RFC 6749 §5.2).
        description = " ".join(str(answer.get("error_description", "")).split())[:300]
        words = ", ".join(ascii(word)[1:-1] for word in (error, description) if word) or "no reason given"
        temporary = status >= 500 or status == 429 or error == "temporarily_unavailable"
        return TokenUnavailable(f"{self.url}: no token ({status}): {words}", error=error, temporary=temporary)


def _fault(url: str) -> str | None:
    """What is wrong with the *url*; it is not quoted."""
    try:
        address = urlsplit(url)
        host, scheme, _ = address.hostname, address.scheme, address.port
    except ValueError:
        host = scheme = ""
    if "@" in url:
        return "expected no user name and password in it: these are client_id and client_secret"
    if not host or not url.isascii() or " " in url or not url.isprintable():
        return "expected one that begins with https:// and then a host"
    if scheme != "https" and not (scheme == "http" and host in LOOPBACK):
        return f"expected one that begins with https://, got {scheme}://"
    return None


def _reason(error: OSError | HTTPException, url: str) -> str:
    """Why nobody answered, in plain words."""
    cause = error.reason if isinstance(error, URLError) else error
    match cause:
        # What explain says of TLS is for who sends mail.
        case ssl.SSLError() | str():
            return str(cause)
        case HTTPException() if not isinstance(cause, OSError):
            return f"expected an HTTP answer, got {type(cause).__name__}"
    address = urlsplit(url)
    return explain(cause, Endpoint(address.hostname or "?", address.port or 443), TLSMode.NONE)


def _members(text: bytes) -> Mapping[str, object]:
    try:
        members = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}
