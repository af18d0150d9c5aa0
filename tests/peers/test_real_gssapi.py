"""GSSAPI with a real Kerberos: our two sides, those of GNU SASL and Cyrus SASL, and curl through Postfix."""

import shutil
import socket
import subprocess
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from cyrus import SampleClient, SampleServer
from gsasl import GsaslClient, GsaslServer
from kerberos import HOST, OTHER_REALM, PASSWORD, REALM, ThrowawayKerberos, shift_clock
from known_users import KnownUsers, log_in

from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix
from ninsho.errors import ConfigurationError, ExchangeError, StoreUnavailable, TicketRefused
from ninsho.sasl.dialogue import Challenge, Compute, Denial, Denied, Granted, Identity, Remark
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.gssapi import GSSAPI, with_keys
from ninsho.sasl.kerberos import ServiceKeys
from ninsho.sasl.mechanism import Mechanism
from running import Client, Server

Require = Callable[..., str]

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
def kerberos(require: Require, require_package: Callable[[str], None]) -> Iterator[ThrowawayKerberos]:
    for program in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"):
        require(program)
    require_package("gssapi")
    with ThrowawayKerberos() as program:
        program.add_user("tim")
        program.add_service("smtp", keytab="keytab")
        yield program


@pytest.fixture
def keytab(kerberos: ThrowawayKerberos) -> Path:
    return kerberos.directory / "keytab"


@pytest.fixture
def mechanism(keytab: Path) -> Mechanism:
    return with_keys(ServiceKeys(str(keytab)), [REALM])


class Login:
    """A login with our two sides; *names* are those of the client's credentials."""

    def __init__(self, mechanism: Mechanism, *, host: str = HOST, service: str = "smtp", **names: str) -> None:
        channel = Channel(service=service, host=host)
        self.exchange = Exchange(GSSAPI.client(Credentials(channel=channel, **names)))
        self.remarks: list[str] = []
        self._mechanism = mechanism

    def run(self, first: bytes | None = None) -> Granted | Denied:
        """Play it to its verdict; *first* is said in place of the client's initial response."""
        dialogue = self._mechanism.server(self.exchange.begin() if first is None else first)
        advance, answer = dialogue.send, None
        try:
            while True:
                match advance(answer):
                    case Challenge(data):
                        advance, answer = dialogue.send, self.exchange.answer(data)
                    case Remark(text):
                        advance, answer = dialogue.send, self.remarks.append(text)
                    case Compute(function, arguments):
                        advance, answer = computed(dialogue, function, arguments)
        except StopIteration as end:
            return end.value

    def refusal(self, first: bytes | None = None) -> str:
        """What the log says of a login that the server refuses."""
        assert self.run(first) == Denied(Denial.TOKEN)
        (remark,) = self.remarks
        return remark


def computed(dialogue, function, arguments):
    try:
        return dialogue.send, function(*arguments)
    except TicketRefused as error:
        return dialogue.throw, error


@pytest.mark.parametrize(
    ("names", "identity"),
    [
        ({}, Identity("tim")),
        ({"username": "tim"}, Identity("tim")),
        ({"username": f"tim@{REALM}"}, Identity("tim")),
        ({"authzid": "ann"}, Identity("tim", "ann")),
    ],
)
def test_we_log_in_to_ourselves(kerberos, mechanism, names, identity):
    with kerberos.used(kerberos.log_in("tim")):
        login = Login(mechanism, **names)
        assert login.run() == Granted(identity)
        login.exchange.conclude()


def test_a_user_of_another_realm_keeps_it(kerberos, mechanism):
    kerberos.add_user("tim", realm=OTHER_REALM)
    with kerberos.used(kerberos.log_in(f"tim@{OTHER_REALM}")):
        assert Login(mechanism).run() == Granted(Identity(f"tim@{OTHER_REALM}"))


def test_a_name_that_might_pass_for_one_of_another_realm(kerberos, mechanism):
    principal = f"tim\\@{OTHER_REALM}"
    kerberos.add_user(principal)
    with kerberos.used(kerberos.log_in(principal)):
        assert Login(mechanism).refusal() == "expected a principal without characters that must be escaped"


