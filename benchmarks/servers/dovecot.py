"""Dovecot's authentication service alone: no protocols, an own base directory, every brake taken off."""

import getpass
import grp
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.servers.server import Missing, Server, running

# No address is made to wait for its failures: the penalty would also cost a question to anvil for every login.
# A failure itself waits for a timer of half a second, even where the delay is 0.
CONFIGURATION = """\
protocols =
base_dir = {directory}/base
state_dir = {directory}/state
log_path = {directory}/dovecot.log
ssl = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_cache_size = {cache}
auth_cache_verify_password_with_worker = yes
passdb {{
{passdb}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home=/nonexistent
}}
service auth {{
  client_limit = 12000
  unix_listener {directory}/auth.sock {{
    mode = 0666
  }}
}}
service anvil {{
  client_limit = 12000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
"""

MECHANISMS = ("PLAIN", "CRAM-MD5")

# Of the table that accounts.write_database makes.
PASSWORD_QUERY = "SELECT name AS user, password FROM users WHERE name = '%u'"

# Without root, every process runs as whoever started Dovecot, and nothing can be locked into a directory.
ROOTLESS = """\
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def passwd_file(path: Path) -> str:
    """A passdb that keeps a passwd-file in memory, and checks passwords in the one process that speaks the protocol."""
    return f"  driver = passwd-file\n  args = {path}"


def sqlite(settings: Path, database: Path, query: str = PASSWORD_QUERY) -> str:
    """A passdb that leaves SQLite, and the passwords, to worker processes; its settings are a file of their own."""
    settings.write_text(f"driver = sqlite\nconnect = {database}\npassword_query = {query}\n")
    return f"  driver = sql\n  args = {settings}"


def tokens(directory: Path, key: Path, algorithm: str) -> str:
    """A passdb that checks signed tokens itself; *key* is the one of those that name none."""
    place = directory / "keys" / "default" / algorithm / "default"
    place.parent.mkdir(parents=True)
    place.write_bytes(key.read_bytes())
    settings = directory / "oauth2.conf"
    settings.write_text(
        "introspection_mode = local\n"
        f"local_validation_key_dict = fs:posix:prefix={directory}/keys/\n"
        "username_attribute = email\n"
    )
    return f"  driver = oauth2\n  mechanisms = oauthbearer\n  args = {settings}"


def version() -> str:
    """Which Dovecot is here; nothing if none is."""
    if not shutil.which("dovecot"):
        return ""
    done = subprocess.run(["dovecot", "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def check_version() -> None:
    """Raise ``Missing`` unless Dovecot is here, and is one whose configuration we can write."""
    found = version()
    if not found:
        raise Missing("Dovecot is not installed")
    if not found.startswith("2.3."):
        raise Missing(f"Dovecot: expected version 2.3, got {found}")


def configured(directory: Path, **settings: str) -> Path:
    """Write a configuration file whose socket is ``auth.sock`` beside it."""
    text = CONFIGURATION.format(directory=directory, **settings)
    if os.geteuid() != 0:
        text += ROOTLESS.format(user=getpass.getuser(), group=grp.getgrgid(os.getegid()).gr_name)
    path = directory / "dovecot.conf"
    path.write_text(text)
    return path


@contextmanager
def dovecot(
    bench: Bench, passdb: str, *, name: str = "Dovecot", cache: str = "64M", mechanisms: Sequence[str] = MECHANISMS
) -> Iterator[Server]:
    """Start Dovecot; where its cache knows an account, the workers still compute the hash."""
    check_version()
    directory = bench.directory_for("dovecot")
    configuration = configured(directory, passdb=passdb, cache=cache, mechanisms=" ".join(mechanisms))
    with bench.server_cpu(), running(name, ["dovecot", "-F", "-c", configuration], directory) as server:
        # The others, master, anvil, log, config and stats, have no part in a login.
        yield replace(server, program="auth")
