"""Every mechanism logs in at the server for tests, by the server sides that the daemon has."""

import smtplib
import ssl
from dataclasses import replace

import pytest
from line_talk import HELLO, MAIL, LineTalk, encoded

from ninsho import Await, Challenge, Denial, Denied, Granted, Identity, Verify, mechanism
from ninsho.errors import ExchangeError, StoreUnavailable
from ninsho.sasl.channel_binding import bindings_of
from ninsho.sasl.choosing import channel_for
from ninsho.sasl.dialogue import Inspection
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.oauth import Refusal, read_refusal
from ninsho.sasl.registry import clients
from ninsho.sasl.secrets import CramKey, DigestKey, ScramSha1Keys, ScramSha256Keys
from ninsho.testing import Certificate, MailServer

TIM = Credentials("tim", "tanstaaf")
TOKEN = Credentials("tim", token="ya29.good")
PASSWORDS = [
    "PLAIN",
    "LOGIN",
    "CRAM-MD5",
    "DIGEST-MD5",
    "SCRAM-SHA-1",
    "SCRAM-SHA-256",
    "SCRAM-SHA-512",
    "SCRAM-SHA3-512",
]
TOKENS = ["OAUTHBEARER", "XOAUTH2"]
PLUS = [f"{name}-PLUS" for name in PASSWORDS if name.startswith("SCRAM")]


@pytest.fixture(scope="module")
def certificate():
    return Certificate.made()


@pytest.fixture
def server():
    tokens = {"ya29.good": "tim", "ya29.narrow": Inspection(None, "insufficient_scope", scope="mail.send")}
    with MailServer(users={"tim": "tanstaaf", "tom": "x"}, tokens=tokens, masters=["tim"]) as running:
        yield running


def attempt(server, name, credentials, *, talk=None):
    """Log in by *name*; return the last reply, and the exchange."""
    exchange = Exchange(clients()[name].client(credentials))
    with talk or LineTalk(server) as line:
        line.ask(HELLO)
        return line.log_in(exchange, name), exchange


@pytest.mark.parametrize("name", [*PASSWORDS, *TOKENS])
def test_the_right_secret_logs_in(server, name):
    credentials = TOKEN if name in TOKENS else TIM
    with LineTalk(server) as talk:
        talk.ask(HELLO)
        said = talk.log_in(Exchange(clients()[name].client(credentials)), name)
        assert said == "235 2.7.0 Authentication successful"
        talk.send()
    assert (server.messages[0].mechanism, server.messages[0].username) == (name, "tim")
    assert server.violations == []


@pytest.mark.parametrize("name", [*PASSWORDS, *TOKENS])
def test_the_wrong_secret_is_refused(server, name):
    wrong = replace(TOKEN, token="ya29.bad") if name in TOKENS else replace(TIM, password="wrong")
    said, _ = attempt(server, name, wrong)
    assert said == "535 5.7.8 Authentication credentials invalid"
    stranger, _ = attempt(server, name, replace(wrong, username="nobody"))
    assert stranger == said


@pytest.mark.parametrize("name", TOKENS)
def test_what_is_wrong_with_a_token_is_told(server, name):
    said, exchange = attempt(server, name, replace(TOKEN, token="ya29.narrow"))
    assert said.startswith("535")
    status = "403" if name == "XOAUTH2" else "insufficient_scope"
    assert read_refusal(exchange.challenge) == Refusal(status, "mail.send")


@pytest.mark.parametrize("name", PLUS)
def test_scram_binds_the_channel(certificate, name):
    with MailServer(users={"tim": "tanstaaf"}, tls="implicit", certificate=certificate) as server:
        talk = LineTalk(server, implicit=True)
        channel = Channel(bindings=bindings_of(talk.socket))
        assert "tls-server-end-point" in channel.bindings
        credentials = replace(TIM, channel=channel_for(clients()[name], [name], channel))
        assert attempt(server, name, credentials, talk=talk)[0].startswith("235")


def test_a_forged_list_of_mechanisms_is_noticed(certificate):
    with MailServer(users={"tim": "tanstaaf"}, tls="implicit", certificate=certificate) as server:
        talk = LineTalk(server, implicit=True)
        # The client could bind, and believes that the server cannot: the flag "y".
        credentials = replace(TIM, channel=Channel(bindings=bindings_of(talk.socket)))
        assert attempt(server, "SCRAM-SHA-256", credentials, talk=talk)[0].startswith("535")


