"""Tokens before a running server: what a mail server hears of good ones, bad ones and an issuer that is away."""

import asyncio
import json
import threading
from base64 import b64decode, b64encode
from concurrent.futures import Future
from contextlib import contextmanager
from time import time

import pytest

from pretend_issuer import PretendIssuer
from pretend_issuer import token as signed
from running import Client, Server

CONFIG = """
[[listen]]
unix = "auth.sock"
[[store]]
type = "passwd-file"
path = "users"
[[oauth]]
issuer = "{url}"
audience = ["smtp"]
scopes = ["mail"]
remember = "0s"
[failure]
delay = "0s"
"""


@contextmanager
def issuing():
    """An issuer on loopback, in a thread of its own; give its URL."""
    running = Future()

    async def serve():
        ended = asyncio.Event()
        async with PretendIssuer().serving() as issuer:
            running.set_result((issuer.url, asyncio.get_running_loop(), ended))
            await ended.wait()

    thread = threading.Thread(target=asyncio.run, args=[serve()])
    thread.start()
    url, loop, ended = running.result(20)
    try:
        yield url
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)


def token(url, **changes):
    return signed(**{"iss": url, "iat": None, "exp": int(time()) + 60} | changes)


def message(shown, user="alice@example.org"):
    return b64encode(f"user={user}\x01auth=Bearer {shown}\x01\x01".encode()).decode()


@pytest.fixture
def served(tmp_path):
    (tmp_path / "users").write_text("alice@example.org:{PLAIN}p\nbob@example.org:{PLAIN}p\n")

    def start(url):
        return Server(tmp_path, CONFIG.format(url=url))

    return start


def test_a_good_token_logs_in_by_both_mechanisms(served, tmp_path):
    with issuing() as url, served(url), Client(tmp_path / "auth.sock") as client:
        assert b"MECH\tOAUTHBEARER\tplaintext" in client.greeting
        assert b"MECH\tXOAUTH2\tplaintext" in client.greeting
        shown = token(url)
        told = client.ask(f"AUTH\t1\tXOAUTH2\tservice=smtp\tresp={message(shown)}")
        assert told == b"OK\t1\tuser=alice@example.org"
        other = b64encode(f"n,a=Alice@example.org,\x01auth=Bearer {shown}\x01\x01".encode()).decode()
        assert client.ask("AUTH\t2\tOAUTHBEARER\tservice=smtp") == b"CONT\t2\t"
        assert client.ask(f"CONT\t2\t{other}") == b"OK\t2\tuser=alice@example.org"


def test_a_bad_token_is_told_why_and_somebody_elses_nothing(served, tmp_path):
    with issuing() as url, served(url) as server, Client(tmp_path / "auth.sock") as client:
        for number, (changes, status) in enumerate([({"aud": "imap"}, "401"), ({"scope": "x"}, "403")], 1):
            told = client.ask(f"AUTH\t{number}\tXOAUTH2\tservice=smtp\tresp={message(token(url, **changes))}")
            assert told.startswith(b"CONT\t%d\t" % number)
            assert json.loads(b64decode(told.split(b"\t")[2])) == {
                "status": status,
                "schemes": "bearer",
                "scope": "mail",
                "openid-configuration": f"{url}/.well-known/openid-configuration",
            }
            assert client.ask(f"CONT\t{number}\t").startswith(b"FAIL\t%d\t" % number)
        told = client.ask(f"AUTH\t3\tXOAUTH2\tservice=smtp\tresp={message(token(url), 'bob@example.org')}")
        assert told.startswith(b"FAIL\t3\t")
        told = client.ask(
            f"AUTH\t4\tXOAUTH2\tservice=smtp\tresp={message(token(url, email='eve@example.org'), 'eve@example.org')}"
        )
        assert told.startswith(b"FAIL\t4\t")
        server.wait_for("cause=badtoken", times=2)
        server.wait_for("cause=badauthz")
        server.wait_for("cause=baduser")
        assert token(url)[:40] not in server.journal()


def test_an_issuer_that_is_away_is_a_temporary_failure(served, tmp_path):
    with issuing() as url:
        pass
    with served(url) as server:
        with Client(tmp_path / "auth.sock", minor=2) as client:
            told = client.ask(f"AUTH\t1\tXOAUTH2\tservice=smtp\tresp={message(token(url))}")
            assert told.startswith(b"FAIL\t1\t")
            assert b"\tcode=temp_fail" in told
        with Client(tmp_path / "auth.sock") as client:
            # Postfix makes 454 of that.
            assert client.ask(f"AUTH\t1\tXOAUTH2\tservice=smtp\tresp={message(token(url))}") == b""
        server.wait_for("result=temp", times=2)
        with Client(tmp_path / "auth.sock") as client:
            plain = b64encode(b"\0alice@example.org\0p").decode()
            assert client.ask(f"AUTH\t1\tPLAIN\tservice=smtp\tresp={plain}").startswith(b"OK\t1\t")
