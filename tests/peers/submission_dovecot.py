"""A real Dovecot for mail clients: its submission service before a relay, and its LMTP service into maildirs."""

import json
import shutil
import time
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from hmac import digest
from pathlib import Path

from certificates import Certificates
from mail_server import FULL, PASSWORD, USER, LmtpServer, MailServer
from mailboxes import Mailbox
from submission_postfix import UNTOUCHED, served_by

from ninsho.cli.throwaway import DOMAIN, ProgramUnavailable, ThrowawayPostfix, ThrowawayProgram, reserved_port

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256")
WITH_TOKENS = ("OAUTHBEARER", "XOAUTH2")

# For whom mail fits nowhere.
SMALL = "userdb_quota_rule=*:bytes=10"

CONFIGURATION = """
base_dir = {directory}/base
state_dir = {directory}/state
log_path = {directory}/log
protocols = {protocols}
hostname = mail.{domain}
auth_verbose = yes
auth_mechanisms = {mechanisms}
auth_failure_delay = 0 secs
# Without a name of a realm DIGEST-MD5 takes no user whose name has one.
auth_realms = {domain}
disable_plaintext_auth = no
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{certificate}
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {directory}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
userdb {{
  driver = passwd-file
  args = username_format=%u {directory}/users
}}
first_valid_uid = 1
mail_uid = 65534
mail_gid = 65534
mail_home = {directory}/mail/%u
mail_location = maildir:{directory}/mail/%u/maildir
mail_plugins = quota
mail_max_userip_connections = 0
plugin {{
  quota = count:everybody
  quota_vsizes = yes
}}
{services}
# Nobody is kept waiting for the failures of others: 17 s at last.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

SUBMISSION = """
submission_relay_host = 127.0.0.1
submission_relay_port = {relay_port}
submission_relay_trusted = yes
service submission-login {{
  inet_listener submission {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener submissions {{
    address = 127.0.0.1
    port = {tls_port}
    ssl = yes
  }}
}}
"""

LMTP = """
service lmtp {{
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
  unix_listener {directory}/lmtp {{
    mode = 0666
  }}
}}
"""

# The name of a key's file is from its token's header: who it is for, the algorithm, and the key's own name.
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={directory}/keys/
username_attribute = sub
"""
KEY_FILE = Path("keys/default/HS256/default")


class _Dovecot(ThrowawayProgram):
    """What both services have in common: users with their passwords, and a certificate."""

    name = "dovecot"
    ready = "starting up"
    protocols = ""

    def __init__(self, users: Mapping[str, str], *, certificate: Path, token_key: bytes) -> None:
        self._users = users
        self._certificate = certificate
        self._token_key = token_key

    def services(self) -> str:
        """What stands in the configuration for what this one serves."""
        raise NotImplementedError

    def lay_out(self) -> Sequence[str | Path]:
        if (program := shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")) is None:
            raise ProgramUnavailable("dovecot is not installed: scripts/install-peers installs it")
        mail = self.directory / "mail"
        mail.mkdir()
        # Of the user nobody, as in `mail_uid`.
        shutil.chown(mail, 65534, 65534)
        self._lay_out_users()
        configuration = self.directory / "dovecot.conf"
        configuration.write_text(
            CONFIGURATION.format(
                directory=self.directory,
                protocols=self.protocols,
                domain=DOMAIN,
                mechanisms=" ".join((*MECHANISMS, *WITH_TOKENS)).lower(),
                certificate=self._certificate,
                services=self.services(),
            )
        )
        return [program, "-F", "-c", configuration]

    def _lay_out_users(self) -> None:
        users = self.directory / "users"
        lines = (f"{user}:{{PLAIN}}{word}::::::{SMALL * (user == FULL)}\n" for user, word in self._users.items())
        users.write_text("".join(lines))
        # It is read by the user dovecot.
        users.chmod(0o644)
        (self.directory / "oauth2.conf").write_text(OAUTH2.format(directory=self.directory))
        key = self.directory / KEY_FILE
        key.parent.mkdir(parents=True)
        key.write_bytes(b64encode(self._token_key))


class SubmissionDovecot(_Dovecot):
    """Dovecot's submission service: STARTTLS on ``port``, TLS from the start on *tls_port*, the mail to *relay_port*.

    It takes the passwords of *users*, and tokens that are signed with *token_key* (JWT, HS256).
    """

    protocols = "submission"

    def __init__(
        self, users: Mapping[str, str], *, tls_port: int, relay_port: int, certificate: Path, token_key: bytes
    ) -> None:
        super().__init__(users, certificate=certificate, token_key=token_key)
        self._tls_port = tls_port
        self._relay_port = relay_port

    def services(self) -> str:
        return SUBMISSION.format(port=self.port, tls_port=self._tls_port, relay_port=self._relay_port)


class LmtpDovecot(_Dovecot):
    """Dovecot's LMTP service on ``port`` and on ``socket``; mail for the user ``FULL`` is more than there is room for."""

    protocols = "lmtp"

    @property
    def socket(self) -> Path:
        return self.directory / "lmtp"

    @property
    def mail(self) -> Path:
        """The directory with a directory for each user, and a maildir there."""
        return self.directory / "mail"

    def services(self) -> str:
        return LMTP.format(port=self.port, directory=self.directory)


# Whoever speaks to it is Dovecot, which has asked for a password.
RELAY = {
    **UNTOUCHED,
    "smtpd_sasl_auth_enable": "no",
    "mynetworks": "127.0.0.1",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "smtpd_authorized_xclient_hosts": "127.0.0.1",
}
TOKEN_KEY = bytes(range(32))


@contextmanager
def dovecot(_: Path, certificates: Certificates) -> Iterator[MailServer]:
    """Dovecot's submission service before a Postfix."""
    with (
        ThrowawayPostfix(extra_main=RELAY) as relay,
        reserved_port() as tls_port,
        SubmissionDovecot(
            {USER: PASSWORD},
            tls_port=tls_port,
            relay_port=relay.port,
            certificate=certificates.good,
            token_key=TOKEN_KEY,
        ) as program,
    ):
        yield replace(
            served_by(relay, "dovecot", tls_port, certificates),
            port=program.port,
            program=program,
            mechanisms=MECHANISMS,
            with_tokens=WITH_TOKENS,
            token=dovecot_token,
        )


def dovecot_token() -> str:
    """A JSON web token that Dovecot knows the key of (RFC 7515)."""
    now = int(time.time())
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": USER, "iat": now - 60, "exp": now + 600})
    claims = ".".join(_base64url(json.dumps(part).encode()) for part in parts)
    return f"{claims}.{_base64url(digest(TOKEN_KEY, claims.encode(), 'sha256'))}"


def _base64url(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@contextmanager
def lmtp(certificates: Certificates) -> Iterator[LmtpServer]:
    """Dovecot's LMTP service."""
    users = dict.fromkeys((*LmtpServer.known, LmtpServer.full), PASSWORD)
    with LmtpDovecot(users, certificate=certificates.good, token_key=TOKEN_KEY) as program:
        mailbox = Mailbox(program.mail, "*/maildir/new/*")
        yield LmtpServer(program.port, program.socket, certificates.authority, mailbox, program)
