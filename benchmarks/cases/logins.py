"""Case a: logins with {PLAIN} secrets, by PLAIN and by CRAM-MD5: what the protocol and the server around it cost."""

from contextlib import ExitStack
from pathlib import Path

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.figures import cpu_target, tell_runs, throughput_target
from benchmarks.load import Run, alternate, load, start
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.constant import constant
from benchmarks.servers.server import Server

CONNECTIONS = 50
ACCOUNTS = 1000
MECHANISMS = ("PLAIN", "CRAM-MD5")


def run(bench: Bench) -> None:
    """Measure the constant server, Dovecot, and ninsho with failures and with all decisions logged."""
    directory = bench.directory_for("logins")
    made = accounts.plain_accounts(ACCOUNTS)
    passwd = accounts.write_passwd(directory / "passwd", made)
    users = accounts.write_users(directory / "users", made)
    with ExitStack() as stack:
        servers = _servers(bench, stack, passwd)
        for mechanism in MECHANISMS:
            _measure(bench, servers, users, mechanism)


def _servers(bench: Bench, stack: ExitStack, passwd: Path) -> list[Server]:
    peer = dovecot.dovecot(bench, dovecot.passwd_file(passwd))
    store = ninsho.passwd_file(passwd)
    ours = ninsho.ninsho(bench, store, mechanisms=MECHANISMS)
    every = ninsho.ninsho(bench, store, name="ninsho, all decisions logged", mechanisms=MECHANISMS, decisions="all")
    return start(bench, stack, [constant(bench), peer, ours, every])


def _measure(bench: Bench, servers: list[Server], users: Path, mechanism: str) -> None:
    def measure(server: Server, _: int) -> Run:
        return load(bench, server, users, mechanism=mechanism, connections=CONNECTIONS, seconds=bench.seconds)

    runs = alternate(bench, servers, measure, rounds=bench.rounds)
    title = f"a. {mechanism} with {{PLAIN}} secrets, {CONNECTIONS} connections"
    tell_runs(bench, title, runs, peer="Dovecot")
    bench.report.target(cpu_target(mechanism, runs, peer="Dovecot", at_most=1))
    bench.report.target(throughput_target(mechanism, runs, peer="Dovecot", at_least=1))
