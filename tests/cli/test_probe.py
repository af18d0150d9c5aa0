"""``ninsho probe``: what it sees, what it says is wrong, and what it does not do with a password."""

import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import trustme
from command_line import Ended, Run
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st
from sneaked_on import CarelessServer

from ninsho.cli.probe import options
from ninsho.cli.probe.certificate import Certificate as Reading
from ninsho.cli.probe.faults import faults_of
from ninsho.cli.probe.look import Hello, Look
from ninsho.client.errors import ConnectionFailed
from ninsho.client.settings import Endpoint
from ninsho.testing import Certificate, MailServer
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply

ALICE = "alice@example.org"
SECRET = "tanstaaf§"
TOKEN = "ya29.token"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
Probe: TypeAlias = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_URL", "SMTP_HOST"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def certificate() -> Certificate:
    return Certificate.made()


@pytest.fixture
def server(certificate: Certificate) -> Iterator[MailServer]:
    users = {ALICE: SECRET}
    with MailServer(
        users=users,
        tokens={TOKEN: ALICE},
        tls="starttls",
        certificate=certificate,
        size_limit=1000,
        limits={"RCPTMAX": 2},
    ) as running:
        yield running
        assert running.violations == []


def at(server: MailServer, *, trusted: bool = True) -> tuple[str | Path, ...]:
    return (f"localhost:{server.port}", *(("--ca", server.ca_file) if trusted else ()))


def whats(facts: dict[str, Any], *, grave: bool | None = None) -> str:
    return "\n".join(fault["what"] for fault in facts["faults"] if grave in (None, fault["grave"]))


def test_who_forgets_the_scheme_before_a_login_is_told(ninsho: Run) -> None:
    ended = ninsho("probe", "alice@localhost:587")
    assert ended.status == 2
    (line,) = ended.err.splitlines()
    assert line.startswith("ninsho: host: expected a")
    assert line.endswith("; did you mean smtp://…@localhost:587?")


# What it sees


