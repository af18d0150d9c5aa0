"""HTTP with short patience, for asking issuers: only their own addresses, small answers, no detours."""

import asyncio
import re
import ssl
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import aiohttp

from ninsho.errors import StoreUnavailable

PATIENCE = 4.0  # seconds; the mail server has an answer within 8
SIZE = 1 << 20  # octets
CONNECTIONS = 20

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age=\"?(\d{1,9})", re.IGNORECASE)


class Page(NamedTuple):
    """An answer of status 200, and for how many seconds it holds (RFC 9111 §5.2), None if it does not say."""

    body: bytes
    max_age: float | None


class Web:
    """A client for the issuers' servers, whose certificates are checked, with those of *ca_file* if it is given.

    Use it as an async context manager. Both requests raise ``StoreUnavailable`` for whatever is not status 200.
    """

    def __init__(self, ca_file: Path | None = None) -> None:
        # Its certificates are read now, so that a wrong path shows at the start.
        self._tls = ssl.create_default_context(cafile=ca_file)
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str) -> Page:
        """Fetch *url*."""
        return await self._ask("GET", url)

    async def post(self, url: str, form: Mapping[str, str], authorization: str | None = None) -> Page:
        """Send *form* to *url*, with the ``Authorization`` header given; asking twice must do no harm."""
        return await self._ask(
            "POST", url, data=form, headers={"Authorization": authorization} if authorization else {}
        )

    async def _ask(self, method: str, url: str, **request: Any) -> Page:  # noqa: ANN401 - the library's options
        try:
            async with asyncio.timeout(PATIENCE):
                with suppress(aiohttp.ServerDisconnectedError, aiohttp.ClientOSError):
                    return await self._page(method, url, **request)
                # The server had closed a connection that was kept from last time.
                return await self._page(method, url, **request)
        except TimeoutError:
            reason = f"expected an answer within {PATIENCE:g} s, got none"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
        # Raised out here: a context would carry the request, and its token, into a traceback.
        raise StoreUnavailable(f"{url}: {reason}")

    async def _page(self, method: str, url: str, **request: Any) -> Page:  # noqa: ANN401 - the library's options
        self._session = self._session or self._new_session()
        # A redirect could lead to where nothing is encrypted, or to somebody else.
        async with self._session.request(method, url, allow_redirects=False, **request) as answer:
            if answer.status != 200:
                raise ValueError(f"expected status 200, got {answer.status}")
            body = bytearray()
            async for piece in answer.content.iter_any():
                body += piece
                if len(body) > SIZE:
                    raise ValueError(f"expected {SIZE} octets at most, got more")
            return Page(bytes(body), _max_age(answer.headers.get("Cache-Control", "")))

    def _new_session(self) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=self._tls, limit=CONNECTIONS),
            cookie_jar=aiohttp.DummyCookieJar(),
            # What is not packed cannot become larger than it came.
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "ninsho"},
            auto_decompress=False,
            raise_for_status=False,
        )


def _max_age(header: str) -> float | None:
    found = _MAX_AGE.search(header)
    return float(found[1]) if found else None
