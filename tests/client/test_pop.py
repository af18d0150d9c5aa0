"""POP before SMTP: the talk with the mailbox, played; and that both clients visit it first."""

import asyncio
from dataclasses import dataclass, field

import pytest

from ninsho import AsyncClient, Client
from ninsho.client import pop
from ninsho.client.errors import (
    AuthenticationFailed,
    ConnectionLost,
    Desynchronized,
    GreetingRefused,
    NotOffered,
    ServerUnproven,
    TLSFailed,
)
from ninsho.client.flow import run
from ninsho.client.pop import Mailbox
from ninsho.client.secured import Secured
from ninsho.client.session import Opened
from ninsho.client.settings import PopSettings, Settings, TLSMode
from ninsho.client.transcript import Recorder
from ninsho.errors import ConfigurationError, ProtocolError
from ninsho.testing import MailServer
from ninsho.wire.pop3 import Responses, timestamp
from ninsho.wire.smtp import Reply

STAMP = "<1896.697170952@dbc.mtview.ca.us>"
# RFC 1939 §7 has this very example.
EXAMPLE = "c4c9334bac560ecc979e58001b3e22fb"


@pytest.fixture(autouse=True)
def nobody_has_visited():
    pop._visited.clear()
    yield
    pop._visited.clear()


@dataclass
class Played:
    """Answers the wants of a flow by the lines of a talk; what is sent must be what stands there."""

    lines: list[str]
    size: int = 0
    ready: bytes = b""
    sent: bytes = b""
    endpoints: list[str] = field(default_factory=list)

    def open(self, endpoint, _):
        self.endpoints.append(str(endpoint))
        return Opened("192.0.2.7", Secured("TLSv1.3", "cipher") if self._tls() else None)

    def send(self, data):
        self.sent += data
        while b"\r\n" in self.sent:
            line, _, self.sent = self.sent.partition(b"\r\n")
            assert self.lines.pop(0) == f"C: {line.decode()}"

    def receive(self, _, **_more):
        while self.lines and self.lines[0].startswith("S: "):
            self.ready += self.lines.pop(0)[3:].encode().decode("unicode_escape").encode("latin-1") + b"\r\n"
        size = self.size or len(self.ready)
        data, self.ready = self.ready[:size], self.ready[size:]
        return data

    def start_tls(self, _):
        assert self._tls(), self.lines
        return Secured("TLSv1.3", "cipher")

    def compute(self, function):
        return function()

    def close(self):
        self.ready = b""

    def _tls(self):
        if self.lines and self.lines[0] == "TLS":
            self.lines.pop(0)
            return True
        return False


def settings(url="smtp://mrose:tanstaaf@mail.example.com?tls=starttls", **told):
    return Settings.of(url, pop=PopSettings(host="mail.example.com", **told))


def play(talk, told=None, *, size=0, **keywords):
    transport, recorder = Played([line.strip() for line in talk.strip().splitlines()], size), Recorder()
    mailbox = Mailbox(told or settings(**keywords), watch=recorder)
    try:
        run(mailbox.visit(), transport)
    finally:
        recorder.text = "\n".join(recorder.lines)
        play.mailbox, play.recorder, play.transport = mailbox, recorder, transport
    assert transport.lines == []
    return recorder.text


@pytest.mark.parametrize("size", [1, 7, 0])
def test_apop_says_what_the_rfc_says(size):
    text = play(
        f"""
        S: +OK POP3 server ready {STAMP}
        C: CAPA
        S: -ERR what?
        C: APOP mrose {EXAMPLE}
        S: +OK maildrop has 1 message (369 octets)
        C: QUIT
        S: +OK bye
        """,
        size=size,
        port=110,
        tls=TLSMode.NONE,
    )
    assert EXAMPLE not in text
    assert "> APOP mrose (hidden)" in text
    assert play.mailbox.mechanism == "APOP"
    assert play.transport.endpoints == ["mail.example.com:110"]


@pytest.mark.parametrize("size", [1, 0])
def test_a_mechanism_of_ours_is_taken_where_one_is_offered(size):
    text = play(
        f"""
        TLS
        S: +OK ready {STAMP}
        C: CAPA
        S: +OK
        S: TOP
        S: SASL PLAIN X-OTHER
        S: ..stuffed
        S: .
        C: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm
        S: +OK Logged in.
        C: QUIT
        S: +OK
        """,
        size=size,
    )
    assert "> AUTH PLAIN (hidden)" in text
    assert "tanstaaf" not in text


