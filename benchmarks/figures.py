"""From many runs to the figures that are told: medians, and their ratios to one of the servers."""

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeAlias

from benchmarks.bench import Bench
from benchmarks.load import Run
from benchmarks.report import Target

Runs: TypeAlias = Mapping[str, Sequence[Run]]
Figure: TypeAlias = Callable[[Run], float]

COLUMNS = ("", "logins/s", "CPU µs/login", "p50 µs", "p99 µs", "throughput", "CPU/login")


def throughput(run: Run) -> float:
    """Logins per second."""
    return run.requests / run.seconds


def cpu_each(run: Run) -> float:
    """The server's CPU microseconds per login."""
    return run.cpu / run.requests * 1e6


def middle(runs: Sequence[Run], figure: Figure) -> float:
    """The figure's median."""
    return median(map(figure, runs))


def ratio(runs: Runs, name: str, peer: str, figure: Figure) -> float | None:
    """One server's figure as a multiple of its peer's; None unless both were measured.

    It is the median of every round's own ratio, so that what slows a whole round down cancels out.
    """
    pairs = zip(runs.get(name, ()), runs.get(peer, ()), strict=False)
    return median(ratios) if (ratios := [figure(ours) / figure(theirs) for ours, theirs in pairs]) else None


def tell_runs(bench: Bench, title: str, runs: Runs, *, peer: str) -> None:
    """Print a table of the servers' medians, with their ratios to the peer's."""
    bench.report.table(title, COLUMNS, [_row(runs, name, peer) for name in runs])


def _row(runs: Runs, name: str, peer: str) -> tuple[str, ...]:
    return (
        name,
        f"{middle(runs[name], throughput):,.0f}",
        f"{middle(runs[name], cpu_each):,.1f}",
        f"{middle(runs[name], lambda run: run.p50):,.0f}",
        f"{middle(runs[name], lambda run: run.p99):,.0f}",
        times(ratio(runs, name, peer, throughput)),
        times(ratio(runs, name, peer, cpu_each)),
    )


def throughput_target(what: str, runs: Runs, *, peer: str, at_least: float) -> Target:
    """How many times the peer's logins per second ninsho must answer."""
    value = ratio(runs, "ninsho", peer, throughput)
    return Target(f"{what}: throughput, ninsho / {peer}", value, at_least, "x", at_least=True)


def cpu_target(what: str, runs: Runs, *, peer: str, at_most: float) -> Target:
    """How many times the peer's CPU time for a login ninsho may take."""
    return Target(f"{what}: CPU time per login, ninsho / {peer}", ratio(runs, "ninsho", peer, cpu_each), at_most, "x")


def times(ratio: float | None) -> str:
    """A ratio as it is printed."""
    return "-" if ratio is None else f"{ratio:,.2f} x"


def milliseconds(microseconds: float) -> str:
    """A latency as it is printed where people wait for it."""
    return f"{microseconds / 1000:,.1f}"
