"""A child process that ends when we do, together with everything it started and wrote; and a port for it."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from signal import SIGKILL, SIGTERM, Signals
from tempfile import gettempdir

# How long a program may take to end when asked to, and how often we look; in seconds.
GRACE = 5.0
PAUSE = 0.005

# A program's first word is its process id, which is that of its process group as well.
STARTER = 'echo $$ >pid && exec "$@"'

# $1 is the directory, $2 the variable in the environment of those processes that left the group. Input ends when we let
# go of it, or die; in good order there is no such process any more, and otherwise soon there is none.
KEEPER = r"""
read -r _
for _ in $(seq 100); do
    [ -s "$1/pid" ] && kill -s KILL -- "-$(cat "$1/pid")"
    processes=$(grep -lsF "$2" /proc/[0-9]*/environ | tr -cd '0-9\n')
    [ -z "$processes" ] && rm -rf "$1" && exit
    kill -s KILL $processes
    sleep 0.05
done
"""


@contextmanager
def reserved_port() -> Iterator[int]:
    """Return a port on 127.0.0.1 that nobody else is given until the block ends, but a server may listen on."""
    with socket.socket() as placeholder:
        # Two sockets with this option share a port as long as only one listens, and servers set it.
        placeholder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        placeholder.bind(("127.0.0.1", 0))
        yield placeholder.getsockname()[1]


@contextmanager
def kept_directory(name: str, *, variable: str) -> Iterator[Path]:
    """Return a temporary directory that is gone after the block, even where this process is killed or interrupted.

    So is every process that has it in its environment as *variable*.
    """
    directory = Path(gettempdir()).absolute() / f"ninsho-{name}-{token_hex(4)}"
    # The keeper comes first and goes last: there is no moment at which nobody would remove the directory.
    with subprocess.Popen(  # noqa: S603 - the script is the constant above
        ["/bin/sh", "-c", KEEPER, "sh", directory, f"{variable}={directory}"],
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ):
        directory.mkdir(mode=0o700)
        yield directory


@contextmanager
def running(
    command: Sequence[str | Path], *, directory: Path, variable: str, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run *command* in *directory* until the block ends, then end it and every process that it started.

    Its output goes to the file ``output`` there. A process that left the session is known by *variable*, as above.
    """
    with (directory / "output").open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - the command is the caller's
            ["/bin/sh", "-c", STARTER, "sh", *command],
            cwd=directory,
            env={"PATH": os.defpath, variable: str(directory), **environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C is for us: we end the program, in good order.
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process, f"{variable}={directory}".encode())
        (directory / "pid").unlink(missing_ok=True)


def _end(process: subprocess.Popen[bytes], mark: bytes) -> None:
    """End the program and all that it started: first by asking; at last, also at a second Ctrl-C, by force."""
    try:
        process.terminate()
        _signal_all(SIGTERM, process.pid, mark)
        with suppress(subprocess.TimeoutExpired):
            process.wait(GRACE)
    finally:
        process.kill()
        _signal_all(SIGKILL, process.pid, mark)
        process.wait()


def _signal_all(signal: Signals, program: int, mark: bytes) -> None:
    """Signal each process that *program* started once, until it and they have ended or the time is up."""
    deadline = time.monotonic() + GRACE
    asked = {program}
    while (members := set(_members(program, mark))) and time.monotonic() < deadline:
        for pid in members - asked:
            with suppress(ProcessLookupError):
                os.kill(pid, signal)
        asked |= members
        time.sleep(PAUSE)


def _members(session: int, mark: bytes) -> Iterator[int]:
    """Find the living processes of *session*, and those that left it with *mark* in their environment."""
    for process in Path("/proc").glob("[0-9]*"):
        # It may be gone by the time it is read.
        with suppress(OSError):
            # proc(5): after the name in parentheses come the state, the parent, the group and the session.
            state, _, _, its_session = (process / "stat").read_text().rpartition(")")[2].split()[:4]
            if state == "Z":
                continue
            if int(its_session) == session or mark in (process / "environ").read_bytes().split(b"\0"):
                yield int(process.name)
