"""A real Exim for a moment, unpacked by scripts/install-peers since its package cannot be installed beside Postfix's."""

import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from ninsho.cli.throwaway import DOMAIN, ThrowawayProgram
from ninsho.cli.throwaway.maildir import delivered

UNPACKED = Path(__file__).parents[2] / ".peers" / "exim"
PROGRAM = UNPACKED / "usr" / "sbin" / "exim4"
USER = "Debian-exim"

CONFIGURATION = """
exim_path = {program}
keep_environment = LD_LIBRARY_PATH
add_environment =
primary_hostname = mail.{domain}
spool_directory = {directory}/spool
log_file_path = {directory}/log/%s
pid_file_path = {directory}/spool/pid
process_log_path = {directory}/spool/process
local_interfaces = 127.0.0.1
disable_ipv6
# The unpacked program is not setuid: its processes stay the user they have become.
deliver_drop_privilege
never_users =
host_lookup =
auth_advertise_hosts = *
tls_advertise_hosts =
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
{authenticators}
"""

# Detectors look for just this name, in lower case, and for a set_id.
AUTHENTICATOR = """
dovecot_{name}:
  driver = dovecot
  public_name = {mechanism}
  server_socket = {socket}
  server_set_id = $auth1
"""


class ThrowawayExim(ThrowawayProgram):
    """An Exim on a free port of 127.0.0.1; whoever has logged in may send mail to ``DOMAIN``.

    ``socket`` is where it asks who may log in, at each AUTH: a path relative to ``directory``, or ``127.0.0.1 PORT``.
    """

    name = "exim"
    log_name = "log/main"
    ready = "daemon started"

    def __init__(
        self, *, socket: str | Path = "auth", mechanisms: Sequence[str] = ("PLAIN", "LOGIN", "CRAM-MD5")
    ) -> None:
        self._socket = str(socket)
        self._mechanisms = mechanisms

    def mailbox(self, user: str) -> list[bytes]:
        return delivered(self.directory / "mail", header="Envelope-to", address=f"{user}@{DOMAIN}")

    def wait_for_mail(self, user: str) -> list[bytes]:
        return self.wait_for(lambda: self.mailbox(user) or None, what=f"message for {user}")

    def lay_out(self) -> Sequence[str | Path]:
        for name in ("spool", "log", "mail"):
            directory = self.directory / name
            directory.mkdir(mode=0o750)
            shutil.chown(directory, USER, USER)
        configuration = self.directory / "exim.conf"
        configuration.write_text(
            CONFIGURATION.format(
                program=PROGRAM,
                domain=DOMAIN,
                directory=self.directory,
                authenticators="".join(self._authenticators()),
            )
        )
        self.environment = {"LD_LIBRARY_PATH": str(UNPACKED / "libraries")}
        return [PROGRAM, "-C", configuration, "-bdf", "-oX", f"127.0.0.1.{self.port}"]

    def _authenticators(self) -> Iterator[str]:
        # "127.0.0.1 PORT" holds no slash, and a path relative to the directory becomes absolute.
        socket = self._socket if " " in self._socket else self.directory / self._socket
        for mechanism in self._mechanisms:
            name = mechanism.lower().replace("-", "_")
            yield AUTHENTICATOR.format(name=name, mechanism=mechanism, socket=socket)
