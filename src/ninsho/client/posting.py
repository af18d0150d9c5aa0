"""A form posted over HTTP: no redirects, no proxy to this machine, and an answer that comes whole in its time."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from io import BufferedReader, RawIOBase
from socket import socket
from time import monotonic
from typing import TYPE_CHECKING, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, ProxyHandler, Request, build_opener

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

ANSWER_LIMIT: Final = 1_048_576  # octets
LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))


def posted(url: str, form: Mapping[str, str], timeout: float) -> tuple[int, bytes]:
    """Return the status and the answer; raise ``OSError`` or ``HTTPException``.

    *timeout* is for each step: to connect, to begin TLS, to send, and to get all of the answer.
    """
    request = Request(  # noqa: S310 - the scheme is the caller's to check
        url, data=urlencode(form).encode(), headers={"Accept": "application/json"}
    )
    # What goes to this machine goes in clear: no http_proxy may read it.
    proxies = [ProxyHandler({})] if urlsplit(url).hostname in LOOPBACK else []
    try:
        with build_opener(_NoRedirect, _Handler, _SecuredHandler, *proxies).open(request, timeout=timeout) as answer:
            return answer.status, answer.read(ANSWER_LIMIT)
    except HTTPError as error:
        with error:
            return error.code, error.read(ANSWER_LIMIT)


class _NoRedirect(HTTPRedirectHandler):
    """Lets the redirection stand as the answer: the form holds secrets."""

    def redirect_request(self, *_: Any) -> None:  # noqa: ANN401 - urllib's own
        """Go nowhere."""


class _InTime(RawIOBase):
    """Reads from a connection until its timeout has passed since now: each octet may come in time, and all never."""

    def __init__(self, raw: RawIOBase, connection: socket) -> None:
        self._raw, self._connection = raw, connection
        self._end = monotonic() + (connection.gettimeout() or 0)

    def readable(self) -> bool:
        """As it is."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        """Read what is there; raise ``TimeoutError`` when the time is over."""
        left = self._end - monotonic()
        if left <= 0:
            raise TimeoutError
        self._connection.settimeout(left)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        """Close the connection's side of it as well."""
        self._raw.close()
        super().close()


class _Answer(HTTPResponse):
    def __init__(self, sock: socket, *arguments: Any, **more: Any) -> None:  # noqa: ANN401 - http.client's own
        super().__init__(sock, *arguments, **more)
        self.fp = BufferedReader(_InTime(self.fp.detach(), sock))


class _Connection(HTTPConnection):
    response_class = _Answer


class _SecuredConnection(HTTPSConnection):
    response_class = _Answer


class _Handler(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        """Open it with our own connection."""
        return self.do_open(_Connection, req)


class _SecuredHandler(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        """Open it with our own connection, which verifies the server."""
        return self.do_open(_SecuredConnection, req)
