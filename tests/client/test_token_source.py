"""Access tokens: fetched once, remembered, fetched again when they end or are refused; errors without secrets."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest

from ninsho.client.tokens import GOOGLE, UNTOLD, TokenSource, TokenUnavailable
from ninsho.errors import ConfigurationError

SECRET = "very-secret-refresh-token"


class Issuer:
    """An authorization server's token endpoint (RFC 6749 §3.2) that answers what it is told."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.answers: list[tuple[int, object]] = []
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                issuer.asked.append({name: values[0] for name, values in form.items()})
                status, answer = issuer.answers.pop(0)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/token"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    thread = threading.Thread(target=issuer.server.serve_forever, args=(0.01,))
    thread.start()
    yield issuer
    issuer.server.shutdown()
    thread.join()
    issuer.server.server_close()


def token(text: str, **more: object) -> tuple[int, dict[str, object]]:
    return 200, {"access_token": text, "token_type": "Bearer", "expires_in": 3600, **more}


def test_a_token_is_remembered_until_shortly_before_its_end(issuer: Issuer):
    issuer.answers = [token("one"), token("two")]
    now = [1000.0]
    source = TokenSource(url=issuer.url, client_id="me", refresh_token=SECRET, scope="mail", clock=lambda: now[0])
    assert (source(), source()) == ("one", "one")
    now[0] += 3600 - 59
    assert source() == "two"
    assert issuer.asked == 2 * [
        {"client_id": "me", "grant_type": "refresh_token", "refresh_token": SECRET, "scope": "mail"}
    ]


def test_one_that_was_refused_is_replaced_at_once(issuer: Issuer):
    issuer.answers = [token("one"), token("two")]
    source = TokenSource(url=issuer.url, client_id="me", refresh_token=SECRET)
    assert (source(), source(refresh=True), source()) == ("one", "two", "two")


def test_a_new_refresh_token_is_used_and_handed_on(issuer: Issuer):
    issuer.answers = [token("one", refresh_token="next"), token("two")]
    kept: list[str] = []
    source = TokenSource(url=issuer.url, client_id="me", refresh_token=SECRET, keep=kept.append)
    source()
    source(refresh=True)
    assert kept == ["next"]
    assert issuer.asked[1]["refresh_token"] == "next"


def test_without_a_refresh_token_the_program_asks_for_itself(issuer: Issuer):
    issuer.answers = [token("one")]
    TokenSource(url=issuer.url, client_id="me", client_secret=lambda: "mine", scope="all")()
    assert issuer.asked == [
        {"client_id": "me", "grant_type": "client_credentials", "client_secret": "mine", "scope": "all"}
    ]


@pytest.mark.parametrize(
    ("answer", "temporary", "text"),
    [
        (
            (400, {"error": "invalid_grant", "error_description": "expired\x1b[31m\nthe grant"}),
            False,
            r"no token (400): invalid_grant, expired\x1b[31m the grant",
        ),
        ((503, b"<html>"), True, "no token (503): no reason given"),
        ((429, {}), True, "no token (429): no reason given"),
        ((200, {"token_type": "Bearer"}), False, "expected an access token, got none"),
        ((302, b""), False, "no token (302): no reason given"),
    ],
)
def test_a_refusal_is_told_without_secrets(issuer: Issuer, answer, temporary, text):
    issuer.answers = [answer]
    source = TokenSource(url=issuer.url, client_id="me", client_secret="hush", refresh_token=SECRET)
    with pytest.raises(TokenUnavailable) as caught:
        source()
    assert str(caught.value) == f"{issuer.url}: {text}"
    assert caught.value.temporary is temporary
    assert SECRET not in repr(source)
    assert "hush" not in repr(source)


def test_nobody_there_is_temporary():
    with pytest.raises(TokenUnavailable) as caught:
        TokenSource(url="http://127.0.0.1:9/", client_id="me")()
    assert str(caught.value) == (
        "http://127.0.0.1:9/: cannot be asked for a token: "
        "nothing listens there: is the port right, and the server running?"
    )
    assert caught.value.temporary