def test_all_that_a_server_offers_is_told(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("probe", *at(server), "--json")
    (facts,) = ended.json
    assert (ended.status, ended.err) == (0, "")
    assert (facts["host"], facts["port"], facts["reached"], facts["good"]) == ("localhost", server.port, True, True)
    assert facts["greeting"] == "220 localhost ESMTP ninsho.testing"
    assert facts["name"] == "localhost"
    assert "STARTTLS" in facts["before_tls"]
    assert "STARTTLS" not in facts["inside_tls"]
    assert "SCRAM-SHA-256-PLUS" in facts["inside_tls"]["AUTH"]
    assert facts["tls"]["version"] == "TLSv1.3"
    assert facts["limits"] == {"SIZE": 1000, "RCPTMAX": 2}
    assert facts["certificate"]["names"] == ["localhost", "127.0.0.1", "::1"]
    assert facts["certificate"]["believed"] is True
    assert facts["logins"] == []
    assert list(facts["milliseconds"]) == ["connect", "greeting", "EHLO", "STARTTLS", "TLS", "QUIT"]
    assert all(taken > 0 for taken in facts["milliseconds"].values())


def test_mechanisms_stand_in_the_clients_order_each_with_its_reason(ninsho: Run, server: MailServer) -> None:
    (facts,) = ninsho("probe", *at(server), "--json").json
    standing = {one["name"]: (one["place"], one["reason"]) for one in facts["mechanisms"]}
    assert standing["SCRAM-SHA-512-PLUS"] == (1, "the best hash, bound to the channel")
    assert standing["PLAIN"][0] == 5
    assert standing["SCRAM-SHA-256"] == (None, "SCRAM-SHA-256-PLUS is offered as well")
    assert standing["OAUTHBEARER"] == (None, "needs a token")
    (facts,) = ninsho("probe", *at(server), "--username", ALICE, "--token-command", "false", "--json").json
    assert facts["mechanisms"][0]["name"] == "OAUTHBEARER"


def test_people_read_the_same(ninsho: Run, server: MailServer) -> None:
    lines = ninsho("probe", *at(server)).out.splitlines()
    assert lines[0] == f"localhost:{server.port}"
    assert "  TLS            TLSv1.3 TLS_AES_256_GCM_SHA384" in lines
    assert "  limits         SIZE 1000, RCPTMAX 2" in lines
    assert "                 believed, and for this name" in lines
    assert any(line.startswith("  mechanisms      1 SCRAM-SHA-512-PLUS ") for line in lines)


def test_implicit_tls_is_found_where_nobody_said_so(ninsho: Run, certificate: Certificate) -> None:
    with MailServer(tls="implicit", certificate=certificate) as server:
        (facts,) = ninsho("probe", *at(server), "--timeout", "300ms", "--json").json
        assert facts["before_tls"] is None
        assert facts["tls"]["version"] == "TLSv1.3"
        assert ninsho("probe", f"smtps://localhost:{server.port}?ca={server.ca_file}").status == 0


def test_the_environments_server_is_looked_at_where_none_is_named(
    ninsho: Run, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_URL", server.url_for(ALICE))
    assert ninsho("probe").out.startswith(f"localhost:{server.port}\n")


def test_all_ports_of_a_host_are_tried(ninsho: Run, certificate: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    with (
        MailServer(users={ALICE: SECRET}, tls="starttls", certificate=certificate) as one,
        MailServer(users={ALICE: SECRET}, tls="implicit", certificate=certificate) as two,
    ):
        monkeypatch.setattr(options, "PORTS", (one.port, two.port, 1))
        monkeypatch.setattr(options, "IMPLICIT_PORT", two.port)
        login = ("--username", ALICE, "--password-file", "-", "--try-mechanisms")
        ended = ninsho("probe", "localhost", "--ca", one.ca_file, *login, "--json", stdin=SECRET)
    assert ended.status == 0
    first, second, third = ended.json
    assert (first["before_tls"] is None, second["before_tls"] is None) == (False, True)
    assert (third["reached"], "nothing listens there" in whats(third)) == (False, True)
    # A wrong password need not be refused on every port.
    assert [len(facts["logins"]) > 0 for facts in ended.json] == [True, False, False]


def test_nobody_there_is_unavailable(ninsho: Run) -> None:
    ended = ninsho("probe", "127.0.0.1:1")
    assert (ended.status, ended.err) == (69, "")
    assert "not reached    nothing listens there" in ended.out


@pytest.mark.parametrize("target", ["mail.example.org:x", "http://x", "[::1", "smtp://u:secret@h:99999"])
def test_a_target_that_is_none_is_wrong_usage(ninsho: Run, target: str) -> None:
    ended = ninsho("probe", target)
    assert ended.status == 2
    assert "secret" not in ended.err.replace("--password", "")


# What is wrong


@pytest.mark.parametrize(
    ("names", "expired", "sentences"),
    [
        ((), True, ["the server's certificate has expired"]),
        (("elsewhere.example",), False, ["the server's certificate is for another name"]),
        (("elsewhere.example",), True, ["another name", "has expired"]),
    ],
)
def test_a_bad_certificate_is_told_of_and_all_else_as_well(
    ninsho: Run, names: tuple[str, ...], sentences: list[str], *, expired: bool
) -> None:
    made = Certificate.made(*names, expired=expired)
    with MailServer(users={ALICE: SECRET}, tls="starttls", certificate=made) as server:
        ended = ninsho("probe", *at(server), "--json")
    (facts,) = ended.json
    assert ended.status == 1
    assert all(sentence in whats(facts, grave=True) for sentence in sentences)
    assert facts["certificate"]["believed"] is False
    assert "AUTH" in facts["inside_tls"]
    assert facts["mechanisms"][0]["place"] == 1


def test_a_certificate_of_nobody_is_not_believed(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("probe", *at(server, trusted=False))
    assert ended.status == 1
    assert "not believed: the server's certificate comes from an authority that is not known here" in ended.out


@pytest.mark.parametrize("only", [True, False])
def test_tls_that_is_broken_is_told_of(ninsho: Run, *, only: bool) -> None:
    made = Certificate.made()
    made.context.set_ciphers("ALL:@SECLEVEL=0")
    made.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    if only:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            made.context.maximum_version = ssl.TLSVersion.TLSv1
    with MailServer(tls="starttls", certificate=made) as server:
        ended = ninsho("probe", *at(server), "--json")
    (facts,) = ended.json
    assert ended.status == (1 if only else 0)
    if only:
        assert "speaks TLSv1 only, which is broken" in whats(facts, grave=True)
    else:
        assert "agrees to TLSv1.1 as well, which is broken" in whats(facts, grave=False)


@pytest.mark.parametrize(
    ("keywords", "sentence", "grave"),
    [
        ({"without": ("8BITMIME",)}, "8BITMIME missing", False),
        ({"extensions": {"STARTTLS": ""}}, "offers STARTTLS inside of TLS", True),
        ({"users": {ALICE: SECRET}, "mechanisms": ("CRAM-MD5",)}, "must store passwords in a form that can be", False),
        ({"extensions": {"AUTH=PLAIN": "LOGIN"}}, "offers AUTH only with =", True),
        ({"users": {ALICE: SECRET}}, "LOGIN before TLS: whoever listens can read the password", False),
    ],
)
def test_a_fault_is_told_in_plain_words(
    ninsho: Run, certificate: Certificate, keywords: dict[str, Any], sentence: str, *, grave: bool
) -> None:
    with MailServer(tls="starttls", certificate=certificate, **keywords) as server:
        ended = ninsho("probe", *at(server), "--json")
    (facts,) = ended.json
    (fault,) = [fault for fault in facts["faults"] if sentence in fault["what"]]
    assert fault["grave"] is grave
    assert fault["remedy"]
    assert ended.status == int(grave)


def test_what_comes_in_clear_before_tls_is_a_fault(ninsho: Run, server: MailServer) -> None:
    server.garble("STARTTLS", behind=b"250 forged\r\n")
    ended = ninsho("probe", *at(server))
    assert ended.status == 1
    assert "the server, or somebody in between, sent more before TLS began" in ended.out


@pytest.mark.parametrize(("code", "text"), [(554, "5.7.1 not you"), (421, "4.3.2 later")])
def test_a_server_that_refuses_us_is_told_of(ninsho: Run, server: MailServer, code: int, text: str) -> None:
    server.fail("greeting", code, text)
    ended = ninsho("probe", *at(server))
    assert ended.status == 1
    assert f"{code} {text}" in ended.out


def test_a_server_that_says_nothing_is_told_of(ninsho: Run) -> None:
    with MailServer() as server:
        server.silence("greeting")
        ended = ninsho("probe", *at(server, trusted=False), "--timeout", "200ms")
    assert ended.status == 1
    assert "no reply within 0.2 s" in ended.out


def test_a_terminal_is_not_commanded(ninsho: Run, server: MailServer) -> None:
    server.fail("greeting", 220, "\x1b[2J mail")
    assert "\x1b" not in ninsho("probe", *at(server), "--transcript").out


@pytest.mark.parametrize("keeps", [True, False])
def test_commands_that_sneak_in_before_tls_are_noticed(ninsho: Run, *, keeps: bool) -> None:
    with CarelessServer(keeps=keeps) as server:
        (facts,) = ninsho("probe", server.place, "--sneak", "--json").json
    assert ("takes what came in clear behind STARTTLS" in whats(facts)) is keeps


def test_nothing_sneaks_in_unasked(ninsho: Run) -> None:
    with CarelessServer(keeps=True) as server:
        (facts,) = ninsho("probe", server.place, "--json").json
    assert "CVE-2011-0411" not in whats(facts)


# Where it matters who listens


def seen(*extensions: bytes, host: str = "mail.example.org", port: int = 587) -> Look:
    reply = Reply(250, (b"mail.example.org", *extensions))
    return Look(Endpoint(host, port), implicit=False, before=Hello(reply, Capabilities.read(reply)))


def test_on_the_open_network_it_is_grave_to_show_passwords_and_to_have_no_tls() -> None:
    faults = [fault.what for fault in faults_of(seen(b"AUTH PLAIN CRAM-MD5"), None, NOW) if fault.grave]
    assert faults == [
        "offers PLAIN before TLS: whoever listens can read the password",
        "has no TLS: mail and logins can be read and changed on their way",
    ]
    assert not [fault for fault in faults_of(seen(b"AUTH PLAIN", host="127.0.0.1"), None, NOW) if fault.grave]


def test_a_port_for_submission_must_let_people_log_in() -> None:
    for port, expected in ((587, True), (25, False)):
        whats = [fault.what for fault in faults_of(seen(b"STARTTLS", port=port), None, NOW)]
        assert ("lets nobody log in, on a port for submission" in whats) is expected


def test_a_server_should_know_its_name() -> None:
    found = seen(b"STARTTLS")
    reply = Reply(250, (b"localhost", b"STARTTLS"))
    found.before = Hello(reply, Capabilities.read(reply))
    assert any("calls itself localhost" in fault.what for fault in faults_of(found, None, NOW))


@pytest.mark.parametrize(("days", "sentence"), [(5, "its certificate expires in 5 days"), (60, "")])
def test_a_certificate_that_ends_soon_is_told_of(days: int, sentence: str) -> None:
    reading = Reading("", "", ("mail.example.org",), NOW, NOW + timedelta(days=days, hours=1))
    told = [fault.what for fault in faults_of(seen(b"STARTTLS"), reading, NOW) if "certificate" in fault.what]
    assert told == ([sentence] if sentence else [])


def test_a_slow_greeting_is_told_of() -> None:
    found = seen(b"STARTTLS")
    found.seconds["greeting"] = 31.0
    assert any(fault.what == "greets after 31 s" for fault in faults_of(found, None, NOW))


def test_who_cannot_be_reached_has_the_reason_for_a_fault() -> None:
    found = Look(Endpoint("mail.example.org", 587), implicit=False)
    found.error = ConnectionFailed([("mail.example.org:587", "no way leads to the host")])
    assert [fault.what for fault in faults_of(found, None, NOW)] == ["no way leads to the host"]


# Certificates


def test_certificates_are_read_as_others_read_them() -> None:
    leaf = trustme.CA(organization_name="Grüße AG").issue_cert(
        "mail.example.org", "*.example.net", "192.0.2.1", "2001:db8::1", common_name="mail"
    )
    der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
    ours, theirs = Reading.read(der), x509.load_der_x509_certificate(der)
    names = theirs.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ours.names == tuple(str(name.value) for name in names)
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    assert (ours.subject, ours.issuer) == ("mail", "Grüße AG")


@pytest.mark.parametrize("octets", [b"", b"\x30", b"\x30\x82\xff", b"\x30\x03\x02\x01\x01", bytes(64)])
def test_what_is_no_certificate_is_not_read(octets: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        Reading.read(octets)


DER = ssl.PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())


@given(st.integers(0, len(DER) - 1), st.integers(0, 255))
def test_a_certificate_with_any_octet_changed_is_read_or_is_none(place: int, octet: int) -> None:
    with suppress(ValueError):
        Reading.read(DER[:place] + bytes([octet]) + DER[place + 1 :])


@pytest.mark.parametrize(
    ("host", "fits"),
    [("mail.example.org", True), ("MAIL.example.org.", True), ("a.example.net", True), ("a.b.example.net", False)],
)
def test_a_star_stands_for_one_label(host: str, *, fits: bool) -> None:
    reading = Reading("", "", ("mail.example.org", "*.example.net"), NOW, NOW)
    assert reading.is_for(host) is fits


# Logging in


def verdicts(facts: dict[str, Any]) -> dict[str, str]:
    return {login["mechanism"]: login["verdict"] for login in facts["logins"]}


def test_each_mechanism_is_tried_on_a_connection_of_its_own(ninsho: Run, server: MailServer) -> None:
    ended = ninsho(
        "probe", *at(server), "--username", ALICE, "--password-file", "-", "--try-mechanisms", "--json", stdin=SECRET
    )
    (facts,) = ended.json
    assert ended.status == 0
    tried = verdicts(facts)
    assert tried.pop("OAUTHBEARER") == tried.pop("XOAUTH2") == "not tried"
    assert set(tried.values()) == {"granted"}
    assert {"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"} <= tried.keys()


def test_a_refusal_is_told_with_its_code_and_text(ninsho: Run, server: MailServer) -> None:
    options = ("--username", ALICE, "--password-file", "-", "--try-mechanisms", "--auth", "PLAIN")
    ended = ninsho("probe", *at(server), *options, stdin="wrong")
    assert ended.status == 1
    assert "denied: PLAIN: 535 5.7.8 Authentication credentials invalid" in ended.out
    assert "not tried: LOGIN, " in ended.out
    assert ": only PLAIN is asked for\n" in ended.out


def test_what_a_server_has_against_a_token_is_told(ninsho: Run, server: MailServer) -> None:
    options = ("--username", ALICE, "--token-command", "echo bad", "--try-mechanisms", "--json")
    (facts,) = (ended := ninsho("probe", *at(server), *options)).json
    assert ended.status == 1
    (login,) = [login for login in facts["logins"] if login["mechanism"] == "OAUTHBEARER"]
    assert (login["verdict"], login["code"]) == ("denied", 535)
    assert login["refusal"]["status"] == "invalid_token"
    assert "bad" not in ended.out


def test_one_that_the_server_spoils_fails_alone(ninsho: Run, server: MailServer) -> None:
    server.drop(at="response", when=lambda mechanism: mechanism == "CRAM-MD5")
    ended = ninsho(
        "probe", *at(server), "--username", ALICE, "--password-file", "-", "--try-mechanisms", "--json", stdin=SECRET
    )
    (facts,) = ended.json
    assert ended.status == 1
    assert {name for name, verdict in verdicts(facts).items() if verdict == "failed"} == {"CRAM-MD5"}


def test_no_password_goes_to_a_server_that_is_not_believed_unless_told(ninsho: Run, server: MailServer) -> None:
    options = (*at(server, trusted=False), "--username", ALICE, "--password-file", "-", "--try-mechanisms", "--json")
    ended = ninsho("probe", *options, stdin=SECRET)
    assert set(verdicts(ended.json[0]).values()) == {"not tried"}
    assert not any(b"AUTH" in talk.heard for talk in server.talks)
    ended = ninsho("probe", *options, "--log-in-anyway", stdin=SECRET)
    assert verdicts(ended.json[0])["PLAIN"] == "granted"
    assert ended.status == 1


def test_a_password_is_not_asked_for_where_it_is_not_needed(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("probe", *at(server), "--username", ALICE, "--password-command", "false")
    assert ended.status == 0


def test_mechanisms_cannot_be_tried_without_a_login(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("probe", *at(server), "--try-mechanisms")
    assert ended.status == 2
    assert "--try-mechanisms: expected a user name" in ended.err


def test_secrets_are_in_no_output(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("probe", server.url_for(ALICE), "--try-mechanisms", "--transcript")
    assert ended.status == 0
    assert "> AUTH PLAIN (hidden)" in ended.err
    for text in (ended.out, ended.err):
        assert SECRET not in text
        assert "tanstaaf%C2%A7" not in text


def test_a_login_goes_in_clear_only_where_that_is_said(ninsho: Run) -> None:
    with MailServer(users={ALICE: SECRET}) as server:
        options = ("--username", ALICE, "--password-file", "-", "--try-mechanisms", "--json")
        (facts,) = (ended := ninsho("probe", f"127.0.0.1:{server.port}", *options, stdin=SECRET)).json
        assert set(verdicts(facts).values()) == {"not tried"}
        assert ended.status == 1
        (facts,) = ninsho("probe", f"127.0.0.1:{server.port}", *options, "--tls", "none", stdin=SECRET).json
        assert verdicts(facts)["PLAIN"] == "granted"
