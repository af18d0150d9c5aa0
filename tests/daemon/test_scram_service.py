"""SCRAM through a running server: strangers, sites with the passwords themselves, and what is offered to whom."""

import os
import re
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from signal import SIGHUP

import pytest

from ninsho.errors import ExchangeError
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.registry import clients
from ninsho.stores import hashing
from running import NINSHO, Client, Server

CONFIG = """
[failure]
delay = "0s"
[accounts]
key_file = "site.key"
[[listen]]
unix = "auth.sock"
[[store]]
type = "passwd-file"
path = "users"
"""


def form(password: str, scheme: str = "SCRAM-SHA-256") -> str:
    return hashing.make(password, scheme)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


def users(folder: Path, **secrets: str) -> None:
    (folder / "users").write_text("".join(f"{name}:{secret}\n" for name, secret in secrets.items()))


def offered(client: Client) -> list[str]:
    return [line.split(b"\t")[1].decode() for line in client.greeting if line.startswith(b"MECH\t")]


def log_in(client: Client, mechanism: str, credentials: Credentials, *, id: int = 1, final: bool = False) -> list[str]:
    """The server's lines, decoded; the exchange is concluded where they end with OK."""
    exchange = Exchange(clients()[mechanism].client(credentials))
    flag = "\tfinal-resp-ok" if final else ""
    first = b64encode(exchange.begin()).decode()
    line = client.ask(f"AUTH\t{id}\t{mechanism}\tservice=smtp{flag}\tresp={first}").decode()
    told = []
    while line.startswith("CONT"):
        _, _, challenge, *binding = line.split("\t")
        told.append(b64decode(challenge).decode())
        try:
            answer = b64encode(exchange.answer(b64decode(challenge))).decode()
        except ExchangeError:
            return [*told, "refused by the client"]
        for name in binding:
            kind = name.removeprefix("channel_binding=")
            answer += f"\tchannel_binding={b64encode(credentials.channel.bindings[kind]).decode()}"
        line = client.ask(f"CONT\t{id}\t{answer}").decode()
    if line.startswith("OK"):
        resp = re.search(r"\tresp=(.*)", line)
        exchange.conclude(b64decode(resp[1]) if resp else None)
    return [*told, line]


@pytest.mark.parametrize("final", [False, True])
def test_a_user_logs_in_by_stored_keys(folder: Path, *, final: bool) -> None:
    users(folder, alice=form("geheim"))
    with Server(folder, CONFIG), Client(folder / "auth.sock", minor=2) as client:
        assert offered(client) == ["PLAIN", "LOGIN", "SCRAM-SHA-256"]
        told = log_in(client, "SCRAM-SHA-256", Credentials("alice", "geheim"), final=final)
        assert told[-1].startswith("OK\t1\tuser=alice")
        wrong = log_in(client, "SCRAM-SHA-256", Credentials("alice", "falsch"), id=2, final=final)
        assert wrong[-1].startswith("FAIL\t2\tuser=alice\treason=Invalid credentials")


def test_a_stranger_is_asked_as_everybody_is_and_the_same_after_a_restart(folder: Path) -> None:
    users(folder, alice=form("geheim"))
    asked = []
    for _ in range(2):
        with Server(folder, CONFIG), Client(folder / "auth.sock") as client:
            for id, name in enumerate(["nobody", "nobody", "alice", "NOBODY"], start=1):
                told = log_in(client, "SCRAM-SHA-256", Credentials(name, "falsch"), id=id)
                assert (len(told), told[1]) == (2, f"FAIL\t{id}\tuser={name}\treason=Invalid credentials")
                asked.append(told[0].partition(",")[2])
    strangers = {one for place, one in enumerate(asked) if place % 4 != 2}
    known = {one for place, one in enumerate(asked) if place % 4 == 2}
    assert (len(strangers), len(known)) == (1, 1)
    assert strangers != known
    shape = re.compile(r"s=[A-Za-z0-9+/]{22}==,i=65536")
    assert all(map(shape.fullmatch, strangers | known))


