"""A real Exim for mail clients: it takes mail over TLS, and knows its users itself."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from certificates import Certificates
from exim import PROGRAM, UNPACKED
from exim import USER as EXIM
from mail_server import PASSWORD, USER, MailServer
from mailboxes import Mailbox

from ninsho.cli.throwaway import DOMAIN, ThrowawayProgram, reserved_port

MECHANISMS = ("PLAIN", "LOGIN", "CRAM-MD5")

CONFIGURATION = """
exim_path = {program}
keep_environment = LD_LIBRARY_PATH
add_environment =
primary_hostname = mail.{domain}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%s
pid_file_path = {directory}/spool/pid
process_log_path = {directory}/spool/process
log_selector = +smtp_protocol_error +smtp_syntax_error
local_interfaces = <; 127.0.0.1.{port} ; 127.0.0.1.{tls_port}
tls_on_connect_ports = {tls_port}
disable_ipv6
# The unpacked program is not setuid: its processes stay the user they have become.
deliver_drop_privilege
never_users =
host_lookup =
auth_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {directory}/tls/server.pem
tls_privatekey = {directory}/tls/server.pem
tls_verify_certificates = {directory}/tls/authority.pem
tls_try_verify_hosts = *
dsn_advertise_hosts = *
prdr_enable
# However many come over one connection, and however many connections there are: each is delivered at once.
smtp_accept_queue_per_connection = 0
smtp_accept_max_per_connection = 0
smtp_accept_max = 0
message_size_limit = 50M
acl_smtp_rcpt = recipient
acl_smtp_data = accept

begin acl
recipient:
  accept authenticated = *
         domains = {domain}
  deny   message = log in first, and write to {domain} alone

begin routers
local:
  driver = accept
  domains = {domain}
  transport = mailbox

begin transports
# One maildir for all: what a client said may not become part of a path. Envelope-to tells the users apart.
mailbox:
  driver = appendfile
  directory = {directory}/mail
  maildir_format
  envelope_to_add
  return_path_add

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if eq{{$auth3}}{{${{lookup{{$auth2}}lsearch{{{directory}/users}}{{$value}}fail}}}}}}
  server_set_id = $auth2

login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = Username:: : Password::
  server_condition = ${{if eq{{$auth2}}{{${{lookup{{$auth1}}lsearch{{{directory}/users}}{{$value}}fail}}}}}}
  server_set_id = $auth1

cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${{lookup{{$auth1}}lsearch{{{directory}/users}}{{$value}}fail}}
  server_set_id = $auth1

external:
  driver = external
  public_name = EXTERNAL
  server_advertise_condition = ${{if eq{{$tls_in_certificate_verified}}{{1}}}}
  server_param2 = ${{certextract{{subj_altname,mail,>:}}{{$tls_in_peercert}}}}
  server_condition = ${{if forany{{$auth2}}{{eq{{$item}}{{$auth1}}}}}}
  server_set_id = $auth1
"""


class SubmissionExim(ThrowawayProgram):
    """An Exim with STARTTLS on ``port`` and TLS from the start on *tls_port*; who has logged in may write to ``DOMAIN``.

    EXTERNAL is offered to those with a certificate by *authority*, and lets them in by an address in it.
    """

    name = "exim"
    log_name = "log/main"
    ready = "daemon started"

    def __init__(self, users: dict[str, str], *, tls_port: int, certificate: Path, authority: Path) -> None:
        self._users = users
        self._tls_port = tls_port
        self._tls = {"server.pem": certificate, "authority.pem": authority}

    @property
    def maildir(self) -> Path:
        return self.directory / "mail"

    def lay_out(self) -> Sequence[str | Path]:
        for name in ("spool", "log", "mail", "tls"):
            directory = self.directory / name
            directory.mkdir(mode=0o750)
            shutil.chown(directory, EXIM, EXIM)
        for name, source in self._tls.items():
            self._give(f"tls/{name}", source.read_text())
        self._give("users", "".join(f"{user}: {password}\n" for user, password in self._users.items()))
        configuration = self.directory / "exim.conf"
        settings = {"directory": self.directory, "port": self.port, "tls_port": self._tls_port}
        configuration.write_text(CONFIGURATION.format(program=PROGRAM, domain=DOMAIN, **settings))
        self.environment = {"LD_LIBRARY_PATH": str(UNPACKED / "libraries")}
        return [PROGRAM, "-C", configuration, "-bdf"]

    def _give(self, name: str, text: str) -> None:
        """Write a file that Exim reads once it is not root any more."""
        path = self.directory / name
        path.write_text(text)
        path.chmod(0o600)
        shutil.chown(path, EXIM, EXIM)


@contextmanager
def exim(_: Path, certificates: Certificates) -> Iterator[MailServer]:
    """Exim, with its own way of checking passwords."""
    settings = {"certificate": certificates.good, "authority": certificates.authority}
    with reserved_port() as tls_port, SubmissionExim({USER: PASSWORD}, tls_port=tls_port, **settings) as program:
        mailbox = Mailbox(program.maildir)
        yield MailServer("exim", program.port, tls_port, certificates.authority, MECHANISMS, mailbox, program)
