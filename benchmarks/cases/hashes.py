"""Case c: the same people log in again and again, and their passwords are stored as hashes made to be slow."""

from contextlib import ExitStack
from pathlib import Path

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.figures import middle, tell_runs, throughput, throughput_target
from benchmarks.load import Run, alternate, load, start
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.server import Server

CONNECTIONS = 8
ACCOUNTS = 16
ROUNDS = 3
WORKERS = "Dovecot with workers"


def run(bench: Bench) -> None:
    """Measure Dovecot, which computes each hash anew, alone or in its workers, and ninsho, which remembers."""
    directory = bench.directory_for("hashes")
    made = {scheme: accounts.hashed_accounts(scheme, ACCOUNTS) for scheme in accounts.HASHES}
    with ExitStack() as stack:
        servers = _servers(bench, stack, directory, [account for each in made.values() for account in each])
        for scheme, each in made.items():
            _measure(bench, servers, accounts.write_users(directory / scheme, each), scheme)


def _servers(bench: Bench, stack: ExitStack, directory: Path, made: list[accounts.Account]) -> list[Server]:
    passwd = accounts.write_passwd(directory / "passwd", made)
    database = accounts.write_database(directory / "dovecot.db", made)
    alone = dovecot.dovecot(bench, dovecot.passwd_file(passwd))
    workers = dovecot.dovecot(bench, dovecot.sqlite(directory / "sql.conf", database), name=WORKERS)
    return start(bench, stack, [alone, workers, ninsho.ninsho(bench, ninsho.passwd_file(passwd))])


def _measure(bench: Bench, servers: list[Server], users: Path, scheme: str) -> None:
    def measure(server: Server, _: int) -> Run:
        return load(bench, server, users, connections=CONNECTIONS, seconds=bench.seconds)

    runs = alternate(bench, servers, measure, rounds=min(ROUNDS, bench.rounds))
    title = f"c. repeated logins with PLAIN, {{{scheme}}} secrets, {CONNECTIONS} connections"
    tell_runs(bench, title, runs, peer="Dovecot")
    # Whichever of the two is the faster.
    peer = max({"Dovecot", WORKERS} & runs.keys(), key=lambda name: middle(runs[name], throughput), default="Dovecot")
    bench.report.target(throughput_target(scheme, runs, peer=peer, at_least=20))
