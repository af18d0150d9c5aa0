"""Running the load driver against a server, and doing so in turns with several servers."""

import json
import subprocess
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias, TypeVar

from benchmarks.bench import Bench
from benchmarks.servers.server import Missing, Server

Measure: TypeAlias = "Callable[[Server, int], Run]"


class Named(Protocol):
    """What is measured in turns: a server, or a client."""

    @property
    def name(self) -> str:
        """What it is called in tables."""


Party = TypeVar("Party", bound=Named)


class Unmeasured(Exception):
    """The driver could not finish; the message says why."""


@dataclass(frozen=True)
class Run:
    """One run of the driver: replies, seconds, latencies in microseconds; and the server's CPU seconds meanwhile."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p99: float
    cpu: float = 0


def command(bench: Bench, server: Server, users: Path, **options: object) -> list[str]:
    """The driver's command line: ``connections=50`` is ``--connections=50``; True is the option alone."""
    given = [str(bench.load), f"--socket={server.socket}", f"--users={users}"]
    if not server.checks:
        given.append("--anyone")
    for name, value in options.items():
        given.append(f"--{name}" if value is True else f"--{name}={value}")
    return given


def load(bench: Bench, server: Server, users: Path, **options: object) -> Run:
    """Drive a server once; raise ``Unmeasured`` if the driver gives up."""
    before = server.cpu_seconds()
    with bench.driver_cpu():
        done = subprocess.run(
            command(bench, server, users, **options),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, start_new_session=True,
        )  # fmt: skip
    return run_of(done.stdout, done.stderr, cpu=server.cpu_seconds() - before)


def run_of(output: str, complaints: str, *, cpu: float = 0) -> Run:
    """What the driver printed; raise ``Unmeasured`` if that is no result."""
    found = json.loads(output) if output else {}
    if not found.get("requests"):
        raise Unmeasured(complaints.strip() or "the driver says nothing")
    return Run(found["requests"], found["errors"], found["seconds"], found["p50"], found["p99"], cpu)


def start(bench: Bench, stack: ExitStack, servers: Iterable[AbstractContextManager[Server]]) -> list[Server]:
    """Start the servers that this machine has; tell of the others."""
    started = []
    for server in servers:
        try:
            started.append(stack.enter_context(server))
        except Missing as missing:
            bench.report.note(str(missing))
    return started


def alternate(
    bench: Bench, servers: Iterable[Party], measure: Callable[[Party, int], Run], *, rounds: int
) -> dict[str, list[Run]]:
    """Measure the servers in turns, A B C A B C …, so that whatever else the machine does strikes all alike.

    The first round, whose number is 0, warms them up and is not counted.
    """
    runs: dict[Party, list[Run]] = {server: [] for server in servers}
    for number in range(rounds + 1):
        for server in [*runs]:
            try:
                runs[server].append(measure(server, number))
            except Unmeasured as unmeasured:
                bench.report.note(f"{server.name} is left out: {unmeasured}")
                del runs[server]
    return {server.name: _checked(bench, server, measured)[1:] for server, measured in runs.items()}


def _checked(bench: Bench, server: Named, runs: list[Run]) -> list[Run]:
    if errors := sum(run.errors for run in runs):
        bench.report.mistakes(server.name, errors)
    return runs
