"""Connecting through small proxies of the tests' own: SOCKS5, SOCKS4 and HTTP CONNECT, blocking and not."""

import asyncio
import socket
import struct
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager

import pytest

from ninsho.client import proxy
from ninsho.client.proxy import check, connect, connect_async
from ninsho.errors import ConfigurationError

GREETING = b"220 mail.example.com ESMTP\r\n"
HIDDEN = "hunter2"
BASIC = b64encode(f"alice:{HIDDEN}".encode()).decode()


@contextmanager
def listening(serve):
    """A server that gives its one connection to *serve*; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run():
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.settimeout(20)
            with connection:
                serve(connection)

        thread = threading.Thread(target=run)
        thread.start()
        yield listener.getsockname()[1]
        # Wakes an accept that nobody came to.
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(20)
    assert not thread.is_alive()


def exactly(connection, size):
    data = b""
    while len(data) < size and (more := connection.recv(size - len(data))):
        data += more
    return data


def until(connection, end):
    data = b""
    while not data.endswith(end) and (more := connection.recv(1)):
        data += more
    return data


class Socks5:
    """RFC 1928 and RFC 1929, as far as CONNECT goes."""

    def __init__(self, *, credentials=None, code=0):
        self.credentials, self.code, self.asked = credentials, code, None

    def __call__(self, connection):
        _, count = exactly(connection, 2)
        methods = exactly(connection, count)
        wanted = 2 if self.credentials else 0
        connection.sendall(bytes([5, wanted if wanted in methods else 255]))
        if wanted not in methods or (wanted == 2 and not self._knows(connection)):
            return
        kind = exactly(connection, 4)[3]
        size = {1: 4, 3: None, 4: 16}[kind]
        host = exactly(connection, size or exactly(connection, 1)[0])
        self.asked = (host.decode() if kind == 3 else host, *struct.unpack("!H", exactly(connection, 2)))
        connection.sendall(bytes([5, self.code, 0, 1, 0, 0, 0, 0, 0, 0]) + (GREETING if not self.code else b""))

    def _knows(self, connection):
        pair = tuple(exactly(connection, size[0]).decode() for size in self._sizes(connection))
        connection.sendall(bytes([1, pair != self.credentials]))
        return pair == self.credentials

    def _sizes(self, connection):
        exactly(connection, 1)
        yield exactly(connection, 1)
        yield exactly(connection, 1)


class Socks4:
    """SOCKS 4 and 4A."""

    def __init__(self, *, code=0x5A):
        self.code, self.asked = code, None

    def __call__(self, connection):
        _, _, port, host = struct.unpack("!BBH4s", exactly(connection, 8))
        user = until(connection, b"\0")[:-1].decode()
        name = until(connection, b"\0")[:-1].decode() if host[:3] == b"\0\0\0" else socket.inet_ntoa(host)
        self.asked = (name, port, user)
        connection.sendall(bytes([0, self.code]) + bytes(6) + (GREETING if self.code == 0x5A else b""))


class Http:
    """CONNECT; the answer and the server's greeting leave in one packet."""

    def __init__(self, *, answer=b"HTTP/1.1 200 Connection established\r\nVia: us\r\n\r\n" + GREETING):
        self.answer, self.asked = answer, None

    def __call__(self, connection):
        self.asked = until(connection, b"\r\n\r\n").decode()
        connection.sendall(self.answer)


def blocking(url, host, port, timeout=20.0):
    with connect(url, host, port, timeout) as tunnel:
        return tunnel.recv(4096)


def not_blocking(url, host, port, timeout=20.0):
    async def talk():
        with await connect_async(url, host, port, timeout) as tunnel:
            assert tunnel.getblocking() is False
            return await asyncio.get_running_loop().sock_recv(tunnel, 4096)

    return asyncio.run(talk())


@pytest.fixture(params=[blocking, not_blocking])
def through(request):
    return request.param


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        ("mail.example.com", "mail.example.com"),
        ("192.0.2.1", bytes([192, 0, 2, 1])),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_socks5(through, host, asked):
    server = Socks5()
    with listening(server) as port:
        assert through(f"socks5h://127.0.0.1:{port}", host, 587) == GREETING
    assert server.asked == (asked, 587)


def test_socks5_looks_the_name_up_here(through):
    server = Socks5()
    with listening(server) as port:
        assert through(f"socks5://127.0.0.1:{port}", "localhost", 25) == GREETING
    assert server.asked[0] in {bytes([127, 0, 0, 1]), bytes(15) + b"\1"}


def test_socks5_with_a_password(through):
    server = Socks5(credentials=("alice", HIDDEN))
    with listening(server) as port:
        assert through(f"socks5h://alice:{HIDDEN}@127.0.0.1:{port}", "h.example", 25) == GREETING


@pytest.mark.parametrize("userinfo", [f"bob:{HIDDEN}@", ""])
def test_socks5_without_the_right_password(through, userinfo):
    with (
        listening(Socks5(credentials=("alice", HIDDEN))) as port,
        pytest.raises(ConnectionError, match=r"^proxy 127\.0\.0\.1:") as caught,
    ):
        through(f"socks5h://{userinfo}127.0.0.1:{port}", "h.example", 25)
    assert HIDDEN not in str(caught.value)


def test_socks5_that_cannot_reach_the_host(through):
    with listening(Socks5(code=4)) as port, pytest.raises(ConnectionError, match="Host unreachable"):
        through(f"socks5h://127.0.0.1:{port}", "h.example", 25)


