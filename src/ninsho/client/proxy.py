"""Connecting through a proxy: SOCKS by the package python-socks, HTTP CONNECT (RFC 9110 §9.3.6) by ourselves.

The package reads the answer to CONNECT with whatever comes behind it: the greeting of a quick SMTP server, who speaks
first, would be lost. We read it octet by octet.
"""

import re
import socket
from base64 import b64encode
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ninsho.client.names import a_labels
from ninsho.client.settings import Endpoint, TLSMode
from ninsho.client.url import Address, parse
from ninsho.errors import ConfigurationError

if TYPE_CHECKING:
    from types import ModuleType

SCHEMES: Final = ("socks5", "socks5h", "socks4", "socks4a", "http")
_PORTS: Final = {"socks5": 1080, "socks5h": 1080, "socks4": 1080, "socks4a": 1080, "http": 8080}
# The proxy looks the name up; socks5:// and socks4:// leave that to us, as curl(1) has it.
_ASK_THE_PROXY: Final = ("socks5h", "socks4a")
_SOCKS_LIMIT = 255  # octets of a user name, a password or a host (RFC 1929 §2, RFC 1928 §5)
_HEAD_LIMIT = 16_384  # octets
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: .*)?")
_REFUSALS: Final = {403: "it may not connect there", 407: "user name or password are wrong, or missing"}

Talk: TypeAlias = Generator[bytes | None, bytes, None]
"""Yields octets to send, or None to be sent the next octet; ends when the tunnel stands."""


def check(url: str) -> None:
    """Raise ``ValueError`` for what cannot be a proxy's URL; it is not quoted."""
    _parsed(url)


def connect(proxy_url: str, host: str, port: int, timeout: float | None = None) -> socket.socket:
    """Return a socket that is connected to *host* through the proxy; it keeps *timeout*, which is each step's.

    Raises ``OSError`` (``TimeoutError``, ``ConnectionError``) where that fails, ``ConfigurationError`` where the
    proxy's URL, or *host*, cannot be one, or the package is missing.
    """
    address, host = _checked(proxy_url, host)
    if address.scheme == "http":
        return _through_http(address, host, port, timeout)
    package = _package()
    from python_socks.sync import Proxy  # noqa: PLC0415 - not all have it

    try:
        return Proxy(*_arguments(package, address)).connect(host, port, timeout=timeout)
    except (package.ProxyError, package.ProxyTimeoutError, package.ProxyConnectionError) as error:
        raise _accident(address, error) from None


async def connect_async(
    proxy_url: str,
    host: str,
    port: int,
    timeout: float | None = None,  # noqa: ASYNC109 - as its twin has it
) -> socket.socket:
    """Return a non-blocking socket that is connected to *host* through the proxy; like ``connect``."""
    address, host = _checked(proxy_url, host)
    if address.scheme == "http":
        return await _through_http_async(address, host, port, timeout)
    package = _package()
    from python_socks.async_.asyncio import Proxy  # noqa: PLC0415 - not all have it

    try:
        return await Proxy(*_arguments(package, address)).connect(host, port, timeout=timeout)
    except (package.ProxyError, package.ProxyTimeoutError, package.ProxyConnectionError) as error:
        raise _accident(address, error) from None


def _checked(proxy_url: str, host: str) -> tuple[Address, str]:
    """The proxy, and *host* as it may stand in a request: a line feed in it would be a request of its own."""
    try:
        return _parsed(proxy_url), a_labels(host)
    except ValueError as error:
        raise ConfigurationError([f"proxy: {error}"]) from None


def _parsed(url: str) -> Address:
    address = parse(url, SCHEMES)
    if address.faults:
        raise ValueError("; ".join(address.faults))
    if len(address.hosts) != 1 or address.parameters:
        raise ValueError("expected one host, and no parameters")
    fault = _http_fault(address) if address.scheme == "http" else _socks_fault(address)
    if fault:
        raise ValueError(fault)
    return address


def _http_fault(address: Address) -> str | None:
    # RFC 7617 §2: the first colon ends the user name, and neither part has control characters.
    name, password = address.username, address.password or ""
    if ":" in name or not (name + password).isprintable():
        return "expected a user name without a colon, and no control characters"
    return None


def _socks_fault(address: Address) -> str | None:
    for what, part in (("user name", address.username), ("password", address.password or "")):
        if len(part) > _SOCKS_LIMIT or not part.isascii() or "\0" in part:
            return f"expected a {what} of {_SOCKS_LIMIT} ASCII characters at most"
    return None


def _package() -> "ModuleType":
    try:
        import python_socks  # noqa: PLC0415 - not all have it
    except ImportError:
        raise ConfigurationError(["proxy: expected the package python-socks: pip install ninsho[proxy]"]) from None
    return python_socks


