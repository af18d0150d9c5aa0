"""Where mail clients send to: Postfix's smtp-sink, a real Postfix that discards, and either of them at a distance."""

import os
import pwd
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import create_connection

from benchmarks.bench import Bench
from benchmarks.programs import compile_relay
from benchmarks.servers.server import Missing, ended, last_line
from ninsho.cli.throwaway import ProgramUnavailable, ThrowawayPostfix, reserved_port

START_SECONDS = 10
SETTLE_SECONDS = 10
BACKLOG = 256
COUNTER = re.compile(rb"mesg=(\d+)")
# Longer than any of smtp-sink's lines of counters.
COUNTERS_SIZE = 200

# Its queue is real, so that each message is on the disk before it is taken; what is delivered goes nowhere.
POSTFIX = {
    "smtpd_sasl_auth_enable": "no",
    "mynetworks": "127.0.0.0/8",
    "smtpd_relay_restrictions": "permit_mynetworks, reject",
    "smtpd_recipient_restrictions": "permit_mynetworks, reject",
    "virtual_transport": "discard:",
}
DISCARD = "discard unix - - n - - discard"


@dataclass(frozen=True)
class Sink:
    """Something that takes messages at a port of 127.0.0.1, and counts them by itself."""

    name: str
    port: int
    count: Callable[[], int]

    def wait_for(self, count: int) -> int:
        """The count, once it is at least so much, or no more seem to come."""
        give_up = time.monotonic() + SETTLE_SECONDS
        while (found := self.count()) < count and time.monotonic() < give_up:
            time.sleep(0.01)
        return found


@contextmanager
def smtp_sink(bench: Bench, *, dump: Path | None = None) -> Iterator[Sink]:
    """Start smtp-sink, which announces no CHUNKING; it counts, or writes each message to a file in *dump*."""
    directory = bench.directory_for("sink")
    counters, log = directory / "counters", directory / "log"
    what = ["-d", f"{dump}/message."] if dump else ["-c"]
    with reserved_port() as port, counters.open("wb") as output, log.open("wb") as errors, bench.server_cpu():
        command = [_program(), *_other_user(), *what, f"127.0.0.1:{port}", str(BACKLOG)]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, start_new_session=True
        )
        with ended(process):
            _await_listener(process, port, log)
            yield Sink("smtp-sink", port, lambda: _last_count(counters))


def _program() -> str:
    if not (program := shutil.which("smtp-sink", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")):
        raise Missing("smtp-sink is not installed (Debian's package postfix has it)")
    return program


def _other_user() -> list[str]:
    # It refuses to run as root.
    return [] if os.geteuid() else ["-u", pwd.getpwuid(65534).pw_name]


def _await_listener(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        with suppress(ConnectionError), create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.02)
    raise Missing(f"smtp-sink does not start: {last_line(log.read_text(errors='replace'))}")


def _last_count(counters: Path) -> int:
    with counters.open("rb") as file:
        file.seek(max(0, counters.stat().st_size - COUNTERS_SIZE))
        found = COUNTER.findall(file.read())
    return int(found[-1]) if found else 0


@contextmanager
def postfix(bench: Bench) -> Iterator[Sink]:
    """Start a real Postfix, which counts a message once it has left the queue again."""
    try:
        with bench.server_cpu(), ThrowawayPostfix(extra_main=POSTFIX, extra_master=[DISCARD]) as started:
            yield Sink("Postfix", started.port, Departed(started.directory / "log"))
    except ProgramUnavailable as unavailable:
        raise Missing(str(unavailable)) from None


@dataclass
class Departed:
    """How many messages a Postfix has delivered and removed, told by its growing log."""

    log: Path
    position: int = 0
    count: int = 0
    unfinished: bytes = field(default=b"", repr=False)

    def __call__(self) -> int:
        """Read on where reading ended."""
        with self.log.open("rb") as log:
            log.seek(self.position)
            new = log.read()
        self.position += len(new)
        text, _, self.unfinished = (self.unfinished + new).rpartition(b"\n")
        self.count += text.count(b": removed")
        return self.count


@contextmanager
def at_a_distance(bench: Bench, sink: Sink, *, milliseconds: float) -> Iterator[Sink]:
    """The sink behind a relay that delays each direction by half of *milliseconds*."""
    relay = compile_relay(bench.directory_for("relay"))
    command = [str(relay), str(sink.port), str(milliseconds / 2)]
    with bench.server_cpu():
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True)
    with process, ended(process):
        assert process.stdout
        yield replace(sink, port=int(process.stdout.readline()))
