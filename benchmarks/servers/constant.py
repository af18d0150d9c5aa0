"""The limit: a server that checks nothing and always answers OK."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from benchmarks.bench import Bench
from benchmarks.servers.server import Server, running


@contextmanager
def constant(bench: Bench) -> Iterator[Server]:
    """Start the constant server."""
    directory = bench.directory_for("constant")
    command = [bench.constant, directory / "auth.sock"]
    with bench.server_cpu(), running("constant server", command, directory) as server:
        yield replace(server, checks=False)
