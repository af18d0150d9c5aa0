"""Bounces that a real Postfix and a real Exim write, of their own accord and of what others told them, read back."""

from dataclasses import dataclass
from email.message import EmailMessage

import pytest
from exim import PROGRAM, UNPACKED
from mail_server import FULL, PASSWORD, USER
from submission_exim import SubmissionExim

from ninsho import Client
from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix, reserved_port
from ninsho.mail import bounce
from ninsho.mail.bounce import verp
from ninsho.mail.message import Options, Recipient
from ninsho.mail.reading import read
from ninsho.testing import MailServer

SENDER = f"bounces@{DOMAIN}"
NOBODY = f"nobody@{DOMAIN}"
REFUSAL = "550 5.1.1 No such user here"


@dataclass(frozen=True)
class Case:
    """A recipient, and what is to be read of the bounce."""

    recipient: str
    action: str
    status: str
    diagnosis: str
    remote_mta: str = ""
    notify: tuple[str, ...] = ("FAILURE", "DELAY")


POSTFIX = {
    "by Postfix itself": Case("alice@unknown.example", "failed", "5.1.1", "no such user"),
    "a domain that is nowhere": Case("alice@nowhere.example", "failed", "5.1.2", "delivers to example.test alone"),
    "by another server": Case("alice+tag@refused.example", "failed", "5.1.1", REFUSAL, "127.0.0.1"),
    "by Dovecot, which does not know him": Case(NOBODY, "failed", "5.1.1", "User doesn't exist", "127.0.0.1"),
    "by Dovecot, which has no room": Case(FULL, "failed", "5.2.2", "Quota exceeded", "127.0.0.1"),
    "not yet": Case("alice@late.example", "delayed", "4.4.1", "Connection refused"),
    "delivered": Case(f"ann@{DOMAIN}", "delivered", "2.0.0", "delivered to maildir", notify=("SUCCESS",)),
    "relayed": Case("bob@refused.example", "relayed", "2.0.0", "250", "127.0.0.1", notify=("SUCCESS",)),
}


@pytest.fixture(scope="session")
def refusing():
    with MailServer(without=["DSN"]) as server:
        server.fail("RCPT", REFUSAL, when=lambda address: address.startswith("alice"), times=None)
        yield server


@pytest.fixture(scope="session")
def postfix(require, refusing, lmtp_server):
    require("postfix", root=True)
    transports = {
        "unknown.example": "error:5.1.1 no such user",
        "refused.example": f"smtp:[127.0.0.1]:{refusing.port}",
        # Nothing listens there.
        "late.example": "smtp:[127.0.0.1]:1",
        **dict.fromkeys((FULL, NOBODY), f"lmtp:inet:127.0.0.1:{lmtp_server.port}"),
    }
    table = ", ".join(f"{{{name} = {transport}}}" for name, transport in transports.items())
    settings = {
        "smtpd_sasl_auth_enable": "no",
        "mynetworks": "127.0.0.1",
        "smtpd_relay_restrictions": "permit_mynetworks, reject",
        "smtpd_recipient_restrictions": "permit_mynetworks, reject",
        "transport_maps": f"inline:{{{table}}}",
        "delay_warning_time": "1s",
        # Nobody is refused before there is something to send back.
        "smtpd_reject_unlisted_recipient": "no",
    }
    with ThrowawayPostfix(extra_main=settings, extra_master=["lmtp unix - - n - - lmtp"]) as running:
        yield running


def composed():
    message = EmailMessage()
    message["From"] = "お知らせ <news@example.test>"
    message["To"] = "all@example.test"
    message["Subject"] = "今月の便り"
    message["Message-ID"] = "<letter.1@example.test>"
    message.set_content("本文\n")
    return message


def returned(postfix, case, sender):
    """Send a message that comes back; return what came."""
    with Client(host="127.0.0.1", port=postfix.port, tls="none") as client:
        options = Options(envid="row-17", ret="HDRS")
        recipient = Recipient(case.recipient, notify=case.notify, orcpt=case.recipient)
        assert client.send(composed(), sender=sender, recipients=[recipient], options=options).ok
    (octets,) = postfix.wait_for_mail(sender.partition("@")[0])
    return octets