@pytest.mark.parametrize(
    ("scheme", "host", "asked"), [("socks4a", "h.example", "h.example"), ("socks4", "192.0.2.1", "192.0.2.1")]
)
def test_socks4(through, scheme, host, asked):
    server = Socks4()
    with listening(server) as port:
        assert through(f"{scheme}://alice@127.0.0.1:{port}", host, 25) == GREETING
    assert server.asked == (asked, 25, "alice")


def test_socks4_that_refuses(through):
    with listening(Socks4(code=0x5B)) as port, pytest.raises(ConnectionError, match="rejected"):
        through(f"socks4a://127.0.0.1:{port}", "h.example", 25)


def test_http(through):
    server = Http()
    with listening(server) as port:
        assert through(f"http://alice:{HIDDEN}@127.0.0.1:{port}", "2001:db8::1", 25) == GREETING
    pair = b64encode(f"alice:{HIDDEN}".encode()).decode()
    assert server.asked == (
        f"CONNECT [2001:db8::1]:25 HTTP/1.1\r\nHost: [2001:db8::1]:25\r\nProxy-Authorization: Basic {pair}\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "expected 200, got 407: user name or password"),
        (f"HTTP/1.1 407 Proxy-Authorization: Basic {BASIC}\r\n\r\n".encode(), "expected 200, got 407"),
        (f"Proxy-Authorization: Basic {BASIC}\r\n\r\n".encode(), "expected an HTTP answer, got something else"),
        (b"HTTP/1.1 403 \x1b[31m\xff\r\n\r\n", "expected 200, got 403: it may not connect there$"),
        (b"220 mail.example.com ESMTP\r\n\r\n", "expected an HTTP answer, got a mail server's greeting"),
        (b"HTTP/1.1 200 OK\r\n", "expected an HTTP answer, got its end"),
        (b"", "expected an HTTP answer, got its end"),
        (b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 3000, "expected an HTTP answer, got one without end"),
    ],
)
def test_http_that_does_not_let_us_through(through, answer, words):
    with (
        listening(Http(answer=answer)) as port,
        pytest.raises(ConnectionError, match=f"^proxy 127.0.0.1:{port}: {words}") as caught,
    ):
        through(f"http://alice:{HIDDEN}@127.0.0.1:{port}", "h.example", 25)
    assert str(caught.value).isprintable()
    assert BASIC not in str(caught.value)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_says_nothing(through, scheme):
    with (
        listening(lambda connection: until(connection, b"never")) as port,
        pytest.raises(TimeoutError, match=f"^proxy 127.0.0.1:{port}: no answer in time$"),
    ):
        through(f"{scheme}://127.0.0.1:{port}", "h.example", 25, 0.2)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_is_not_there(through, scheme):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionError, match=rf"^proxy 127\.0\.0\.1:{port}: nothing listens there: is the port right"):
        through(f"{scheme}://127.0.0.1:{port}", "h.example", 25)


@pytest.mark.parametrize("scheme", ["http", "socks5h"])
def test_a_proxy_that_nobody_knows(through, scheme):
    with pytest.raises(ConnectionError, match=r"^proxy no\.such\.invalid:1: (no host is known by this name|the name)"):
        through(f"{scheme}://no.such.invalid:1", "h.example", 25)


@pytest.mark.parametrize("host", ["a\r\nHost: b", "a\nb", "a b", "a\0", "", "a/b"])
@pytest.mark.parametrize("scheme", ["http", "socks5h", "socks4a"])
def test_a_host_that_would_be_a_request_of_its_own(through, scheme, host):
    with pytest.raises(ConfigurationError, match="proxy: expected a host name or an IP address"):
        through(f"{scheme}://127.0.0.1:9", host, 25)


@pytest.mark.parametrize(
    "url",
    [
        HIDDEN,
        f"ftp://alice:{HIDDEN}@h",
        f"http://al%3Aice:{HIDDEN}@h",
        f"http://alice:{HIDDEN}%0D%0AX@h",
        f"http://alice:{HIDDEN}@a,b",
        f"http://alice:{HIDDEN}@h?x=1",
        f"http://alice:{HIDDEN}@h/path",
        f"socks5://alice:{HIDDEN}{'x' * 255}@h",
        f"socks5://alice:{HIDDEN}%C3%A9@h",
        f"socks4://al%00ice:{HIDDEN}@h",
        f"socks5://alice:{HIDDEN}@",
        "",
    ],
)
def test_what_is_no_proxy_s_url(url):
    with pytest.raises(ValueError, match="expected") as caught:
        check(url)
    assert HIDDEN not in str(caught.value)


def test_a_proxy_s_url():
    for url in ("socks5://h", "socks5h://u:p@[::1]:1080", "socks4a://u@h", "http://u:p%C3%A9@h:3128/"):
        check(url)


def test_the_package_is_missing(through, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with pytest.raises(
        ConfigurationError, match=r"proxy: expected the package python-socks: pip install ninsho\[proxy\]"
    ):
        through("socks5://127.0.0.1:9", "h.example", 25)


def test_http_needs_no_package(through, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_socks", None)
    with listening(Http()) as port:
        assert through(f"http://127.0.0.1:{port}", "h.example", 25) == GREETING


def test_a_slow_answer_ends_in_time(monkeypatch):
    """Each octet comes in time, but not all of them."""
    clock = iter(range(1000))
    monkeypatch.setattr(proxy, "monotonic", lambda: next(clock))
    with listening(Http()) as port, pytest.raises(TimeoutError):
        connect(f"http://127.0.0.1:{port}", "h.example", 25, 10)