def test_the_keys_may_be_those_of_one_host_or_of_any(kerberos, keytab):
    kerberos.add_service("smtp", keytab="keytab", host="relay.example.org")
    with kerberos.used(kerberos.log_in("tim")):
        for host in (HOST, "relay.example.org"):
            assert Login(with_keys(ServiceKeys(str(keytab))), host=host).run() == Granted(Identity(f"tim@{REALM}"))
        strict = with_keys(ServiceKeys(str(keytab), host=HOST))
        assert isinstance(Login(strict, host=HOST).run(), Granted)
        assert "relay.example.org" in Login(strict, host="relay.example.org").refusal()


def test_a_ticket_for_another_service(kerberos, keytab):
    kerberos.add_service("imap", keytab="keytab")
    with kerberos.used(kerberos.log_in("tim")):
        assert isinstance(Login(with_keys(ServiceKeys(str(keytab), service="imap")), service="imap").run(), Granted)
        assert "imap" in Login(with_keys(ServiceKeys(str(keytab))), service="imap").refusal()


def test_new_keys_hold_from_the_next_login_on(kerberos, keytab, mechanism):
    kerberos.renew_keys("smtp", keytab="new")
    with kerberos.used(kerberos.log_in("tim")):
        assert "kvno 3" in Login(mechanism).refusal()
        shutil.copyfile(kerberos.directory / "new", keytab)
        assert isinstance(Login(mechanism).run(), Granted)


def test_a_ticket_is_not_shown_twice(kerberos, mechanism):
    with kerberos.used(kerberos.log_in("tim")):
        seen = Login(mechanism).exchange.begin()
        thief = Login(mechanism)
        thief.exchange.begin()
        # Who shows it first cannot go on either: it takes the key that is in the ticket.
        with pytest.raises(ExchangeError, match="^Kerberos: "):
            thief.run(seen)
        assert Login(mechanism).refusal(seen) == "Kerberos: Request is a replay"


def with_a_clock_of_its_own(kerberos: ThrowawayKerberos, seconds: int) -> Path:
    """A cache that has the ticket for the service, and *seconds* by which its clock goes wrong."""
    cache = kerberos.log_in("tim")
    with kerberos.used(cache):
        Login(GSSAPI).exchange.begin()
    shift_clock(cache, seconds)
    return cache


@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_clocks_that_are_an_hour_apart(kerberos, mechanism, seconds):
    with kerberos.used(with_a_clock_of_its_own(kerberos, seconds)):
        assert Login(mechanism).refusal() == "Kerberos: Clock skew too great"


def test_a_ticket_that_has_expired(kerberos, mechanism):
    cache = kerberos.log_in("tim", "-l", "1h")
    shift_clock(cache, 2 * HOUR)
    with kerberos.used(cache), pytest.raises(ExchangeError, match="Kerberos: .*[Tt]icket.* expired"):
        Login(mechanism).run()


def test_no_ticket_at_all(kerberos, mechanism):
    with kerberos.used(), pytest.raises(ExchangeError, match="Kerberos: No Kerberos credentials available"):
        Login(mechanism).run()


def test_a_host_that_the_kdc_does_not_know(kerberos, mechanism):
    with (
        kerberos.used(kerberos.log_in("tim")),
        pytest.raises(ExchangeError, match="smtp/www.example.org@EXAMPLE.ORG not found"),
    ):
        Login(mechanism, host="www.example.org").run()


def test_a_kdc_that_is_gone(kerberos, keytab, tmp_path):
    cache = kerberos.log_in("tim")
    kept = tmp_path / "krb5.conf"
    kept.write_text((kerberos.directory / "krb5.conf").read_text().replace(str(kerberos.port), "1"))
    with kerberos.used(cache, KRB5_CONFIG=kept), pytest.raises(ExchangeError, match="Kerberos: Cannot contact any KDC"):
        Login(with_keys(ServiceKeys(str(keytab)))).run()


@pytest.mark.parametrize("message", [b"", b"\0", b"`", b"hello", b"\x60\x06\x06\x04\x2b\x06\x01\x05", bytes(5000)])
def test_a_message_that_is_no_token(kerberos, mechanism, message):
    with kerberos.used(kerberos.log_in("tim")):
        assert Login(mechanism).refusal(message).startswith("Kerberos: ")


