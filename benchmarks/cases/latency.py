"""Case d: people whose login is remembered, while somebody else keeps guessing at passwords that are slow to check."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import median
from subprocess import PIPE

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.figures import middle, milliseconds, throughput
from benchmarks.load import Run, alternate, command, load, run_of, start
from benchmarks.report import Target
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.server import Server, ended

CONNECTIONS, RATE = 10, 200
GUESSING_CONNECTIONS, GUESSED_ACCOUNTS = 20, 500
ACCOUNTS = 16
SECONDS, HEAD_START = 3, 0.5
LOGINS = {"connections": CONNECTIONS, "seconds": SECONDS, "rate": RATE}
GUESSES = {"connections": GUESSING_CONNECTIONS, "seconds": SECONDS + 2 * HEAD_START}
ROUNDS = 3
COLUMNS = ("", "logins/s", "p50 ms", "p99 ms", "guesses/s")

# Dovecot at its best: what is waited for needs no hash, and what is guessed at is computed by its workers.
KINDEST = "Dovecot, {PLAIN}, workers"


@dataclass(frozen=True)
class Attack:
    """Who guesses at whom, while who logs in; and how many guesses per second each server answered."""

    bench: Bench
    guessed: Path
    users: Path
    plain_users: Path
    guesses: dict[str, list[float]] = field(default_factory=dict)

    def measure(self, server: Server, number: int) -> Run:
        """Time the logins while the guessing goes on."""
        users = self.plain_users if server.name == KINDEST else self.users
        if number == 0:
            load(self.bench, server, users, connections=CONNECTIONS, requests=4 * ACCOUNTS)
        # Connected before the attack begins: what is measured is the wait for a login, not for a handshake.
        with self._driving(server, users, **LOGINS, wait=True) as logging_in:
            _await_line(logging_in)
            with self._driving(server, self.guessed, **GUESSES, wrong=True, strangers=True) as guessing:
                time.sleep(HEAD_START)
                run = run_of(*logging_in.communicate())
                guesses = run_of(*guessing.communicate())
        self.guesses.setdefault(server.name, []).append(throughput(guesses))
        return replace(run, errors=run.errors + guesses.errors)

    @contextmanager
    def _driving(self, server: Server, users: Path, **options: object) -> Iterator[subprocess.Popen[str]]:
        driver = command(self.bench, server, users, **options)
        with self.bench.driver_cpu():
            process = subprocess.Popen(driver, stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True, start_new_session=True)
        with process, ended(process):
            yield process


def _await_line(process: subprocess.Popen[str]) -> None:
    assert process.stdout
    process.stdout.readline()


def run(bench: Bench) -> None:
    """Measure Dovecot, as it comes and at its best, and ninsho."""
    directory = bench.directory_for("latency")
    hashed = accounts.hashed_accounts("ARGON2ID", ACCOUNTS + GUESSED_ACCOUNTS)
    plain = accounts.plain_accounts(ACCOUNTS)
    attack = Attack(
        bench,
        guessed=accounts.write_users(directory / "guessed", hashed[ACCOUNTS:]),
        users=accounts.write_users(directory / "users", hashed[:ACCOUNTS]),
        plain_users=accounts.write_users(directory / "plain", plain),
    )
    with ExitStack() as stack:
        servers = _servers(bench, stack, directory, [*hashed, *plain])
        _tell(attack, alternate(bench, servers, attack.measure, rounds=min(ROUNDS, bench.rounds)))


def _servers(bench: Bench, stack: ExitStack, directory: Path, made: list[accounts.Account]) -> list[Server]:
    passwd = accounts.write_passwd(directory / "passwd", made)
    database = accounts.write_database(directory / "dovecot.db", made)
    as_it_comes = dovecot.dovecot(bench, dovecot.passwd_file(passwd))
    kindest = dovecot.dovecot(bench, dovecot.sqlite(directory / "sql.conf", database), name=KINDEST)
    return start(bench, stack, [as_it_comes, kindest, ninsho.ninsho(bench, ninsho.passwd_file(passwd))])


def _tell(attack: Attack, runs: dict[str, list[Run]]) -> None:
    attack.bench.report.table(
        f"d. remembered logins with {{ARGON2ID}} secrets, {RATE} per second on {CONNECTIONS} connections, "
        f"while {GUESSING_CONNECTIONS} others guess",
        COLUMNS,
        [_row(name, measured, median(attack.guesses[name])) for name, measured in runs.items()],
    )
    value = _p99(runs["ninsho"]) / 1000 if "ninsho" in runs else None
    attack.bench.report.target(Target("p99 of remembered logins under attack", value, 10, "ms"))


def _row(name: str, runs: list[Run], guesses: float) -> tuple[str, ...]:
    p50 = middle(runs, lambda run: run.p50)
    return (name, f"{middle(runs, throughput):,.0f}", milliseconds(p50), milliseconds(_p99(runs)), f"{guesses:,.0f}")


def _p99(runs: list[Run]) -> float:
    return middle(runs, lambda run: run.p99)
