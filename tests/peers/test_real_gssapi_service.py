"""GSSAPI through the running server: the protocol, the journal, and curl through Postfix."""

import subprocess
from base64 import b64decode, b64encode
from pathlib import Path

import pytest
from kerberos import HOST, PASSWORD, REALM, ThrowawayKerberos, our_client

from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix
from ninsho.sasl.exchange import Exchange
from running import Client, Server

HOUR = 3600

CONFIG = """
[failure]
delay = "0s"
[gssapi]
keytab = "{keytab}"
realms = ["EXAMPLE.ORG"]
[[listen]]
unix = "{socket}"
mode = "0666"
mechanisms = ["GSSAPI", "PLAIN"]
[[store]]
type = "passwd-file"
path = "users"
"""
USERS = "tim:{PLAIN}nobody uses this one\nsluggard:{PLAIN}p::::::nologin\n"


@pytest.fixture
def site(kerberos: ThrowawayKerberos, keytab: Path, tmp_path: Path) -> Server:
    (tmp_path / "users").write_text(USERS)
    return Server(tmp_path, CONFIG.format(keytab=keytab, socket="auth.sock"))


def over_the_protocol(client: Client, exchange: Exchange, id: int = 1) -> str:
    """Log in as a mail server's client; return the last line."""
    line = client.ask(f"AUTH\t{id}\tGSSAPI\tservice=smtp\tresp={b64encode(exchange.begin()).decode()}").decode()
    while line.startswith("CONT\t"):
        response = exchange.answer(b64decode(line.split("\t")[2]))
        line = client.ask(f"CONT\t{id}\t{b64encode(response).decode()}").decode()
    return line


def test_through_the_server(kerberos, site, tmp_path):
    kerberos.add_user("sluggard")
    kerberos.add_user("stranger")
    with kerberos.used(kerberos.log_in("tim")), site, Client(tmp_path / "auth.sock") as client:
        assert b"MECH\tGSSAPI\tmutual-auth" in client.greeting
        assert over_the_protocol(client, our_client()) == "OK\t1\tuser=tim"
        assert over_the_protocol(client, our_client(authzid="root"), 2).startswith("FAIL\t2\t")
        with kerberos.used(kerberos.log_in("sluggard")):
            assert over_the_protocol(client, our_client(), 3).startswith("FAIL\t3\tuser=sluggard\tcode=user_disabled")
        with kerberos.used(kerberos.log_in("stranger")):
            assert over_the_protocol(client, our_client(), 4).startswith("FAIL\t4\tuser=stranger")
        with kerberos.used(kerberos.log_in_with_a_wrong_clock(HOUR)):
            assert over_the_protocol(client, our_client(), 5).startswith("FAIL\t5\t")
        site.wait_for("cause=badtoken")
        assert 'detail="Kerberos: Clock skew too great"' in site.journal()
        assert client.ask("AUTH\t6\tGSSAPI\tservice=smtp\tresp=AAAA").startswith(b"FAIL\t6\t")


def test_the_server_does_not_start_without_keys(kerberos, site, keytab):
    keytab.unlink()
    with kerberos.used():
        site.start(wait=False)
        assert site.process.wait(20) == 78
    assert f"gssapi: Kerberos: Key table file '{keytab}' not found" in site.journal()


def test_keys_that_vanish_are_an_outage(kerberos, site, keytab, tmp_path):
    with kerberos.used(kerberos.log_in("tim")), site:
        keytab.unlink()
        with Client(tmp_path / "auth.sock") as client:
            # Postfix then says 454.
            assert over_the_protocol(client, our_client()) == ""
        site.wait_for("result=temp")


def test_curl_sends_mail_through_postfix(require, kerberos, keytab, tmp_path):
    require("postconf", root=True)
    (tmp_path / "users").write_text(USERS)
    (tmp_path / "message").write_text("Subject: greetings\r\n\r\nhello\r\n")
    with ThrowawayPostfix() as postfix, kerberos.used(kerberos.log_in("tim")):
        listener = postfix.queue_directory / "private" / "auth"
        with Server(tmp_path, CONFIG.format(keytab=keytab, socket=listener)):
            sender, host = f"tim@{DOMAIN}", f"{HOST}:{postfix.port}"
            command = [
                *(require("curl"), "--silent", "--show-error", f"smtp://{host}/client.example"),
                *("--resolve", f"{host}:127.0.0.1"),
                # It tries GSSAPI where the user's name has a realm.
                *("--user", f"tim@{REALM}:", "--login-options", "AUTH=GSSAPI"),
                *("--mail-from", sender, "--mail-rcpt", sender, "--upload-file", str(tmp_path / "message")),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
            assert done.returncode == 0, done.stderr + postfix.log_text()
        postfix.wait_for_log("sasl_method=GSSAPI, sasl_username=tim")
        assert len(postfix.wait_for_mail("tim")) == 1
    assert PASSWORD not in done.stderr + postfix.log_text()
