"""Case e: ten thousand connections that say nothing, as mail servers keep them: what memory they take."""

import subprocess
import time
from contextlib import ExitStack

from benchmarks import accounts
from benchmarks.bench import Bench
from benchmarks.load import Unmeasured, start
from benchmarks.report import Target
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.server import Server, ended, last_line

CONNECTIONS = 10_000
SETTLE_SECONDS = 0.5
MEGABYTE = 1_000_000


def run(bench: Bench) -> None:
    """Measure Dovecot and ninsho, before and while the connections stand."""
    made = accounts.plain_accounts(1)
    passwd = accounts.write_passwd(bench.directory_for("idle") / "passwd", made)
    with ExitStack() as stack:
        peer = dovecot.dovecot(bench, dovecot.passwd_file(passwd))
        servers = start(bench, stack, [peer, ninsho.ninsho(bench, ninsho.passwd_file(passwd))])
        found = {server.name: memory for server in servers if (memory := _memory(bench, server))}
    rows = [(name, f"{before:,.1f}", f"{after:,.1f}") for name, (before, after) in found.items()]
    bench.report.table(f"e. resident memory with {CONNECTIONS:,} idle connections", ("", "MB with none", "MB"), rows)
    value = found["ninsho"][1] if "ninsho" in found else None
    bench.report.target(Target(f"memory with {CONNECTIONS:,} idle connections", value, 150, "MB"))


def _memory(bench: Bench, server: Server) -> tuple[float, float] | None:
    before = server.resident_bytes() / MEGABYTE
    try:
        return before, _memory_held(bench, server)
    except Unmeasured as unmeasured:
        bench.report.note(f"{server.name} is left out: {unmeasured}")
        return None


def _memory_held(bench: Bench, server: Server) -> float:
    command = [str(bench.load), f"--socket={server.socket}", f"--connections={CONNECTIONS}", "--wait"]
    holding = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True
    )
    with holding, ended(holding):
        assert holding.stdout
        assert holding.stderr
        if not holding.stdout.readline():
            raise Unmeasured(last_line(holding.stderr.read().decode()))
        time.sleep(SETTLE_SECONDS)
        return server.resident_bytes() / MEGABYTE
