"""A site for the demonstration: a configuration, a mechanism of its own, a database and two users."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ninsho.cli.demo.stage import Stage
from ninsho.cli.endings import CommandError
from ninsho.cli.passwords import generate

NINSHO = (sys.executable, "-m", "ninsho")

OREORE = '''\
"""OREORE, "my very own": whoever says a name is that user."""

from ninsho import Challenge, Granted, Identity, mechanism


@mechanism("OREORE", plaintext=True)
def oreore(response):
    if response is None:
        response = yield from Challenge(b"")
    return Granted(Identity(response.decode()))
'''

MECHANISMS = ["PLAIN", "LOGIN", "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "OREORE"]

CONFIGURATION = """\
[[listen]]
unix = "{socket}"
mechanisms = {mechanisms}
{owner}
[[store]]
type = "database"
url = "sqlite:///{folder}/accounts.db"

[[mechanism]]
file = "oreore.py"
"""


class User(NamedTuple):
    """Somebody with an account, and how it stores the password."""

    name: str
    password: str = ""
    schemes: tuple[str, ...] = ()


class Site:
    """What ``ninsho serve`` needs, in *folder*; it will listen on *socket*, which belongs to *owner*."""

    def __init__(self, folder: Path, socket: Path, *, owner: str | None = None) -> None:
        self.socket = socket
        self.config = folder / "ninsho.toml"
        self.alice = User("alice", generate(), ("ARGON2ID",))
        # These never send the password: the server has to store what each of them looks at.
        self.bob = User("bob", generate(), ("SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5"))
        owned = "" if owner is None else f'owner = "{owner}"\n'
        (folder / "oreore.py").write_text(OREORE)
        mechanisms = json.dumps(MECHANISMS)
        self.config.write_text(CONFIGURATION.format(socket=socket, owner=owned, folder=folder, mechanisms=mechanisms))

    def add_users(self, stage: Stage) -> None:
        """Add the users, as an administrator would."""
        for user in (self.alice, self.bob):
            schemes = [word for scheme in user.schemes for word in ("--scheme", scheme)]
            command = ["user", "add", user.name, *schemes, "--password-stdin"]
            stage.remark(f"$ ninsho {' '.join(command)}")
            stage.remark(self._run(*command, stdin=f"{user.password}\n"))

    def _run(self, *command: str, stdin: str) -> str:
        done = subprocess.run(  # noqa: S603 - ourselves
            [*NINSHO, *command, "--config", str(self.config)],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
        )
        if done.returncode != 0:
            raise CommandError(f"ninsho {' '.join(command)}: {' / '.join(done.stderr.splitlines()[-3:])}")
        return done.stdout.strip()


def environment() -> dict[str, str]:
    """Return what a ninsho of the demonstration inherits: nothing that could change what it does."""
    kept = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    return {"PATH": os.environ.get("PATH", os.defpath), **kept}
