"""Case f: how long somebody waits before ninsho is there: at the end of spawn(8)'s pipe, or on the command line."""

import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.figures import milliseconds, times
from benchmarks.report import Target
from benchmarks.servers.ninsho import NINSHO, configured, database, import_accounts
from benchmarks.servers.server import Missing, ended, last_line

EXAMPLE = Path(__file__).parents[2] / "examples" / "oreore.py"
STARTS_PER_ROUND = 4


class Unstarted(Exception):
    """A program ended, or said something else than expected; the message holds its last words."""


def seconds_to_exit(command: Sequence[str | Path]) -> float:
    """Run it to its end; raise ``Unstarted`` if that is a bad one."""
    began = time.perf_counter()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise Unstarted(last_line(done.stderr.decode()))
    return seconds


def _seconds_to_handshake(command: Sequence[str | Path]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with process, ended(process):
        assert process.stdout
        assert process.stderr
        for line in process.stdout:
            if line == b"DONE\n":
                return time.perf_counter() - began
        raise Unstarted(last_line(process.stderr.read().decode()))


@dataclass(frozen=True)
class Start:
    """One way to start: the command, what is waited for, and how many times the baseline's time it may take."""

    name: str
    command: tuple[str | Path, ...]
    wait: Callable[[Sequence[str | Path]], float]
    at_most: float


BASELINE = Start("python -c 'import asyncio'", (sys.executable, "-c", "import asyncio"), seconds_to_exit, 1)


def run(bench: Bench) -> None:
    """Time the starts in turns."""
    starts = _starts(_configuration(bench))
    seconds = _alternate(bench, [BASELINE, *starts])
    found = {start: median(measured) for start, measured in seconds.items()}
    rows = [(start.name, milliseconds(s * 1e6), times(s / found[BASELINE])) for start, s in found.items()]
    bench.report.table("f. from starting to the handshake, or to the end", ("", "ms", "ratio"), rows)
    for start in starts:
        value = found[start] / found[BASELINE] if start in found else None
        bench.report.target(Target(f"{start.name}: time / {BASELINE.name}", value, start.at_most, "x"))


def _starts(configuration: Path) -> list[Start]:
    stdio = (*NINSHO, "serve", "--stdio")
    return [
        Start("ninsho serve --stdio, a mechanism", (*stdio, "--mechanism", EXAMPLE), _seconds_to_handshake, 1.2),
        Start("ninsho serve --stdio, the database", (*stdio, "--config", configuration), _seconds_to_handshake, 4),
        Start("ninsho --help", (*NINSHO, "--help"), seconds_to_exit, 3),
        Start("ninsho hash --help", (*NINSHO, "hash", "--help"), seconds_to_exit, 3),
    ]


def _configuration(bench: Bench) -> Path:
    """A configuration whose database holds a few accounts."""
    directory = bench.directory_for("startup")
    configuration = configured(directory, database(directory / "accounts.db"))
    passwd = accounts.write_passwd(directory / "passwd", accounts.plain_accounts(10))
    try:
        import_accounts(configuration, passwd)
    except Missing as missing:
        bench.report.note(str(missing))
    return configuration


def _alternate(bench: Bench, starts: list[Start]) -> dict[Start, list[float]]:
    """Times of every start that works; the first one of each fills the machine's caches and is not counted."""
    seconds: dict[Start, list[float]] = {start: [] for start in starts}
    for _ in range(1 + bench.rounds * STARTS_PER_ROUND):
        for start in [*seconds]:
            try:
                seconds[start].append(start.wait(start.command))
            except Unstarted as unstarted:
                bench.report.note(f"{start.name} is left out: {unstarted}")
                del seconds[start]
    return {start: measured[1:] for start, measured in seconds.items()}