def test_a_site_that_stores_passwords_themselves_serves_every_hash(folder: Path) -> None:
    users(folder, alice="{PLAIN}geheim", bob="{PLAIN}pässword")
    with Server(folder, CONFIG), Client(folder / "auth.sock") as client:
        assert offered(client)[2:5] == ["SCRAM-SHA-256", "SCRAM-SHA-512", "SCRAM-SHA-1"]
        salts = set()
        for id, (name, password) in enumerate([("alice", "geheim"), ("ALICE", "geheim"), ("bob", "pässword")], start=1):
            told = log_in(client, "SCRAM-SHA-512", Credentials(name, password), id=id)
            assert told[-1].startswith(f"OK\t{id}\tuser={name.lower()}")
            salts.add(told[0].partition(",")[2])
        # A client that remembers its salted password can use it again.
        assert len(salts) == 2
        assert log_in(client, "SCRAM-SHA-1", Credentials("nobody", "x"), id=9)[-1].startswith("FAIL\t9\tuser=nobody")


def test_what_only_some_can_use_is_offered_where_it_is_named(folder: Path) -> None:
    users(folder, alice=form("geheim"), bob="{SSHA}aqpvaR1vZ2pR1yZ3nYJ8bbWSUYFzYWx0")
    with Server(folder, CONFIG) as server, Client(folder / "auth.sock") as client:
        assert offered(client) == ["PLAIN", "LOGIN"]
        assert 'not-offered: mechanisms=SCRAM-SHA-256 text="1 account has nothing that it can use;' in server.journal()
    named = CONFIG.replace('unix = "auth.sock"', 'unix = "auth.sock"\nmechanisms = ["SCRAM-SHA-256", "PLAIN"]')
    with Server(folder, named) as server, Client(folder / "auth.sock") as client:
        assert log_in(client, "SCRAM-SHA-256", Credentials("alice", "geheim"))[-1].startswith("OK")
        # Bob looks like a stranger, and only the journal knows why.
        told = log_in(client, "SCRAM-SHA-256", Credentials("bob", "x"), id=2)
        assert told[-1] == "FAIL\t2\tuser=bob\treason=Invalid credentials"
        server.wait_for("cause=nosecret")


def test_plus_over_version_1_3(folder: Path) -> None:
    users(folder, alice=form("geheim"))
    config = CONFIG.replace('unix = "auth.sock"', 'unix = "auth.sock"\nhandshake = "1.3"')
    channel = Channel(bindings={"tls-exporter": os.urandom(32)}, plus_offered=True)
    with Server(folder, config), Client(folder / "auth.sock", minor=3) as client:
        assert offered(client) == ["PLAIN", "LOGIN", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]
        told = log_in(client, "SCRAM-SHA-256-PLUS", Credentials("alice", "geheim", channel=channel))
        assert told[-1] == "OK\t1\tuser=alice"


def test_a_weak_form_needs_permission_and_is_told_with_its_users(folder: Path) -> None:
    users(folder, alice="{PLAIN}geheim", old="{LDAP-MD5}CY9rzUYh03PK3k6DJie09g==")
    line = "AUTH\t1\tPLAIN\tservice=smtp\tresp=" + b64encode(b"\0old\0test").decode()
    with Server(folder, CONFIG) as server, Client(folder / "auth.sock", minor=2) as client:
        assert "weak-scheme: scheme=LDAP-MD5 accepted=no accounts=1 users=old" in server.journal()
        assert client.ask(line) == b"FAIL\t1\tuser=old\tcode=temp_fail\ttemp\treason=Temporary authentication failure"
    permitted = f'{CONFIG}\n[passwords]\nweak = ["LDAP-MD5"]\n'
    with Server(folder, permitted) as server, Client(folder / "auth.sock", minor=2) as client:
        assert "weak-scheme: scheme=LDAP-MD5 accepted=yes accounts=1 users=old" in server.journal()
        assert client.ask(line) == b"OK\t1\tuser=old"


