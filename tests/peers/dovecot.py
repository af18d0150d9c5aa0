"""A real Dovecot for a moment, its authentication server alone."""

import shutil
from base64 import b64encode
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
{tokens}
passdb {{
  driver = passwd-file
  args = {directory}/users
}}
# Nobody is kept waiting for the failures of others: 17 s at last.
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
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

TOKENS = """
passdb {{
  driver = oauth2
  mechanisms = oauthbearer xoauth2
  args = {directory}/oauth2.conf
}}
"""

# The name of a key's file is from its token's header: who it is for, the algorithm, and the key's own name.
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={directory}/keys/
username_attribute = sub
"""
TOKEN_KEY = Path("keys/default/HS256/default")


class ThrowawayDovecot(ThrowawayProgram):
    """Dovecot's authentication server, which answers on ``socket``, and as well on ``port`` of 127.0.0.1.

    ``users`` are the lines of its passwd-file; more settings go by Dovecot's names, as ``auth_failure_delay="2 secs"``.
    With *token_key* it takes bearer tokens that are signed with that (JWT, HS256).
    """

    name = "dovecot"
    ready = "starting up"

    def __init__(
        self,
        users: str,
        *,
        mechanisms: Sequence[str] = ("PLAIN", "LOGIN"),
        socket: Path | None = None,
        token_key: bytes | None = None,
        **settings: str,
    ) -> None:
        self._users = users
        self._socket = socket
        self._token_key = token_key
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
            CONFIGURATION.format(
                directory=self.directory,
                socket=self.socket,
                port=self.port,
                settings=settings,
                tokens=self._lay_out_tokens(),
            )
        )
        return [program, "-F", "-c", configuration]

    def _lay_out_tokens(self) -> str:
        if self._token_key is None:
            return ""
        (self.directory / "oauth2.conf").write_text(OAUTH2.format(directory=self.directory))
        key = self.directory / TOKEN_KEY
        key.parent.mkdir(parents=True)
        key.write_bytes(b64encode(self._token_key))
        return TOKENS.format(directory=self.directory)