def test_a_server_without_plus_does_not_mind_the_flag_y(certificate):
    options = {"users": {"tim": "tanstaaf"}, "mechanisms": ["scram-sha-256"], "tls": "implicit"}
    with MailServer(**options, certificate=certificate) as server:
        talk = LineTalk(server, implicit=True)
        credentials = replace(TIM, channel=Channel(bindings=bindings_of(talk.socket)))
        assert attempt(server, "SCRAM-SHA-256", credentials, talk=talk)[0].startswith("235")


def test_a_certificate_logs_in(certificate, tmp_path):
    (tmp_path / "tim.pem").write_bytes(certificate.client_pem("tim"))
    context = certificate.trusting()
    context.load_cert_chain(tmp_path / "tim.pem")
    with MailServer(tls="implicit", certificate=certificate) as server:
        with LineTalk(server, implicit=True) as stranger:
            assert "AUTH" not in stranger.ask(HELLO)
        with LineTalk(server, implicit=True, context=context) as talk:
            assert "AUTH EXTERNAL" in talk.ask(HELLO)
            assert talk.log_in(Exchange(clients()["EXTERNAL"].client(Credentials())), "EXTERNAL").startswith("235")
            talk.send()
        assert server.messages[0].username == "tim"


def test_a_certificate_of_files_is_read(certificate, tmp_path):
    made = Certificate.made("localhost")
    leaf = made.maker.issue_cert("localhost")
    leaf.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    made.maker.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    read = Certificate.read(tmp_path / "server.pem", clients=tmp_path / "authority.pem")
    with (
        MailServer(tls="implicit", certificate=read) as server,
        LineTalk(server, implicit=True, context=made.trusting()) as talk,
    ):
        assert talk.send().startswith("250")


def test_an_expired_certificate_is_not_believed():
    with MailServer(tls="implicit", certificate=Certificate.made(expired=True)) as server:
        context = server.certificate.trusting()
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            smtplib.SMTP_SSL("localhost", server.port, context=context)


def test_only_masters_act_as_others(server):
    for name, authzid, code in (("tim", "tom", "235"), ("tim", "nobody", "535"), ("tom", "tim", "535")):
        said, _ = attempt(server, "PLAIN", Credentials(name, "tanstaaf" if name == "tim" else "x", authzid=authzid))
        assert said[:3] == code


STORED = [
    (ScramSha256Keys.of(b"tanstaaf", iterations=4096), ["PLAIN", "SCRAM-SHA-256"], ["CRAM-MD5", "SCRAM-SHA-1"]),
    (CramKey.of(b"tanstaaf"), ["LOGIN", "CRAM-MD5"], ["DIGEST-MD5", "SCRAM-SHA-256"]),
    (DigestKey.of("tim", "", "tanstaaf"), ["PLAIN", "DIGEST-MD5"], ["CRAM-MD5"]),
    ([CramKey.of(b"tanstaaf"), ScramSha1Keys.of(b"tanstaaf", iterations=4096)], ["CRAM-MD5", "SCRAM-SHA-1"], []),
]


@pytest.mark.parametrize(("stored", "good", "bad"), STORED)
def test_stored_secrets_do_for_their_mechanisms(stored, good, bad):
    with MailServer(users={"tim": stored}) as server:
        assert {attempt(server, name, TIM)[0][:3] for name in good} == {"235"}
        assert {attempt(server, name, TIM)[0][:3] for name in bad} <= {"535"}
        assert attempt(server, "PLAIN", replace(TIM, password="wrong"))[0].startswith("535")


def test_passwords_may_have_any_letters():
    with MailServer(users={"ティム": "パスワード\u00ad \uff21BC"}) as server:
        credentials = Credentials("ティム", "パスワード ABC")
        assert {attempt(server, name, credentials)[0][:3] for name in ("PLAIN", "SCRAM-SHA-256")} == {"235"}


@mechanism("OREORE", plaintext=True)
def oreore(response):
    if response is None:
        response = yield from Challenge(b"who?")
    return Granted(Identity(response.decode()))