def test_a_challenge_is_answered_by_who_serves_pop():
    # The keyed digest of RFC 2195's own example.
    play(
        """
        S: +OK
        C: CAPA
        S: +OK
        S: SASL CRAM-MD5
        S: .
        C: AUTH CRAM-MD5
        S: + PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+
        C: dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw
        S: +OK
        C: QUIT
        S: +OK
        """,
        settings("smtp://mail.example.com", tls=TLSMode.NONE, username="tim", password="tanstaaftanstaaf"),
    )


def test_what_the_mail_server_is_told_of_mechanisms_holds_here_too():
    told = settings("smtp://mrose:tanstaaf@mail.example.com?auth=scram-sha-256")
    with pytest.raises(NotOffered, match="worth mutual or better"):
        play(f"TLS\nS: +OK {STAMP}\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .", told)


def test_without_a_good_timestamp_the_password_is_said_behind_tls():
    text = play(
        """
        S: +OK ready <19\\xe1.6971@mail>
        C: CAPA
        S: +OK
        S: STLS
        S: .
        C: STLS
        S: +OK begin
        TLS
        C: CAPA
        S: +OK
        S: USER
        S: .
        C: USER mrose
        S: +OK
        C: PASS tanstaaf
        S: +OK
        C: QUIT
        S: +OK
        """,
        tls=TLSMode.STARTTLS,
    )
    assert "> PASS (hidden)" in text
    assert "tanstaaf" not in text


def test_the_password_is_not_said_in_clear():
    with pytest.raises(NotOffered, match="expected TLS or a POP3 server with APOP"):
        play("S: +OK ready\nC: CAPA\nS: -ERR", tls=TLSMode.NONE)
    allowed = settings("smtp://mrose:tanstaaf@mail.example.com?allow_cleartext=yes", tls=TLSMode.NONE)
    play(
        "S: +OK\nC: CAPA\nS: -ERR\nC: USER mrose\nS: +OK\nC: PASS tanstaaf\nS: +OK\nC: QUIT\nS: -ERR never mind",
        allowed,
    )


def test_tls_that_is_required_and_not_offered():
    with pytest.raises(NotOffered, match="offers no STLS"):
        play("S: +OK\nC: CAPA\nS: +OK\nS: USER\nS: .", tls=TLSMode.STARTTLS)


def test_tls_where_it_is_offered():
    text = play(
        f"S: +OK {STAMP}\nC: CAPA\nS: -ERR\nC: APOP mrose {EXAMPLE}\nS: +OK\nC: QUIT\nS: +OK",
        tls=TLSMode.OPPORTUNISTIC,
        allow_cleartext=True,
    )
    assert "TLSv1.3" not in text


def test_what_comes_in_clear_before_tls_is_an_error():
    with pytest.raises(TLSFailed, match="sent more before TLS"):
        play("S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: STLS\nS: +OK begin\nS: +OK injected", tls=TLSMode.STARTTLS)


def test_tls_that_the_server_does_not_begin():
    with pytest.raises(TLSFailed, match="STLS: 535 -ERR no"):
        play("S: +OK\nC: CAPA\nS: +OK\nS: STLS\nS: .\nC: STLS\nS: -ERR no", tls=TLSMode.STARTTLS)


@pytest.mark.parametrize(
    ("said", "temporary"),
    [
        ("-ERR no", False),
        ("-ERR [AUTH] no", False),
        ("-ERR [SYS/PERM] no", False),
        ("-ERR [sys/temp] later", True),
        ("-ERR [IN-USE] somebody reads", True),
        ("-ERR [LOGIN-DELAY] too often", True),
        ("-ERR [X-OTHER] no", False),
    ],
)
def test_a_refusal_reaches_the_caller(said, temporary):
    with pytest.raises(AuthenticationFailed) as caught:
        play(f"S: +OK {STAMP}\nC: CAPA\nS: -ERR\nC: APOP mrose {EXAMPLE}\nS: {said}", tls=TLSMode.NONE)
    assert caught.value.temporary is temporary
    assert caught.value.mechanism == "APOP"
    assert said in str(caught.value)
    assert not any(secret in f"{caught.value!r} {caught.value}" for secret in ("tanstaaf", EXAMPLE))


