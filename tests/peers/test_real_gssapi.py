"""GSSAPI with a real Kerberos: our two sides, and those of GNU SASL and Cyrus SASL."""

import shutil
import socket
from base64 import b64decode
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from cyrus import SampleClient, SampleServer
from gsasl import GsaslClient, GsaslServer
from kerberos import HOST, OTHER_REALM, REALM, our_client
from known_users import KnownUsers, log_in

from ninsho.errors import ConfigurationError, ExchangeError, StoreUnavailable, TicketRefused
from ninsho.sasl.dialogue import Challenge, Compute, Denial, Denied, Granted, Identity, Remark
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.gssapi import GSSAPI, with_keys
from ninsho.sasl.kerberos import ServiceKeys
from ninsho.sasl.mechanism import Mechanism

Require = Callable[..., str]

HOUR = 3600


@pytest.fixture
def mechanism(keytab: Path) -> Mechanism:
    return with_keys(ServiceKeys(str(keytab)), [REALM])


class Login:
    """A login with our two sides; *names* are those of the client's credentials."""

    def __init__(self, mechanism: Mechanism, *, host: str = HOST, service: str = "smtp", **names: str) -> None:
        self.exchange = our_client(host=host, service=service, **names)
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
        with pytest.raises(ExchangeError, match=r"^Kerberos: "):
            thief.run(seen)
        assert Login(mechanism).refusal(seen) == "Kerberos: Request is a replay"


def test_a_client_whose_clock_is_an_hour_ahead(kerberos, mechanism):
    with kerberos.used(kerberos.log_in_with_a_wrong_clock(HOUR)):
        assert Login(mechanism).refusal() == "Kerberos: Clock skew too great"


@pytest.mark.parametrize(("seconds", "reason"), [(48 * HOUR, "expired"), (-HOUR, "not yet valid")])
def test_a_ticket_for_another_time(kerberos, mechanism, seconds, reason):
    with (
        kerberos.used(kerberos.log_in_with_a_wrong_clock(seconds)),
        pytest.raises(ExchangeError, match=f"Kerberos: .*[Tt]icket.* {reason}"),
    ):
        Login(mechanism).run()


def test_no_ticket_at_all(kerberos, mechanism):
    with kerberos.used(), pytest.raises(ExchangeError, match="Kerberos: No Kerberos credentials available"):
        Login(mechanism).run()


def test_a_host_that_the_kdc_does_not_know(kerberos, mechanism):
    with (
        kerberos.used(kerberos.log_in("tim")),
        pytest.raises(ExchangeError, match=r"smtp/www\.example\.org@EXAMPLE\.ORG not found"),
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


acting_as = pytest.mark.parametrize(
    ("authzid", "identity"), [("", Identity("tim")), ("tim", Identity("tim")), ("ann", Identity("tim", "ann"))]
)


@acting_as
def test_gsasl_logs_in(require, kerberos, mechanism, authzid, identity):
    program = require("gsasl")
    with (
        kerberos.used(kerberos.log_in("tim")),
        GsaslClient(program, "GSSAPI", hostname=HOST, authorization_id=authzid) as client,
    ):
        assert KnownUsers({}).serve(mechanism, client) == Granted(identity)


@acting_as
def test_cyrus_logs_in(cyrus, kerberos, mechanism, authzid, identity):
    with kerberos.used(kerberos.log_in("tim")), cyrus(authzid) as client:
        assert KnownUsers({}).serve(mechanism, client) == Granted(identity)


@pytest.fixture
def cyrus(require: Require, tmp_path: Path) -> Callable[[str], SampleClient]:
    program = require("sasl-sample-client")
    return lambda authzid: CyrusClient(program, authzid, tmp_path)


class CyrusClient(SampleClient):
    def __init__(self, program: str, authzid: str, folder: Path) -> None:
        super().__init__(program, "GSSAPI", "-u", authzid, "-n", HOST, username="tim", password="", folder=folder)

    def give_password(self) -> None:
        """It asks for none."""


def test_we_log_in_to_gsasl(require, kerberos, keytab):
    program = require("gsasl")
    with (
        kerberos.used(kerberos.log_in("tim"), KRB5_KTNAME=keytab),
        ObligingServer(program, "GSSAPI", hostname=HOST) as server,
    ):
        assert log_in(GSSAPI, Credentials("tim", channel=Channel(host=HOST)), server)
    assert "Authzid: tim\nDisplay Name: tim@EXAMPLE.ORG\n" in server.transcript


def test_we_log_in_to_cyrus(require, kerberos, keytab, tmp_path):
    program = require("sasl-sample-server")
    # It goes by the machine's own name.
    host = socket.gethostname()
    kerberos.add_service("smtp", keytab="keytab", host=host)
    with (
        kerberos.used(kerberos.log_in("tim"), KRB5_KTNAME=keytab),
        SampleServer(program, "GSSAPI", folder=tmp_path) as server,
    ):
        assert log_in(GSSAPI, Credentials("tim", channel=Channel(host=host)), server)
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
