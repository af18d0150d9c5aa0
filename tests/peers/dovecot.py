"""A real Dovecot for a moment, its authentication server alone."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from ninsho.cli.throwaway import ProgramUnavailable, ThrowawayProgram

CONFIGURATION = """
base_dir = {directory}/base
state_dir = {directory}/state
log_path = {directory}/log
protocols =
ssl = no
auth_verbose = yes
{settings}
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
service auth {{
  unix_listener {socket} {{
    mode = 0666
  }}
  inet_listener {{
    address = 127.0.0.1
    port = {port}
  }}
}}
"""


class ThrowawayDovecot(ThrowawayProgram):
    """Dovecot's authentication server, which answers on ``socket``, and as well on ``port`` of 127.0.0.1.

    ``users`` are the lines of its passwd-file; more settings go by Dovecot's names, as ``auth_failure_delay="2 secs"``.
    """

    name = "dovecot"
    ready = "starting up"

    def __init__(
        self,
        users: str,
        *,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        socket: Path | None = None,
        **settings: str,
    ) -> None:
        self._users = users
        self._socket = socket
        self._settings = {
            "auth_mechanisms": " ".join(mechanisms).lower(),
            # Nothing waits unless a test wants it to.
            "auth_failure_delay": "0 secs",
            "auth_cache_size": "0",
            **settings,
        }

    @property
    def socket(self) -> Path:
        return self._socket or self.directory / "auth"

    def lay_out(self) -> Sequence[str | Path]:
        if (program := shutil.which("dovecot", path="/usr/sbin:/usr/local/sbin")) is None:
            raise ProgramUnavailable("dovecot is not installed: scripts/install-peers installs it")
        users = self.directory / "users"
        users.write_text(self._users)
        # It is read by the user dovecot.
        users.chmod(0o644)
        configuration = self.directory / "dovecot.conf"
        settings = "\n".join(f"{name} = {value}" for name, value in self._settings.items())
        configuration.write_text(
            CONFIGURATION.format(directory=self.directory, socket=self.socket, port=self.port, settings=settings)
        )
        return [program, "-F", "-c", configuration]
