"""What every case needs to know: where to put files, which programs to run, how long and how often to measure."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from benchmarks import processes
from benchmarks.report import Report

SERVER_CPU, DRIVER_CPU = 0, 1


@dataclass(frozen=True)
class Bench:
    """One run of the benchmarks; every case measures in ``rounds`` rounds of ``seconds`` seconds."""

    directory: Path
    load: Path
    constant: Path
    rounds: int
    seconds: float
    pin: bool
    report: Report
    numbers: Iterator[int] = field(default_factory=count)

    def directory_for(self, what: str) -> Path:
        """Make a new directory, which a server's own user may enter."""
        path = self.directory / f"{what}-{next(self.numbers)}"
        path.mkdir()
        path.chmod(0o755)
        return path

    @contextmanager
    def server_cpu(self) -> Iterator[None]:
        """What is started here is a server."""
        with processes.on_cpu(SERVER_CPU if self.pin else None):
            yield

    @contextmanager
    def driver_cpu(self) -> Iterator[None]:
        """What is started here drives a server."""
        with processes.on_cpu(DRIVER_CPU if self.pin else None):
            yield