def test_a_refused_password_is_not_tried_in_another_way():
    with pytest.raises(AuthenticationFailed):
        play(
            f"TLS\nS: +OK {STAMP}\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\nS: -ERR no"
        )


def test_a_password_that_the_server_echoes_is_hidden():
    with pytest.raises(AuthenticationFailed) as caught:
        play("TLS\nS: +OK\nC: CAPA\nS: -ERR\nC: USER mrose\nS: +OK\nC: PASS tanstaaf\nS: -ERR not tanstaaf")
    assert "-ERR not (hidden)" in str(caught.value)
    assert "tanstaaf" not in play.recorder.text


def test_a_server_that_does_not_greet():
    with pytest.raises(ConnectionLost):
        play("TLS")
    with pytest.raises(Desynchronized, match="not a POP3 response: '220 mail"):
        play("TLS\nS: 220 mail.example.com ESMTP")
    with pytest.raises(ServerUnproven):
        play(
            "TLS\nS: +OK\nC: CAPA\nS: +OK\nS: SASL PLAIN\nS: .\nC: AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\nS: + \nC: *\nS: -ERR"
        )


def test_a_greeting_that_refuses():
    with pytest.raises(GreetingRefused, match="-ERR \\[SYS/TEMP\\] go away"):
        play("TLS\nS: -ERR [SYS/TEMP] go away")


@pytest.mark.parametrize(
    ("word", "good"),
    [
        (STAMP, True),
        ("<1.2@localhost>", True),
        ("<a+b/c==@[192.0.2.1]>", True),
        ("<no-at-sign>", False),
        ("<>", False),
        ("<a@b@c>", False),
        ("<a@>", False),
        ("<@b>", False),
        ("<.a@b>", False),
        ('<"a"@b>', False),
        ("<a\x7f@b>", False),
        ("<a@b>x", False),
    ],
)
def test_a_timestamp_must_look_like_a_message_id(word, good):
    assert timestamp(Reply(220, (f"+OK ready {word}".encode(),))) == (word.encode() if good else b"")


def test_two_timestamps_are_none():
    assert timestamp(Reply(220, (f"+OK {STAMP} {STAMP}".encode(),))) == b""


@pytest.mark.parametrize("line", [b"X", b"X" * 16_000])
def test_a_list_that_never_ends_is_an_error(line):
    responses = Responses()
    responses.expect_list()
    responses.feed(b"+OK\r\n" + (line + b"\r\n") * 2000)
    with pytest.raises(ProtocolError, match="at most 1024 lines and 262144 octets"):
        responses.next()
    assert sum(map(len, responses._lines)) <= 262_144 + len(line)


def test_one_visit_counts_for_its_window_and_its_user():
    now = [1000.0]
    told = settings(window=10)

    def mailbox(settings=told):
        return Mailbox(settings, clock=lambda: now[0])

    assert mailbox().is_due
    talk = f"TLS\nS: +OK {STAMP}\nC: CAPA\nS: -ERR\nC: APOP mrose {EXAMPLE}\nS: +OK\nC: QUIT\nS: +OK"
    run(mailbox().visit(), Played(talk.splitlines()))
    assert not mailbox().is_due
    assert mailbox(settings("smtp://other:tanstaaf@mail.example.com")).is_due
    now[0] += 599
    assert not mailbox().is_due
    now[0] += 1
    assert mailbox().is_due


def test_a_visit_that_fails_counts_for_nothing():
    with pytest.raises(AuthenticationFailed):
        play(f"S: +OK {STAMP}\nC: CAPA\nS: -ERR\nC: APOP mrose {EXAMPLE}\nS: -ERR", tls=TLSMode.NONE)
    assert play.mailbox.is_due


def test_a_mailbox_needs_somebody_who_logs_in():
    with pytest.raises(ConfigurationError, match="password: expected one"):
        Mailbox(Settings.of("smtp://mail.example.com:25", pop="pop.example.com"))
    with pytest.raises(ConfigurationError, match="pop: expected a mailbox"):
        Mailbox(Settings.of("smtp://mail.example.com:25"))


