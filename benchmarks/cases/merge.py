"""Case o: what one message of a merge costs, from its row to its octets, beside an EmailMessage and its octets."""

from functools import partial
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Runs, cpu_each, middle, ratio, times
from benchmarks.letters import write_letter
from benchmarks.load import Run, alternate
from benchmarks.report import Target
from benchmarks.sending import Client, send
from benchmarks.sinks import Sink

OURS, THEIRS = "ninsho", "EmailMessage"
BUILDERS = (Client(OURS, "merging_with_ninsho.py"), Client(THEIRS, "merging_with_email_message.py"))
# Nothing is sent, so nobody listens.
NOWHERE = Sink("nowhere", 0, lambda: 0)
FIRST = {OURS: 2000, THEIRS: 100}
COLUMNS = ("", "CPU µs/message", "ninsho's CPU time")


def run(bench: Bench) -> None:
    """Build a letter of 1.4 kB for each of many recipients, in turns; then the same with a file of 10 kB."""
    alone = _runs(bench, with_file=False)
    _tell(bench, "o. one message of a merge, Japanese, 1.4 kB", alone)
    _tell(bench, "o. the same with a file of 10 kB", _runs(bench, with_file=True))
    value = middle(alone[OURS], cpu_each) if OURS in alone else None
    bench.report.target(Target("a merged message: CPU time", value, 25, "µs"))


def _runs(bench: Bench, *, with_file: bool) -> Runs:
    path = bench.directory_for("merge") / "letter"
    write_letter(path, with_file=with_file)
    rates: dict[str, float] = {}
    return alternate(bench, BUILDERS, partial(_built, bench, path, rates), rounds=bench.rounds)


def _built(bench: Bench, path: Path, rates: dict[str, float], builder: Client, _: int) -> Run:
    """Let it build about as many as it can in a round, as the round before has shown."""
    count = max(FIRST[builder.name], int(rates.get(builder.name, 0) * bench.seconds))
    built = send(bench, builder, NOWHERE, count=count, path=path)
    rates[builder.name] = built.messages / built.seconds
    return Run(built.messages, count - built.messages, built.seconds, 0, 0, built.cpu)


def _tell(bench: Bench, title: str, runs: Runs) -> None:
    rows = [(name, f"{middle(runs[name], cpu_each):,.1f}", times(ratio(runs, OURS, name, cpu_each))) for name in runs]
    bench.report.table(title, COLUMNS, rows)
