"""Measuring ninsho beside a real Dovecot on this machine: ``python -m benchmarks``, or ``make bench``."""

import argparse
import os
import platform
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.cases import (
    attachment,
    bulk_mail,
    client,
    distance,
    hashes,
    idle,
    imports,
    latency,
    logins,
    lookups,
    merge,
    scram,
    startup,
    submission,
    tokens,
)
from benchmarks.programs import Uncompiled, compile_constant, compile_load
from benchmarks.report import Report
from benchmarks.servers import dovecot

CASES: dict[str, Callable[[Bench], None]] = {
    "a": logins.run,
    "b": lookups.run,
    "c": hashes.run,
    "d": latency.run,
    "e": idle.run,
    "f": startup.run,
    "g": scram.run,
    "h": client.run,
    "i": tokens.run,
    "j": submission.run,
    "k": distance.run_one,
    "l": distance.run_many,
    "m": attachment.run,
    "n": imports.run,
    "o": merge.run,
    "p": bulk_mail.run,
}
EPILOG = "cases:\n" + "\n".join(f"  {name}  {sys.modules[case.__module__].__doc__}" for name, case in CASES.items())

# Ten thousand idle connections, and what a server keeps open besides.
FILES = 12_000


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="benchmarks", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", metavar="CASE", action="append", choices=CASES, help="measure this case (repeatable)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds, whose medians are told (default: 5)")
    parser.add_argument("--seconds", type=float, default=1.5, help="length of a round (default: 1.5)")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write all figures to this file, too")
    parser.add_argument("--pin", action="store_true", help="servers on the first CPU, the driver on the second")
    return parser.parse_args()


def main() -> int:
    given = options()
    # Whoever ends us by a signal also wants the servers ended and the files removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by a signal"))
    raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="ninsho-bench-") as name:
        directory = Path(name)
        # Dovecot's authentication process is a user of its own and has to come in.
        directory.chmod(0o755)
        report = measure(directory, given)
    if given.json:
        report.save(given.json, rounds=given.rounds, seconds=given.seconds, pin=given.pin)
    return 1 if report.errors else 0


def measure(directory: Path, given: argparse.Namespace) -> Report:
    began = time.monotonic()
    report = Report()
    report.machine(machine())
    load, constant = compile_load(directory), compile_constant(directory)
    bench = Bench(directory, load, constant, given.rounds, given.seconds, pin=given.pin, report=report)
    for name in given.only or CASES:
        CASES[name](bench)
    report.summary()
    print(f"\n{given.rounds} rounds of {given.seconds:g} s, {time.monotonic() - began:.0f} s in all")
    return report


def machine() -> str:
    versions = f"Python {platform.python_version()}, Dovecot {dovecot.version() or 'missing'}"
    return f"{platform.machine()}, {os.cpu_count()} CPUs, {versions}, load average {os.getloadavg()[0]:.1f}"


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard < FILES:
        print(f"note: at most {hard} open files are allowed here; case e needs {FILES}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
    except Uncompiled as uncompiled:
        sys.exit(str(uncompiled))
