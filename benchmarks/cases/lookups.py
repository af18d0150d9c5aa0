"""Case b: first logins of 100,000 accounts in SQLite, each account used once, so that no cache can answer."""

from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.figures import tell_runs, throughput_target
from benchmarks.load import Run, alternate, load, start
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.server import Missing, Server

CONNECTIONS = 50
ACCOUNTS = 100_000


def run(bench: Bench) -> None:
    """Measure Dovecot's SQL passdb, its cache off, and ninsho, over the same accounts."""
    directory = bench.directory_for("lookups")
    made = accounts.plain_accounts(ACCOUNTS)
    # Each round takes its own share, in an order that no index has.
    users = accounts.write_users(directory / "users", accounts.shuffled(made))
    share = ACCOUNTS // (bench.rounds + 1)

    def measure(server: Server, number: int) -> Run:
        return load(bench, server, users, connections=CONNECTIONS, requests=share, offset=number * share)

    with ExitStack() as stack:
        servers = start(bench, stack, _servers(bench, directory, made))
        runs = alternate(bench, servers, measure, rounds=bench.rounds)
    title = f"b. first logins with PLAIN, {ACCOUNTS:,} accounts in SQLite, {CONNECTIONS} connections"
    tell_runs(bench, title, runs, peer="Dovecot")
    bench.report.target(throughput_target("first logins", runs, peer="Dovecot", at_least=1.5))


def _servers(bench: Bench, directory: Path, made: list[accounts.Account]) -> list[AbstractContextManager[Server]]:
    """Both over the very same database; Dovecot over one of its own where ninsho cannot make any."""
    database, settings = directory / "accounts.db", directory / "sql.conf"
    store = ninsho.database(database)
    configuration = ninsho.configured(directory, store)
    try:
        ninsho.import_accounts(configuration, accounts.write_passwd(directory / "passwd", made))
    except Missing as missing:
        bench.report.note(str(missing))
        own = accounts.write_database(directory / "dovecot.db", made)
        return [dovecot.dovecot(bench, dovecot.sqlite(settings, own), cache="0")]
    same = dovecot.sqlite(settings, database, ninsho.PASSWORD_QUERY)
    return [dovecot.dovecot(bench, same, cache="0"), ninsho.ninsho(bench, store)]
