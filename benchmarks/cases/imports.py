"""Case n: what a program waits for that imports the client, and what comes along with it."""

import json
import subprocess
import sys
from statistics import median

from benchmarks.bench import Bench
from benchmarks.cases.startup import Unstarted, seconds_to_exit
from benchmarks.figures import milliseconds
from benchmarks.report import Target
from benchmarks.servers.server import last_line

STARTS_PER_ROUND = 4
NOTHING = "pass"
PACKAGE = "import ninsho"
OURS = (PACKAGE, "from ninsho import Client")
STATEMENTS = (NOTHING, *OURS, "from ninsho import AsyncClient", "import smtplib", "import asyncio", "import aiosmtplib")
COLUMNS = ("", "ms", "more than nothing")

# What python loads by itself (as a .pth file may have it do) is not the statement's doing.
FOREIGN = """
import json, sys
before = set(sys.modules)
{statement}
ours = sys.stdlib_module_names | {{"ninsho", "__main__"}}
print(json.dumps(sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} - ours)))
"""


def run(bench: Bench) -> None:
    """Time the statements in turns, each in a new interpreter; list what is neither Python's nor ours."""
    found = {statement: median(seconds[1:]) * 1e6 for statement, seconds in _times(bench).items()}
    rows = [(statement, milliseconds(us), milliseconds(us - found[NOTHING])) for statement, us in found.items()]
    bench.report.table("n. python -c …", COLUMNS, rows)
    value = (found[PACKAGE] - found[NOTHING]) / 1000 if PACKAGE in found else None
    bench.report.target(Target(f"{PACKAGE}: time", value, 60, "ms"))
    for statement in OURS:
        bench.report.target(Target(f"{statement}: third-party modules", _foreign(bench, statement), 0, "modules"))


def _times(bench: Bench) -> dict[str, list[float]]:
    seconds: dict[str, list[float]] = {statement: [] for statement in STATEMENTS}
    for _ in range(1 + bench.rounds * STARTS_PER_ROUND):
        for statement in [*seconds]:
            try:
                seconds[statement].append(seconds_to_exit([sys.executable, "-c", statement]))
            except Unstarted as unstarted:
                bench.report.note(f"{statement} is left out: {unstarted}")
                del seconds[statement]
    return seconds


def _foreign(bench: Bench, statement: str) -> float | None:
    command = [sys.executable, "-c", FOREIGN.format(statement=statement)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        bench.report.note(f"{statement}: {last_line(done.stderr)}")
        return None
    if modules := json.loads(done.stdout):
        bench.report.note(f"{statement} loads {', '.join(modules)}")
    return len(modules)
