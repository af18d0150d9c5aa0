"""POP before SMTP at a real Dovecot: each way to log in, with TLS and without, and a mail behind it."""

import asyncio

import pytest
from mail_server import PASSWORD, USER
from submission_dovecot import TOKEN_KEY, _Dovecot

from ninsho import AsyncClient, Client
from ninsho.cli.throwaway import reserved_port
from ninsho.client import pop
from ninsho.client.errors import AuthenticationFailed, NotOffered, TLSFailed
from ninsho.client.settings import PopSettings, TLSMode
from ninsho.client.transcript import Recorder
from ninsho.testing import MailServer

MESSAGE = b"From: a@example.org\r\nTo: b@example.org\r\n\r\nhello\r\n"

POP3 = """
auth_mechanisms = {mechanisms}
service pop3-login {{
  inet_listener pop3 {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener pop3s {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
"""


class Pop3Dovecot(_Dovecot):
    """Dovecot's POP3 service: STLS on ``port``, TLS from the start on ``tls_port``."""

    protocols = "pop3"

    def __init__(self, certificates, tls_port, mechanisms):
        super().__init__({USER: PASSWORD}, certificate=certificates.good, token_key=TOKEN_KEY)
        self.tls_port = tls_port
        self.authority = certificates.authority
        self._mechanisms = mechanisms

    def services(self):
        return POP3.format(mechanisms=self._mechanisms, port=self.port, tls_port=self.tls_port)


@pytest.fixture(scope="session", params=["scram-sha-256 plain", "apop"])
def dovecot(request, require, certificates):
    for program in ("dovecot", "/usr/lib/dovecot/pop3-login"):
        require(program, root=True)
    with reserved_port() as tls_port, Pop3Dovecot(certificates, tls_port, request.param) as running:
        yield running


@pytest.fixture
def receiver():
    pop._visited.clear()
    with MailServer() as server:
        yield server
    pop._visited.clear()


def mailbox(dovecot, tls, password=PASSWORD):
    port = dovecot.tls_port if tls is TLSMode.IMPLICIT else dovecot.port
    return PopSettings(
        host="localhost",
        port=port,
        tls=tls,
        username=USER,
        password=password,
        allow_cleartext=tls is TLSMode.OPPORTUNISTIC,
    )


def sent(receiver, dovecot, tls, *, recorder=None, **told):
    trust = {} if tls is TLSMode.NONE else {"ca": str(dovecot.authority)}
    # The mail server has no TLS of its own; whom to believe holds for the mailbox.
    settings = {"tls": "opportunistic"} if trust else {"tls": "none"}
    with Client(
        host="127.0.0.1",
        port=receiver.port,
        pop=mailbox(dovecot, tls, **told),
        transcript=recorder,
        **settings,
        **trust,
    ) as client:
        assert client.send(MESSAGE).ok


@pytest.mark.parametrize("tls", TLSMode, ids=lambda mode: mode.value)
def test_a_mailbox_is_visited_and_the_mail_is_sent(dovecot, receiver, tls):
    recorder = Recorder()
    sent(receiver, dovecot, tls, recorder=recorder)
    text = "\n".join(recorder.lines)
    assert "Logged in." in text
    assert PASSWORD not in text
    assert ("TLSv1" in text) is (tls is not TLSMode.NONE)
    assert "> APOP" in text or "> AUTH SCRAM-SHA-256 (hidden)" in text
    assert text.index("> QUIT") < text.index("> EHLO")
    assert len(receiver.messages) == 1


def test_the_asynchronous_client_visits_it_too(dovecot, receiver):
    async def main():
        told = {"tls": "opportunistic", "ca": str(dovecot.authority), "pop": mailbox(dovecot, TLSMode.STARTTLS)}
        async with AsyncClient(host="127.0.0.1", port=receiver.port, **told) as client:
            assert (await client.send(MESSAGE)).ok

    asyncio.run(main())
    assert len(receiver.messages) == 1


def test_a_wrong_password_is_the_end_of_it(dovecot, receiver):
    with pytest.raises(AuthenticationFailed) as caught:
        sent(receiver, dovecot, TLSMode.STARTTLS, password="wrong")
    assert "-ERR [AUTH] Authentication failed." in str(caught.value)
    assert caught.value.permanent
    assert receiver.talks == []


def test_a_certificate_that_nobody_knows(dovecot, receiver):
    with (
        Client(host="127.0.0.1", port=receiver.port, tls="none", pop=mailbox(dovecot, TLSMode.IMPLICIT)) as client,
        pytest.raises(TLSFailed, match="authority that is not known here"),
    ):
        client.send(MESSAGE)
    assert receiver.talks == []


def test_a_level_that_the_mailbox_cannot_have(dovecot, receiver):
    told = {"username": USER, "password": PASSWORD, "minimum": "bound", "tls": "none", "allow_cleartext": True}
    with (
        Client(host="127.0.0.1", port=receiver.port, pop=mailbox(dovecot, TLSMode.NONE), **told) as client,
        pytest.raises(NotOffered, match="worth bound or better"),
    ):
        client.send(MESSAGE)
