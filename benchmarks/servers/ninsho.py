"""ninsho's server, as an administrator runs it: a configuration file and ``ninsho serve``."""

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.servers.server import Missing, Server, last_line, running

NINSHO: list[str | Path] = [sys.executable, "-m", "ninsho"]

# What a Dovecot passdb asks to find the same account in the same database.
PASSWORD_QUERY = (
    "SELECT accounts.name AS user, secrets.stored AS password "
    "FROM accounts JOIN secrets ON secrets.account_id = accounts.id "
    "WHERE accounts.name_key = '%Lu' ORDER BY secrets.position LIMIT 1"
)

CONFIGURATION = """\
[failure]
delay = "0s"
[log]
decisions = "{decisions}"
[[listen]]
unix = "{directory}/auth.sock"
mechanisms = {mechanisms}
[[store]]
{store}
"""


def passwd_file(path: Path) -> str:
    """A store that reads accounts from a passwd-file."""
    return f'type = "passwd-file"\npath = "{path}"'


def database(path: Path) -> str:
    """A store that keeps accounts in an SQLite database."""
    return f'type = "database"\nurl = "sqlite:///{path}"'


def configured(
    directory: Path, store: str, *, mechanisms: Sequence[str] = ("PLAIN",), decisions: str = "failures"
) -> Path:
    """Write a configuration file whose socket is ``auth.sock`` beside it."""
    path = directory / "ninsho.toml"
    path.write_text(
        CONFIGURATION.format(directory=directory, store=store, mechanisms=json.dumps(mechanisms), decisions=decisions)
    )
    return path


def import_accounts(configuration: Path, passwd: Path) -> None:
    """Put the accounts of a passwd-file into the configured database."""
    command = [*NINSHO, "user", "import", "--config", configuration, passwd]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Missing(f"ninsho does not import accounts: {last_line(done.stderr)}")


@contextmanager
def ninsho(
    bench: Bench,
    store: str,
    *,
    name: str = "ninsho",
    mechanisms: Sequence[str] = ("PLAIN",),
    decisions: str = "failures",
) -> Iterator[Server]:
    """Start ninsho; ``decisions`` says which of them are logged: failures, all, none."""
    directory = bench.directory_for("ninsho")
    command = [*NINSHO, "serve", "--config", configured(directory, store, mechanisms=mechanisms, decisions=decisions)]
    with bench.server_cpu(), running(name, command, directory) as server:
        yield server