@pytest.mark.parametrize("name", POSTFIX)
def test_what_postfix_sends_back(postfix, name):
    case = POSTFIX[name]
    octets = returned(postfix, case, verp(SENDER, case.recipient))
    found = bounce.read(octets, sender=SENDER)
    assert found.form == "rfc3464"
    assert (found.verp, found.returned_to) == (case.recipient, verp(SENDER, case.recipient))
    assert (found.message_id, found.original_sender) == ("<letter.1@example.test>", "news@example.test")
    assert (found.envelope_id, found.reporting_mta) == ("row-17", f"mail.{DOMAIN}")
    (report,) = found.reports
    assert (report.recipient, report.action, report.status) == (case.recipient, case.action, case.status)
    assert (report.original_recipient, report.remote_mta) == ("", case.remote_mta)
    assert case.diagnosis in report.diagnosis
    assert report.permanent is (case.status[0] == "5")
    assert read(octets).subject
    if case.action in ("failed", "delayed"):
        as_words(octets, case, "postfix")


def as_words(octets, case, form):
    """Take away all but the text, as servers sent it before there was a standard: it says the same."""
    mail = read(octets)
    header = "Return-Path: <>\nFrom: MAILER-DAEMON@mail.example.test\n\n"
    found = bounce.read(f"{header}{mail.text}".encode())
    assert found.form == form
    (report,) = found.reports
    assert (report.recipient, report.action) == (case.recipient, case.action)
    # Postfix has no place for the code of its own errors in words.
    if case.remote_mta:
        assert report.status == case.status
    assert case.diagnosis in report.diagnosis


ROUTERS = """
begin routers
failing:
  driver = redirect
  domains = unknown.example
  allow_fail
  data = :fail: no such user
remote:
  driver = manualroute
  domains = refused.example
  transport = outside
  route_list = * 127.0.0.1
  self = send
"""
TRANSPORTS = """
begin transports
outside:
  driver = smtp
  port = {port}
  hosts_try_auth = :
  hosts_avoid_tls = *
  allow_localhost
"""
EXIM = {
    "by Exim itself": Case("alice@unknown.example", "failed", "5.0.0", "no such user"),
    "by another server": Case("alice@refused.example", "failed", "5.1.1", REFUSAL, "127.0.0.1"),
}


class BouncingExim(SubmissionExim):
    """An Exim that takes mail for anybody, and sends some on to the server on *refusing*."""

    refusing = 0

    def lay_out(self):
        command = super().lay_out()
        path = self.directory / "exim.conf"
        text = path.read_text().replace("begin routers\n", ROUTERS.lstrip())
        text = text.replace("begin transports\n", TRANSPORTS.lstrip().format(port=self.refusing))
        path.write_text(text.replace(f"         domains = {DOMAIN}\n", ""))
        return command

    def came_to(self, address):
        found = [path.read_bytes() for path in self.maildir.glob("new/*")]
        return [octets for octets in found if f"Envelope-to: {address}".encode() in octets]


@pytest.fixture(scope="session")
def exim(require, refusing, certificates):
    require(PROGRAM, root=True)
    assert UNPACKED
    settings = {"certificate": certificates.good, "authority": certificates.authority}
    with reserved_port() as tls_port:
        program = BouncingExim({USER: PASSWORD}, tls_port=tls_port, **settings)
        program.refusing = refusing.port
        with program:
            program.authority = certificates.authority
            yield program


@pytest.mark.parametrize("name", EXIM)
def test_what_exim_sends_back(exim, name):
    case, sender = EXIM[name], verp(SENDER, EXIM[name].recipient)
    login = {"username": USER, "password": PASSWORD, "ca": exim.authority}
    with Client(host="localhost", port=exim.port, tls="starttls", **login) as client:
        assert client.send(composed(), sender=sender, recipients=[case.recipient]).ok
    (octets,) = exim.wait_for(lambda: exim.came_to(sender) or None, what="a bounce")
    found = bounce.read(octets, sender=SENDER)
    assert found.verp == case.recipient
    assert (found.message_id, found.original_sender) == ("<letter.1@example.test>", "news@example.test")
    (report,) = found.reports
    assert (report.recipient, report.action, report.status) == (case.recipient, case.action, case.status)
    as_words(octets, case, "exim")
