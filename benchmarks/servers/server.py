"""A server under measurement: started, found ready, measured by its processes, and ended."""

import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import AnyStr

from benchmarks import processes

START_SECONDS = 20
STOP_SECONDS = 10


class Missing(Exception):
    """A server cannot be measured on this machine; the message says why."""


@dataclass(frozen=True)
class Server:
    """A running server.

    ``program``, where given, is the name of those of its processes that authenticate. ``checks`` is false for the one
    that lets anyone in, and does not know as whom.
    """

    name: str
    socket: Path
    pid: int
    program: str = ""
    checks: bool = True

    def pids(self) -> list[int]:
        """The processes that authenticate."""
        return [pid for pid in processes.family(self.pid) if self.program in {"", processes.stat(pid)[0]}]

    def cpu_seconds(self) -> float:
        """What they have computed so far."""
        return processes.cpu_seconds(self.pids())

    def resident_bytes(self) -> int:
        """The memory they hold."""
        return processes.resident_bytes(self.pids())


@contextmanager
def ended(process: subprocess.Popen[AnyStr]) -> Iterator[None]:
    """See to it that a process we started is gone afterwards, whatever happens."""
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def running(name: str, command: Sequence[str | Path], directory: Path) -> Iterator[Server]:
    """Run a server from the moment it shakes hands on ``auth.sock``; raise ``Missing`` if it never does."""
    log = directory / "log"
    with log.open("wb") as output:
        # A session of its own: Ctrl-C reaches us alone, and we end the server.
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    with ended(process):
        server = Server(name, directory / "auth.sock", process.pid)
        _await_handshake(server, process, log)
        yield server


def _await_handshake(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while not _shakes_hands(server.socket):
        if process.poll() is not None or time.monotonic() > give_up:
            raise Missing(f"{server.name} does not start: {last_line(log.read_text(errors='replace'))}")
        time.sleep(0.05)


def _shakes_hands(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(START_SECONDS)
        try:
            client.connect(str(path))
            return client.recv(1024).startswith(b"VERSION")
        except (FileNotFoundError, ConnectionError, TimeoutError):
            return False


def last_line(output: str) -> str:
    """What a program said last, which is most often why it ended."""
    lines = output.strip().splitlines()
    return lines[-1] if lines else "it says nothing"