def test_a_mechanism_of_ones_own_logs_in():
    with MailServer(mechanisms=[oreore, "PLAIN"], users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        assert "AUTH PLAIN OREORE" in talk.ask(HELLO)
        assert talk.ask("AUTH OREORE") == f"334 {encoded(b'who?')}"
        assert talk.ask(encoded(b"tim")).startswith("235")
        talk.send()
        assert server.messages[0].username == "tim"


def test_a_mechanism_may_await():
    async def answer():
        return True

    async def fail():
        raise ValueError("no")

    @mechanism("WAITING")
    def waiting(response):
        try:
            yield from Await(fail())
        except ValueError:
            good = yield from Await(answer())
        assert (yield from Verify("tim", "tanstaaf"))
        return Granted(Identity("tim")) if good else Denied(Denial.MISMATCH)

    with MailServer(mechanisms=[waiting], users={"tim": "tanstaaf"}) as server, LineTalk(server) as talk:
        assert talk.ask(HELLO, "AUTH WAITING =").startswith("235")


def test_what_a_mechanism_fails_with_is_raised():
    @mechanism("BROKEN")
    def broken(response):
        raise ZeroDivisionError("of mine")

    server = MailServer(mechanisms=[broken]).start()
    with LineTalk(server) as talk:
        assert talk.ask(HELLO, "AUTH BROKEN =") == "454 4.7.0 Temporary authentication failure"
    with pytest.raises(ZeroDivisionError, match="of mine"):
        server.stop()


def test_an_outage_is_temporary():
    @mechanism("OUT")
    def out(response):
        raise StoreUnavailable("closed")

    with MailServer(mechanisms=[out]) as server, LineTalk(server) as talk:
        assert talk.ask(HELLO, "AUTH OUT").startswith("454")


def test_unknown_mechanisms_are_named():
    with pytest.raises(ValueError, match=r"expected names such as PLAIN, .*, got SCRAM-MD5"):
        MailServer(mechanisms=["SCRAM-MD5"])


def test_anonymous_is_offered_where_it_is_named():
    with MailServer(mechanisms=["ANONYMOUS"]) as server:
        assert attempt(server, "ANONYMOUS", Credentials("guest"))[0].startswith("235")


def test_a_login_may_be_required():
    with MailServer(users={"tim": "tanstaaf"}, require_auth=True) as server, LineTalk(server) as talk:
        assert talk.ask(HELLO, MAIL) == "530 5.7.0 Authentication required"
        assert talk.log_in(Exchange(clients()["PLAIN"].client(TIM)), "PLAIN").startswith("235")
        assert talk.send().startswith("250")


def test_passwords_may_be_protected():
    with MailServer(users={"tim": "tanstaaf"}, protect_passwords=True) as server, LineTalk(server) as talk:
        offered = talk.ask(HELLO)
        assert "PLAIN" not in offered
        assert "SCRAM-SHA-256" in offered
        assert talk.ask("AUTH PLAIN AHRpbQB0YW5zdGFhZg==").startswith("538 5.7.11")
        assert server.violations == ["connection 1: AUTH: PLAIN shows the password, and there is no TLS"]


def test_the_talk_of_auth_is_strict(server):
    with LineTalk(server) as talk:
        assert talk.ask("AUTH PLAIN").startswith("503 5.5.1 EHLO first")
        assert talk.ask(HELLO, "AUTH FOO").startswith("504 5.5.4")
        assert talk.ask("AUTH PLAIN a").startswith("501 5.5.2")
        assert talk.ask("AUTH LOGIN") == "334 VXNlcm5hbWU6"
        assert talk.ask("*") == "501 5.7.0 Authentication aborted"
        assert talk.ask("AUTH LOGIN", "no base64").startswith("501 5.5.2")
        assert talk.ask("AUTH PLAIN", f"{'A' * 12_400}").startswith("500 5.5.6")
        assert talk.ask("AUTH PLAIN =").startswith("535"), "an empty response is none of PLAIN's"
        assert talk.ask("AUTH PLAIN AHRpbQB0YW5zdGFhZg==").startswith("235")
        assert talk.ask("AUTH PLAIN AHRpbQB0YW5zdGFhZg==").startswith("503 5.5.1")
    assert [text.split(": ", 1)[1] for text in server.violations] == [
        "AUTH: expected EHLO first",
        "AUTH: expected base64 and CRLF",
        "response: expected base64 and CRLF",
        "AUTH: after one that has succeeded (RFC 4954 §4)",
    ]


@pytest.mark.parametrize("name", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_smtplib_logs_in(server, name):
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.ehlo("client.example")
        client.user, client.password = "tim", "tanstaaf"
        client.auth(name, getattr(client, f"auth_{name.lower().replace('-', '_')}"))
        client.sendmail("a@example.org", ["b@example.org"], "hello\n")
    assert server.messages[0].mechanism == name
    assert server.violations == []


def test_success_without_the_servers_signature_is_no_success(server):
    server.fail("response", 235, "2.7.0 Trust me")
    with pytest.raises(ExchangeError, match="has not proved that it knows the password"):
        attempt(server, "SCRAM-SHA-256", TIM)


def test_a_server_may_ask_for_ever(server):
    server.fail("response", 334, "")
    with LineTalk(server) as talk:
        talk.ask(HELLO, "AUTH LOGIN")
        assert {talk.ask(encoded(b"tim")) for _ in range(20)} == {"334 "}