def test_a_token_that_is_damaged_anywhere(kerberos, mechanism):
    with kerberos.used(kerberos.log_in("tim")):
        token = Login(mechanism).exchange.begin()
        for place in range(len(token)):
            for damaged in (token[:place], token[:place] + bytes([token[place] ^ 0xFF]) + token[place + 1 :]):
                login = Login(mechanism)
                login.exchange.begin()
                # Some octets the library does not look at. Then the client learns that it is answered as another.
                with suppress(ExchangeError):
                    assert login.refusal(damaged), place


def test_what_negotiates_kerberos_is_not_kerberos(kerberos, mechanism):
    import gssapi  # noqa: PLC0415 - it may be missing

    spnego = gssapi.OID.from_int_seq("1.3.6.1.5.5.2")
    name = gssapi.Name(f"smtp@{HOST}", gssapi.NameType.hostbased_service)
    with kerberos.used(kerberos.log_in("tim")):
        token = gssapi.SecurityContext(name=name, mech=spnego, usage="initiate").step()
        assert Login(mechanism).refusal(token).startswith("Kerberos: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "Kerberos: Key table file '{}' not found"),
        (b"", "Kerberos: "),
        (b"not a keytab", "Kerberos: Unsupported key table format version number"),
    ],
)
def test_keys_that_are_not_there(kerberos, tmp_path, content, problem):
    path = tmp_path / "broken"
    if content is not None:
        path.write_bytes(content)
    keys = ServiceKeys(str(path))
    with kerberos.used(kerberos.log_in("tim")):
        with pytest.raises(ConfigurationError) as caught:
            keys.check()
        assert str(caught.value).startswith(problem.format(path))
        # Where they vanish later, nobody is told that the ticket was bad.
        with pytest.raises(StoreUnavailable):
            Login(with_keys(keys)).run()


def test_keys_of_another_service_alone(kerberos):
    path = kerberos.add_service("imap", keytab="imap")
    with kerberos.used():
        with pytest.raises(ConfigurationError, match="No key table entry found matching smtp"):
            ServiceKeys(str(path)).check()
        ServiceKeys(str(path), service="imap").check()
        ServiceKeys(str(path), service="imap", host=HOST).check()


def test_the_systems_own_keys_are_found_without_a_path(kerberos, keytab):
    with kerberos.used(kerberos.log_in("tim"), KRB5_KTNAME=keytab):
        ServiceKeys().check()
        assert Login(GSSAPI).run() == Granted(Identity(f"tim@{REALM}"))


def test_a_replay_cache_that_cannot_be_written_is_an_outage(kerberos, mechanism, tmp_path):
    cache = f"file2:{tmp_path}/nowhere/replays"
    with (
        kerberos.used(kerberos.log_in("tim"), KRB5RCACHENAME=cache),
        pytest.raises(StoreUnavailable, match="Kerberos: No such file or directory"),
    ):
        Login(mechanism).run()


@pytest.mark.parametrize(
    ("authzid", "identity"), [("", Identity("tim")), ("tim", Identity("tim")), ("ann", Identity("tim", "ann"))]
)
def test_the_clients_of_others_log_in(require, kerberos, mechanism, tmp_path, authzid, identity):
    clients = (
        lambda: GsaslClient(require("gsasl"), "GSSAPI", hostname=HOST, authorization_id=authzid),
        lambda: CyrusClient(require("sasl-sample-client"), authzid, tmp_path),
    )
    with kerberos.used(kerberos.log_in("tim")):
        for make in clients:
            with make() as client:
                assert KnownUsers({}).serve(mechanism, client) == Granted(identity)


class CyrusClient(SampleClient):
    def __init__(self, program: str, authzid: str, folder: Path) -> None:
        super().__init__(program, "GSSAPI", "-u", authzid, "-n", HOST, username="tim", password="", folder=folder)

    def give_password(self) -> None:
        """It asks for none."""


