"""A mailbox of a real Dovecot: filled over LMTP, read over POP3 with TLS and without, deleted from, and left alone."""

from email.message import EmailMessage

import pytest
from mail_server import PASSWORD, USER
from submission_dovecot import LMTP, TOKEN_KEY, _Dovecot
from test_real_pop3 import POP3

from ninsho import Client
from ninsho.cli.throwaway import reserved_port
from ninsho.client.errors import AuthenticationFailed, TLSFailed
from ninsho.client.mailbox import Mailbox

LONG = "あ" * 30_000


class MailboxDovecot(_Dovecot):
    """Dovecot's POP3 service, and LMTP on ``lmtp_port`` to fill the mailbox by."""

    protocols = "pop3 lmtp"

    def __init__(self, certificates, tls_port, lmtp_port):
        super().__init__({USER: PASSWORD}, certificate=certificates.good, token_key=TOKEN_KEY)
        self.tls_port, self.lmtp_port = tls_port, lmtp_port
        self.authority = certificates.authority

    def services(self):
        pop3 = POP3.format(mechanisms="scram-sha-256 plain", port=self.port, tls_port=self.tls_port)
        return pop3 + LMTP.format(port=self.lmtp_port, directory=self.directory)


@pytest.fixture
def dovecot(require, certificates):
    for program in ("dovecot", "/usr/lib/dovecot/pop3-login", "/usr/lib/dovecot/lmtp"):
        require(program, root=True)
    with (
        reserved_port() as tls_port,
        reserved_port() as lmtp_port,
        MailboxDovecot(certificates, tls_port, lmtp_port) as running,
    ):
        yield running


@pytest.fixture
def filled(dovecot):
    with Client(host="127.0.0.1", port=dovecot.lmtp_port, protocol="lmtp", tls="none") as client:
        for number in range(3):
            assert client.send(composed(number), sender="a@example.org", recipients=[USER]).ok
    return dovecot


def composed(number):
    message = EmailMessage()
    message["Subject"] = f"件名 {number}"
    message["From"] = "山田 <taro@example.org>"
    message.set_content(f".{number}\n..\n{LONG}\n.\n")
    message.add_attachment(b"\0\xff" * 50_000, maintype="application", subtype="pdf", filename="見積書.pdf")
    return message


def mailbox(dovecot, scheme="pop3s", **keywords):
    port = dovecot.tls_port if scheme == "pop3s" else dovecot.port
    told = {"username": USER, "password": PASSWORD, "ca": dovecot.authority, **keywords}
    return Mailbox(f"{scheme}://localhost:{port}", **told)


@pytest.mark.parametrize("scheme", ["pop3s", "pop3"])
def test_messages_are_read(filled, scheme):
    with mailbox(filled, scheme) as box:
        assert len(box) == 3
        for number, message in enumerate(box):
            mail = message.read()
            assert mail.subject == f"件名 {number}"
            assert str(mail.from_[0]) == '"山田" <taro@example.org>'
            assert mail.text == f".{number}\n..\n{LONG}\n.\n"
            assert mail.attachments[0].filename == "見積書.pdf"
            assert mail.attachments[0].data == b"\0\xff" * 50_000
            assert message.size == len(message.octets)
            assert message.top() == message.octets.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"
            assert message.uid
    assert box.settings.trust.verify


def test_what_is_deleted_is_gone_and_what_is_seen_is_passed_over(filled):
    with mailbox(filled) as box:
        seen = {box[1].uid}
        box[0].delete()
    with mailbox(filled, seen=seen) as box:
        assert [message.read().subject for message in box] == ["件名 2"]
        assert box.total == 2


def test_after_an_exception_all_is_still_there(filled):
    def failing():
        with mailbox(filled) as box:
            for message in box:
                message.delete()
            raise LookupError

    with pytest.raises(LookupError):
        failing()
    with mailbox(filled) as box:
        assert len(box) == 3


def test_a_wrong_password_and_an_unknown_certificate(dovecot):
    with pytest.raises(AuthenticationFailed), mailbox(dovecot, password="wrong"):
        pass
    with pytest.raises(TLSFailed, match="authority that is not known here"), mailbox(dovecot, ca=None):
        pass