def test_what_is_no_http_is_temporary():
    def answer(listener):
        with listener.accept()[0] as connection:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            connection.recv(1000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer, args=(listener,))
        thread.start()
        with pytest.raises(TokenUnavailable, match="cannot be asked for a token: expected an HTTP answer") as caught:
            TokenSource(url=f"http://127.0.0.1:{listener.getsockname()[1]}/", client_id="me")()
        thread.join()
    assert caught.value.temporary


def test_a_secret_s_function_that_raises_is_named():
    with pytest.raises(ConfigurationError, match=r"^refresh_token: .* which raised KeyError in line"):
        TokenSource(url="http://127.0.0.1:9/", client_id="me", refresh_token=lambda: {}[SECRET])()


def test_a_proxy_is_not_shown_what_goes_to_this_machine(issuer: Issuer, monkeypatch):
    issuer.answers = [token("one")]
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert TokenSource(url=issuer.url, client_id="me", client_secret=SECRET)() == "one"


@pytest.mark.parametrize("url", [f"https://id:{SECRET}@h.example/token", f"https://{SECRET}@h.example/token"])
def test_a_secret_in_the_url_is_refused_and_not_quoted(url):
    with pytest.raises(ConfigurationError, match=r"^url: expected no user name and password in it") as caught:
        TokenSource(url=url, client_id="me")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("url", ["https://", "https://[::1", "https://h:99999/", "https://h:x/", "https://h /"])
def test_what_is_no_url(url):
    with pytest.raises(ConfigurationError, match=r"^url: expected one that begins with https://"):
        TokenSource(url=url, client_id="me")


@pytest.mark.parametrize("lifetime", ["\u00b2", 10**400, "9" * 400, -1, None, True, {}])
def test_a_lifetime_that_is_none(issuer: Issuer, lifetime):
    issuer.answers = [token("one", expires_in=lifetime), token("two")]
    now = [0.0]
    source = TokenSource(url=issuer.url, client_id="me", clock=lambda: now[0])
    assert source() == "one"
    now[0] = UNTOLD
    assert source() == "two"


@pytest.mark.parametrize("text", ["\ud800", "a\nb", "ü"])
def test_a_token_that_cannot_be_one(issuer: Issuer, text):
    issuer.answers = [token(text), token("one", refresh_token=text)]
    kept: list[str] = []
    source = TokenSource(url=issuer.url, client_id="me", refresh_token=SECRET, keep=kept.append)
    with pytest.raises(TokenUnavailable, match=r"expected an access token in ASCII \(RFC 6749 §A\.12\), got another"):
        source()
    assert (source(), kept) == ("one", [])


@pytest.mark.parametrize(
    "head", [b"", b"HTTP/1.0 200 OK\r\n\r\n", b"HTTP/1.0 400 No\r\n\r\n", b"HTTP/1.0 200 OK\r\nX: "]
)
def test_an_answer_that_drips_ends_in_time(monkeypatch, head):
    """Each octet comes in time, but not all of them."""
    ended = threading.Event()

    def drip(listener):
        with listener.accept()[0] as connection, suppress(OSError):
            connection.sendall(head)
            while not ended.wait(0.02):
                connection.sendall(b"H")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,))
        thread.start()
        try:
            with pytest.raises(TokenUnavailable, match="no answer in time") as caught:
                TokenSource(url=f"http://127.0.0.1:{listener.getsockname()[1]}/", client_id="me", timeout=0.3)()
        finally:
            ended.set()
            thread.join()
    assert caught.value.temporary


def test_secrets_go_only_where_nobody_listens():
    with pytest.raises(ConfigurationError, match="https"):
        TokenSource(url="http://example.com/token", client_id="me")


def test_the_two_that_everybody_asks_for():
    google = TokenSource.google("id", client_secret="hush", refresh_token=SECRET)
    assert (google.url, google.scope) == (GOOGLE, "")
    assert "hush" not in repr(google)
    mine = TokenSource.microsoft("id", tenant="contoso", refresh_token=SECRET)
    assert mine.url == "https://login.microsoftonline.com/contoso/oauth2/v2.0/token"
    assert "SMTP.Send" in mine.scope
    assert TokenSource.microsoft("id", tenant="contoso", client_secret="hush").scope.endswith("/.default")
