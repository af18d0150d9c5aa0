"""Cases k and l: messages of four kilobytes to a server 20 ms of round trip away, on one and on 20 connections."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TypeAlias

from benchmarks.bench import Bench
from benchmarks.figures import Runs
from benchmarks.sending import (
    AIOSMTPLIB,
    ASYNC,
    NINSHO,
    NODEMAILER,
    SMTP_SOURCE,
    SMTPLIB,
    Client,
    Turns,
    faster_target,
    message,
    tell_sent,
)
from benchmarks.servers.server import Missing
from benchmarks.sinks import Sink, at_a_distance, postfix, smtp_sink

Make: TypeAlias = Callable[[Bench], AbstractContextManager[Sink]]

ROUND_TRIP = 20
FIRST = 10
MANY = 20
ONE_CONNECTION = (
    Client("ninsho", NINSHO),
    Client("ninsho, asyncio", ASYNC),
    Client("smtplib", SMTPLIB),
    Client("aiosmtplib", AIOSMTPLIB),
    Client("nodemailer", NODEMAILER),
    Client("smtp-source", SMTP_SOURCE, adds=b"\r\n"),
)
MANY_CONNECTIONS = (
    Client("ninsho", NINSHO, MANY),
    Client("ninsho, asyncio", ASYNC, MANY),
    Client("aiosmtplib", AIOSMTPLIB, MANY),
    Client("nodemailer", NODEMAILER, MANY),
    Client("smtp-source", SMTP_SOURCE, MANY, adds=b"\r\n"),
)


def run_one(bench: Bench) -> None:
    """Measure all clients on one connection to a real Postfix, which takes several transactions at a time (BDAT)."""
    runs = _far(bench, postfix, ONE_CONNECTION)
    tell_sent(bench, f"k. messages of 4 kB to Postfix, {ROUND_TRIP} ms away, one connection", runs)
    bench.report.target(faster_target(f"{ROUND_TRIP} ms, one connection", runs, than="smtplib", at_least=12))
    # Whoever waits for a timer of the kernel's loses more here than at a distance.
    tell_sent(bench, "k. the same to Postfix on this machine", _near(bench, postfix, ONE_CONNECTION))


def run_many(bench: Bench) -> None:
    """Measure those clients that can on 20 connections to smtp-sink."""
    runs = _far(bench, smtp_sink, MANY_CONNECTIONS)
    tell_sent(bench, f"l. messages of 4 kB to smtp-sink, {ROUND_TRIP} ms away, {MANY} connections", runs)
    what = f"{ROUND_TRIP} ms, {MANY} connections"
    bench.report.target(faster_target(what, runs, than="aiosmtplib", at_least=3))


def _far(bench: Bench, make: Make, clients: Sequence[Client]) -> Runs:
    @contextmanager
    def make_far(bench: Bench) -> Iterator[Sink]:
        with make(bench) as near, at_a_distance(bench, near, milliseconds=ROUND_TRIP) as sink:
            yield sink

    return _near(bench, make_far, clients)


def _near(bench: Bench, make: Make, clients: Sequence[Client]) -> Runs:
    path = bench.directory_for("distance") / "message"
    path.write_bytes(message())
    try:
        with make(bench) as sink:
            return Turns(bench, sink, path, FIRST).runs(clients)
    except Missing as missing:
        bench.report.note(f"nothing is measured here: {missing}")
        return {}
