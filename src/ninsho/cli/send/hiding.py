"""Taking passwords out of the arguments that ps(1) shows of this process to everybody on the machine."""

import re
from contextlib import suppress
from pathlib import Path

from ninsho.cli.terminal import remark
from ninsho.client.keywords import WORDS
from ninsho.client.url import parse

# proc_pid_stat(5): arg_start and arg_end are fields 48 and 49; the first one behind the name in brackets is field 3.
_START, _END = 48 - 3, 49 - 3
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def hide(url: str | None, *, quiet: bool = False) -> None:
    """Take *url* out of the arguments if it holds a password, and say where else that may stand."""
    if url is None or not _holds_secret(url):
        return
    overwrite(url)
    if not quiet:
        remark(
            "ninsho: a password on the command line can be seen by others until it is hidden, and stays in the shell's"
            " history: better are SMTP_URL, --password-from, --password-file and --password-command"
        )


def overwrite(argument: str) -> None:
    """Write asterisks over *argument*; where the system does not allow that, it stays."""
    secret = argument.encode("utf-8", "surrogateescape")
    with suppress(OSError, ValueError, IndexError):
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        start, end = int(fields[_START]), int(fields[_END])
        with Path("/proc/self/mem").open("r+b", buffering=0) as memory:
            memory.seek(start)
            arguments = memory.read(end - start)
            if secret in arguments:
                memory.seek(start)
                memory.write(arguments.replace(secret, b"*" * len(secret)))


def _holds_secret(url: str) -> bool:
    address = parse(url)
    if address.faults:
        # To forget the scheme, or to take another, is no reason for a suspicion.
        match = _SCHEME.match(url)
        address = parse(f"smtp://{url[match.end() if match else 0 :]}")
    # What cannot be read may hold one anywhere.
    secret = any(WORDS[name].secret for name, _ in address.parameters if name in WORDS)
    return bool(address.password is not None or secret or (address.faults and "@" in url))
