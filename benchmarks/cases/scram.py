"""Case g: logins by SCRAM-SHA-256 with stored keys; OK may carry the last words (final-resp-ok), or may not."""

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
MECHANISM = "SCRAM-SHA-256"

# Who asks, and the driver's options to ask alike.
CLIENTS: dict[str, dict[str, object]] = {"as Postfix": {}, "with final-resp-ok": {"final-resp-ok": True}}


def run(bench: Bench) -> None:
    """Measure the constant server, Dovecot and ninsho."""
    directory = bench.directory_for("scram")
    made = accounts.scram_accounts(ACCOUNTS)
    passwd = accounts.write_passwd(directory / "passwd", made)
    users = accounts.write_users(directory / "users", made)
    with ExitStack() as stack:
        peer = dovecot.dovecot(bench, dovecot.passwd_file(passwd), mechanisms=(MECHANISM,))
        ours = ninsho.ninsho(bench, ninsho.passwd_file(passwd), mechanisms=(MECHANISM,))
        servers = start(bench, stack, [constant(bench), peer, ours])
        for client, options in CLIENTS.items():
            _measure(bench, servers, users, client, options)


def _measure(bench: Bench, servers: list[Server], users: Path, client: str, options: dict[str, object]) -> None:
    given = {"mechanism": MECHANISM, "connections": CONNECTIONS, "seconds": bench.seconds, **options}

    def measure(server: Server, _: int) -> Run:
        return load(bench, server, users, **given)

    runs = alternate(bench, servers, measure, rounds=bench.rounds)
    title = f"g. {MECHANISM} {client}, {{{MECHANISM}}} secrets, {CONNECTIONS} connections"
    tell_runs(bench, title, runs, peer="Dovecot")
    what = f"{MECHANISM} {client}"
    bench.report.target(cpu_target(what, runs, peer="Dovecot", at_most=1))
    bench.report.target(throughput_target(what, runs, peer="Dovecot", at_least=1))