def test_without_a_place_for_the_key_the_server_serves_and_says_so(folder: Path) -> None:
    users(folder, alice=form("geheim"))
    config = CONFIG.replace("site.key", "nowhere/site.key")
    with Server(folder, config) as server, Client(folder / "auth.sock") as client:
        assert "no-key-file:" in server.journal()
        assert log_in(client, "SCRAM-SHA-256", Credentials("alice", "geheim"))[-1].startswith("OK")


def test_what_logins_will_bring_about_can_be_named_before(folder: Path) -> None:
    users(folder, alice="{SSHA}aqpvaR1vZ2pR1yZ3nYJ8bbWSUYFzYWx0")
    named = CONFIG.replace('unix = "auth.sock"', 'unix = "auth.sock"\nmechanisms = ["SCRAM-SHA-256", "PLAIN"]')
    derived = named.replace("[accounts]", '[accounts]\nderive = ["SCRAM-SHA-256"]')
    with Server(folder, derived) as server, Client(folder / "auth.sock") as client:
        assert offered(client) == ["SCRAM-SHA-256", "PLAIN"]
        assert server.stop() == 0
        assert "accounts.derive and accounts.rehash do nothing: no store can be written" in server.journal()
    refused = Server(folder, named).start(wait=False)
    assert refused.process.wait(20) == 78
    assert "SCRAM-SHA-256 can never work" in refused.journal()


def test_a_form_that_is_broken_keeps_nobody_else_from_logging_in(folder: Path) -> None:
    users(folder, alice=form("geheim"), broken="{SCRAM-SHA-256}broken")
    named = CONFIG.replace('unix = "auth.sock"', 'unix = "auth.sock"\nmechanisms = ["SCRAM-SHA-256", "PLAIN"]')
    with Server(folder, named), Client(folder / "auth.sock", minor=2) as client:
        assert log_in(client, "SCRAM-SHA-256", Credentials("alice", "geheim"))[-1].startswith("OK")
        assert "code=temp_fail" in log_in(client, "SCRAM-SHA-256", Credentials("broken", "x"), id=2)[-1]


def test_a_reload_without_a_key_file_keeps_the_salts(folder: Path) -> None:
    users(folder, alice=form("geheim"))
    config = CONFIG.replace("site.key", "nowhere/site.key")
    with Server(folder, config) as server, Client(folder / "auth.sock") as client:
        before = log_in(client, "SCRAM-SHA-256", Credentials("nobody", "x"))[0].partition(",")[2]
        server.signal(SIGHUP)
        server.wait_for("reloaded:")
        assert log_in(client, "SCRAM-SHA-256", Credentials("nobody", "x"), id=2)[0].partition(",")[2] == before


@pytest.mark.parametrize(
    ("key_file", "mechanisms", "told"),
    [
        ("site.key", "", ["PLAIN", "LOGIN", "SCRAM-SHA-256"]),
        ("nowhere/site.key", "", ["PLAIN", "LOGIN"]),
        ("site.key", 'mechanisms = ["SCRAM-SHA-256"]', ["SCRAM-SHA-256"]),
    ],
)
def test_on_standard_input_the_only_listener_s_choice_holds_and_scram_needs_a_key(
    folder: Path, key_file: str, mechanisms: str, told: list[str]
) -> None:
    users(folder, alice=form("geheim"))
    config = CONFIG.replace("site.key", key_file).replace('unix = "auth.sock"', f'unix = "auth.sock"\n{mechanisms}')
    (folder / "ninsho.toml").write_text(config)
    command = [*NINSHO, "serve", "--stdio", "--config", str(folder / "ninsho.toml")]
    done = subprocess.run(command, input=b"", capture_output=True, check=True, timeout=60)
    assert [line.split(b"\t")[1].decode() for line in done.stdout.split(b"\n") if line.startswith(b"MECH")] == told
