"""The text of a first configuration: what was found on this machine, explained, and nothing more."""

import json
from dataclasses import dataclass
from pathlib import Path

HEADER = """\
# ninsho's configuration. Everything is optional; an unknown key is an error.
# `ninsho config check` tells what is wrong, `ninsho config show` what is in force.
# The server reads it again when it gets SIGHUP.
"""

EPILOGUE = """
# Mechanisms of your own: a Python file.
#[[mechanism]]
#file = "oreore.py"

# Which logins are written to the log: "all", "failures" or "none".
[log]
decisions = "all"
"""


@dataclass(frozen=True, slots=True)
class Socket:
    """A UNIX socket to listen on, what it is for, and who may open it."""

    path: Path
    purpose: str
    owner: str | None = None
    group: str | None = None


def text(sockets: list[Socket], database_url: str) -> str:
    """Return the text of the file."""
    return "".join((HEADER, *map(_listen, sockets), _store(database_url), EPILOGUE))


def _listen(socket: Socket) -> str:
    settings = {"unix": str(socket.path), "mode": "0660", "owner": socket.owner, "group": socket.group}
    # A string of TOML is written as one of JSON.
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in settings.items() if value is not None)
    return f"\n# {socket.purpose}\n[[listen]]\n" + "".join(lines)


def _store(url: str) -> str:
    return f"""
# Accounts: `ninsho user add` makes them. More stores may follow; they are asked in this order.
[[store]]
type = "database"
url = {json.dumps(url)}
"""