def test_we_log_in_to_the_servers_of_others(require, kerberos, keytab, tmp_path):
    # Cyrus's server goes by the machine's own name.
    own_name = socket.gethostname()
    kerberos.add_service("smtp", keytab="keytab", host=own_name)
    with kerberos.used(kerberos.log_in("tim"), KRB5_KTNAME=keytab):
        with ObligingServer(require("gsasl"), "GSSAPI", hostname=HOST) as server:
            assert log_in(GSSAPI, Credentials("tim", channel=Channel(host=HOST)), server)
        assert "Authzid: tim\nDisplay Name: tim@EXAMPLE.ORG\n" in server.transcript
        with SampleServer(require("sasl-sample-server"), "GSSAPI", folder=tmp_path) as server:
            assert log_in(GSSAPI, Credentials("tim", channel=Channel(host=own_name)), server)
            assert server.username == "tim"


class ObligingServer(GsaslServer):
    """It asks whether the user may log in, and goes on in the same line."""

    def output(self) -> bytes | None:
        while not (line := self.line()).endswith("Output from server:"):
            if line.startswith("Display Name: "):
                self.say("y")
            if "Server authentication finished" in line:
                return None
        return b64decode(self.line(), validate=True)


@pytest.fixture
def site(kerberos: ThrowawayKerberos, keytab: Path, tmp_path: Path) -> Server:
    (tmp_path / "users").write_text(USERS)
    return Server(tmp_path, CONFIG.format(keytab=keytab, socket="auth.sock"))


def over_the_protocol(client: Client, login: Login, id: int = 1) -> str:
    """Log in as a mail server's client; return the last line."""
    line = client.ask(f"AUTH\t{id}\tGSSAPI\tservice=smtp\tresp={b64encode(login.exchange.begin()).decode()}").decode()
    while line.startswith("CONT\t"):
        response = login.exchange.answer(b64decode(line.split("\t")[2]))
        line = client.ask(f"CONT\t{id}\t{b64encode(response).decode()}").decode()
    return line


def test_through_the_server(kerberos, site, tmp_path):
    kerberos.add_user("sluggard")
    kerberos.add_user("stranger")
    with kerberos.used(kerberos.log_in("tim")), site, Client(tmp_path / "auth.sock") as client:
        assert b"MECH\tGSSAPI\tmutual-auth" in client.greeting
        assert over_the_protocol(client, Login(GSSAPI)) == "OK\t1\tuser=tim"
        assert over_the_protocol(client, Login(GSSAPI, authzid="root"), 2).startswith("FAIL\t2\t")
        with kerberos.used(kerberos.log_in("sluggard")):
            assert over_the_protocol(client, Login(GSSAPI), 3).startswith("FAIL\t3\tuser=sluggard\tcode=user_disabled")
        with kerberos.used(kerberos.log_in("stranger")):
            assert over_the_protocol(client, Login(GSSAPI), 4).startswith("FAIL\t4\tuser=stranger")
        with kerberos.used(with_a_clock_of_its_own(kerberos, HOUR)):
            assert over_the_protocol(client, Login(GSSAPI), 5).startswith("FAIL\t5\t")
        site.wait_for('cause=badtoken', times=1)
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
            assert over_the_protocol(client, Login(GSSAPI)) == ""
    assert "result=temp" in site.journal()


def test_curl_sends_mail_through_postfix(require, kerberos, keytab, tmp_path):
    require("postconf", root=True)
    (tmp_path / "users").write_text(USERS)
    (tmp_path / "message").write_text("Subject: greetings\r\n\r\nhello\r\n")
    with ThrowawayPostfix() as postfix, kerberos.used(kerberos.log_in("tim")):
        listener = postfix.queue_directory / "private" / "auth"
        with Server(tmp_path, CONFIG.format(keytab=keytab, socket=listener)):
            command = [
                *(require("curl"), "--silent", "--show-error", f"smtp://{HOST}:{postfix.port}/client.example"),
                *("--resolve", f"{HOST}:{postfix.port}:127.0.0.1", "--user", f"tim@{REALM}:", "--login-options", "AUTH=GSSAPI"),
                *("--mail-from", f"tim@{DOMAIN}", "--mail-rcpt", f"tim@{DOMAIN}"),
                *("--upload-file", str(tmp_path / "message")),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
            assert done.returncode == 0, done.stderr + postfix.log_text()
        postfix.wait_for_log("sasl_method=GSSAPI, sasl_username=tim")
        assert len(postfix.wait_for_mail("tim")) == 1
    assert PASSWORD not in done.stderr + postfix.log_text()
