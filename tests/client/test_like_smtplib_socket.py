"""The socket under smtplib's face: a program may make it by its own hook, or bring it along."""

import smtplib
import socket
import ssl

import pytest

from ninsho.like_smtplib import LMTP, SMTP, SMTP_SSL
from ninsho.testing import MailServer

TEXT = "From: a@example.org\nTo: b@example.org\n\nhello\n"


class Tunnel:
    """What PySocks' users put in front of a class: each connection goes another way."""

    asked = ()

    def _get_socket(self, host, port, timeout):
        self.asked = (host, port, timeout)
        return socket.create_connection(("127.0.0.1", self.port), timeout)


def through(server, kind, **own):
    return type("Through", (Tunnel, kind), {"port": server.port, **own})


@pytest.fixture
def server():
    with MailServer(users={"tim": "tanstaaf"}) as running:
        yield running


@pytest.fixture(scope="module")
def implicit():
    with MailServer(users={"tim": "tanstaaf"}, mechanisms=["PLAIN"], tls="implicit") as running:
        yield running


def test_a_programs_own_way_is_gone(server):
    with through(server, SMTP)("mail.example.com", 587, timeout=9) as smtp:
        assert smtp.asked == ("mail.example.com", 587, 9)
        smtp.sendmail("a@example.org", "b@example.org", TEXT)
    assert len(server.messages) == 1


def test_it_may_ask_how_it_is_done_otherwise(server):
    class Noting(SMTP):
        def _get_socket(self, host, port, timeout):
            self.found = super()._get_socket(host, port, timeout)
            return self.found

    with Noting("127.0.0.1", server.port) as smtp:
        assert smtp.sock is smtp.found


def test_its_errors_are_its_own(server):
    class TorSaysNo(OSError):
        pass

    def refuse(*_):
        raise TorSaysNo("no such circuit")

    with pytest.raises(TorSaysNo, match="no such circuit"):
        type("Refusing", (SMTP,), {"_get_socket": refuse})("mail.example.com")


def test_tls_begins_on_it_and_is_verified(implicit):
    kind = through(implicit, SMTP_SSL)
    with pytest.raises(ssl.SSLCertVerificationError):
        kind("localhost", 465)
    with kind("localhost", 465, context=implicit.certificate.trusting()) as smtp:
        assert smtp.login("tim", "tanstaaf")[0] == 235
    with pytest.raises(ssl.SSLCertVerificationError):
        kind("mail.example.com", 465, context=implicit.certificate.trusting())


@pytest.mark.parametrize("kind", [SMTP, SMTP_SSL])
def test_it_may_have_shaken_hands_already(implicit, kind):
    def shaken(self, host, port, timeout):
        plain = Tunnel._get_socket(self, host, port, timeout)
        return implicit.certificate.trusting().wrap_socket(plain, server_hostname=self._host)

    with through(implicit, kind, _get_socket=shaken)("localhost", 465) as smtp:
        smtp.allow_cleartext = False
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_a_unix_socket_takes_no_way(tmp_path):
    with MailServer(protocol="lmtp", path=tmp_path / "lmtp") as server:
        kind = type("Through", (Tunnel, LMTP), {})
        with kind(str(tmp_path / "lmtp")) as lmtp:
            assert lmtp.asked == ()
        assert server.violations == []


def test_a_socket_may_be_brought_along(server):
    with SMTP() as smtp:
        smtp.sock = socket.create_connection(("127.0.0.1", server.port))
        assert smtp.getreply()[0] == 220
        assert smtp.sendmail("a@example.org", "b@example.org", TEXT) == {}
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_a_socket_that_was_brought_along_is_of_an_unknown_server():
    with MailServer(users={"tim": "tanstaaf"}, mechanisms=["PLAIN"]) as server, SMTP() as smtp:
        smtp.sock = socket.create_connection(("127.0.0.1", server.port))
        smtp.getreply()
        with pytest.raises(smtplib.SMTPNotSupportedError, match="PLAIN: no TLS"):
            smtp.login("tim", "tanstaaf")
        smtp.allow_cleartext = True
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_its_name_may_be_said():
    with MailServer(users={"tim": "tanstaaf"}, tls="starttls") as server, SMTP() as smtp:
        smtp._host = "localhost"
        smtp.sock = socket.create_connection(("127.0.0.1", server.port))
        smtp.getreply()
        assert smtp.starttls(context=server.certificate.trusting())[0] == 220
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_hands_may_be_shaken_by_hand():
    with (
        MailServer(users={"tim": "tanstaaf"}, mechanisms=["PLAIN"], tls="starttls") as server,
        SMTP("localhost", server.port) as smtp,
    ):
        smtp.allow_cleartext = False
        smtp.docmd("EHLO", "client.example")
        assert smtp.docmd("STARTTLS")[0] == 220
        smtp.sock = server.certificate.trusting().wrap_socket(smtp.sock, server_hostname="localhost")
        smtp.ehlo()
        assert smtp.login("tim", "tanstaaf")[0] == 235


def test_a_socket_may_be_taken_away(server):
    smtp = SMTP("127.0.0.1", server.port)
    with smtp.sock as taken:
        smtp.sock = None
        assert smtp.sock is None
        with pytest.raises(OSError, match="connect"):
            smtp.noop()
        taken.sendall(b"NOOP\r\n")
        assert taken.recv(100).startswith(b"250")