def test_a_name_of_two_lines_cannot_be_said():
    told = settings("smtp://mail.example.com", username="mrose\r\nDELE 1", password="x")
    with pytest.raises(NotOffered, match="without line breaks"):
        play("TLS\nS: +OK\nC: CAPA\nS: -ERR", told)


@pytest.mark.parametrize(
    ("url", "mailbox", "told", "allowed"),
    [
        ("smtps://u:p@mail.example.com", "pop://localhost?tls=none", {}, True),
        ("smtps://u:p@mail.example.com", "pop://pop.example.com?tls=none", {}, False),
        ("smtps://u:p@mail.example.com", "pop://pop.example.com?tls=none", {"allow_cleartext": True}, True),
        # Behind a proxy, localhost is the proxy's.
        ("smtps://u:p@mail.example.com", "pop://localhost?tls=none", {"proxy": "socks5h://proxy"}, False),
        ("smtp://mail.example.com", "pop://u:p@localhost?tls=none", {"proxy": "socks5h://proxy"}, False),
        # That the mail server is on this machine says nothing of the mailbox.
        ("smtp+unix://u:p@/run/submission", "pop://pop.example.com?tls=none", {}, False),
        ("smtp+unix://u:p@/run/submission", "pop://pop.example.com?tls=none", {"allow_cleartext": True}, True),
        ("smtp://u:p@localhost?tls=none", "pop://pop.example.com?tls=none", {}, False),
    ],
)
def test_a_password_goes_in_clear_only_to_this_machine(url, mailbox, told, allowed):
    assert Mailbox(Settings.of(url, pop=mailbox, **told)).settings.login.allow_cleartext is allowed


def test_the_password_of_the_mail_server_does_not_go_to_the_mailbox():
    told = Settings.of("smtps://u:p@mail.example.com", pop="pops://:poppw@pop.example.com")
    login = Mailbox(told).settings.login
    assert (login.username, login.password) == ("u", "poppw")


def test_another_host_has_a_certificate_of_its_own():
    pin = "ab" * 32
    told = Settings.of(f"smtps://u:p@mail.example.com?fingerprint={pin}", pop="pop.example.com")
    assert Mailbox(told).settings.trust.fingerprint is None
    told = Settings.of(f"smtps://u:p@mail.example.com?fingerprint={pin}", pop="mail.example.com")
    assert Mailbox(told).settings.trust.fingerprint == pin


def message():
    return b"From: a@example.org\r\nTo: b@example.org\r\n\r\nhello\r\n"


@pytest.fixture
def mailbox_talks(monkeypatch):
    """The mailboxes that were visited; a visit takes no connection."""
    visited = []

    def visit(mailbox):
        visited.append(str(mailbox.endpoint))
        pop._visited[mailbox._key] = mailbox._clock()
        yield from ()

    monkeypatch.setattr(Mailbox, "visit", visit)
    return visited


def test_the_client_visits_the_mailbox_before_it_connects(mailbox_talks):
    with MailServer(users={"mrose": "tanstaaf"}) as server:
        for _ in range(2):
            with Client(server.url_for("mrose"), pop="pop.example.com") as client:
                assert client.send(message()).ok
        assert len(server.messages) == 2
    assert mailbox_talks == ["pop.example.com:995"]


def test_the_asynchronous_client_does_so_too(mailbox_talks):
    async def main(url):
        async with AsyncClient(url, pop="pop.example.com") as client:
            assert (await client.send(message())).ok

    with MailServer(users={"mrose": "tanstaaf"}) as server:
        asyncio.run(main(server.url_for("mrose")))
    assert mailbox_talks == ["pop.example.com:995"]


def test_nothing_is_sent_where_the_mailbox_refuses(monkeypatch):
    def visit(_):
        raise AuthenticationFailed("PASS", Reply(535, (b"-ERR no",)))
        yield

    monkeypatch.setattr(Mailbox, "visit", visit)
    with MailServer(users={"mrose": "tanstaaf"}) as server, Client(server.url_for("mrose"), pop="h") as client:
        with pytest.raises(AuthenticationFailed):
            client.send(message())
        assert server.talks == []