def _arguments(package: Any, address: Address) -> tuple[Any, ...]:  # noqa: ANN401 - a module
    kind = package.ProxyType.SOCKS5 if address.scheme.startswith("socks5") else package.ProxyType.SOCKS4
    by_name = address.scheme in _ASK_THE_PROXY
    return (kind, *_place(address), address.username, address.password or "", by_name)


def _place(address: Address) -> tuple[str, int]:
    host, port = address.hosts[0]
    return host, port or _PORTS[address.scheme]


def _accident(address: Address, error: Exception) -> OSError:
    """What went wrong, as one of Python's own errors, with the proxy's name."""
    from ninsho.client.tls import explain  # noqa: PLC0415 - who has no proxy need not have ssl for it

    proxy = Endpoint(*_place(address))
    # The package puts the system's own error, which says more, behind its own.
    cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
    kind = TimeoutError if isinstance(error, TimeoutError) else ConnectionError
    return kind(f"proxy {proxy}: {explain(cause, proxy, TLSMode.NONE)}")


def _talk(address: Address, host: str, port: int) -> Talk:
    """Ask for a tunnel; raise ``ConnectionError`` unless it is granted."""
    target = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}"]
    if address.username:
        pair = b64encode(f"{address.username}:{address.password or ''}".encode()).decode()
        lines.append(f"Proxy-Authorization: Basic {pair}")
    yield "\r\n".join([*lines, "", ""]).encode()
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")):
        octet = yield None
        if not octet or len(head) == _HEAD_LIMIT:
            raise ConnectionError(f"expected an HTTP answer, got {'its end' if not octet else 'one without end'}")
        head += octet
    _check_answer(bytes(head).partition(b"\n")[0].rstrip(b"\r"))


def _check_answer(line: bytes) -> None:
    if not (match := _STATUS.fullmatch(line)):
        # Its words are not quoted, here and below: some repeat what they were asked, with the password in it.
        found = "a mail server's greeting" if line.startswith(b"220") else "something else"
        raise ConnectionError(f"expected an HTTP answer, got {found}")
    if not match[1].startswith(b"2"):
        reason = _REFUSALS.get(int(match[1]), "")
        raise ConnectionError(f"expected 200, got {match[1].decode()}{reason and f': {reason}'}")


def _through_http(address: Address, host: str, port: int, timeout: float | None) -> socket.socket:
    try:
        tunnel = socket.create_connection(_place(address), timeout)
        with _closed_by_accident(tunnel):
            _drive(_talk(address, host, port), tunnel, timeout)
    except OSError as error:
        raise _accident(address, error) from error
    return tunnel


async def _through_http_async(address: Address, host: str, port: int, seconds: float | None) -> socket.socket:
    # Who does not use an event loop should not wait for the package.
    import asyncio  # noqa: PLC0415

    try:
        async with asyncio.timeout(seconds):
            tunnel = await _connected(*_place(address))
            with _closed_by_accident(tunnel):
                await _drive_async(_talk(address, host, port), tunnel)
    except OSError as error:
        raise _accident(address, error) from error
    return tunnel


def _drive(talk: Talk, tunnel: socket.socket, timeout: float | None) -> None:
    end, wanted = monotonic() + (timeout or 0), next(talk)
    with suppress(StopIteration):
        while True:
            octet = tunnel.recv(1) if wanted is None else b""
            if wanted is not None:
                tunnel.sendall(wanted)
            # Each octet may come in time, and all of them never.
            if timeout is not None and monotonic() > end:
                raise TimeoutError
            wanted = talk.send(octet)


async def _drive_async(talk: Talk, tunnel: socket.socket) -> None:
    from asyncio import get_running_loop  # noqa: PLC0415

    loop, wanted = get_running_loop(), next(talk)
    with suppress(StopIteration):
        while True:
            octet = await loop.sock_recv(tunnel, 1) if wanted is None else b""
            if wanted is not None:
                await loop.sock_sendall(tunnel, wanted)
            wanted = talk.send(octet)


async def _connected(host: str, port: int) -> socket.socket:
    """A connection to the first address of *host* that takes one."""
    from asyncio import get_running_loop  # noqa: PLC0415

    loop = get_running_loop()
    accident: OSError = ConnectionError("has no address")
    for family, kind, protocol, _, place in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            tunnel = socket.socket(family, kind, protocol)
            with _closed_by_accident(tunnel):
                tunnel.setblocking(False)
                await loop.sock_connect(tunnel, place)
        except OSError as error:
            accident = error
        else:
            return tunnel
    raise accident


@contextmanager
def _closed_by_accident(tunnel: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        tunnel.close()
        raise
