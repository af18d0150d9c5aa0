"""Case j: messages of four kilobytes to smtp-sink on this machine: what a client itself costs."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.bench import SERVER_CPU, Bench
from benchmarks.figures import Runs, cpu_each, ratio
from benchmarks.processes import on_cpu
from benchmarks.report import Target
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
from benchmarks.sinks import smtp_sink

FIRST = 200
MANY = 20
ONE_CONNECTION = (
    Client("ninsho", NINSHO),
    Client("ninsho, asyncio", ASYNC),
    Client("smtplib", SMTPLIB),
    Client("aiosmtplib", AIOSMTPLIB),
    Client("nodemailer", NODEMAILER),
    Client("smtp-source", SMTP_SOURCE, adds=b"\r\n"),
)
SEVERAL_CONNECTIONS = (
    Client(f"ninsho, {MANY} connections", NINSHO, MANY),
    Client(f"ninsho, asyncio, {MANY} connections", ASYNC, MANY),
    Client(f"aiosmtplib, {MANY} connections", AIOSMTPLIB, MANY),
    Client("nodemailer, 5 connections", NODEMAILER, 5),
)
AT_LEAST = {"smtplib": 3.5, "aiosmtplib": 3, "nodemailer": 5, "smtp-source": 1.5}


def run(bench: Bench) -> None:
    """Measure all clients on one connection, and those that can on several; then where nobody wakes another CPU."""
    try:
        runs = _runs(bench, (*ONE_CONNECTION, *SEVERAL_CONNECTIONS))
        tell_sent(bench, "j. messages of 4 kB to smtp-sink, one connection unless said otherwise", runs)
        _tell_targets(bench, runs)
        with on_cpu(SERVER_CPU):
            runs = _runs(replace(bench, pin=False), ONE_CONNECTION)
        tell_sent(bench, "j. the same with client and smtp-sink on one CPU, which is steadier", runs)
    except Missing as missing:
        bench.report.note(f"case j is left out: {missing}")


def _runs(bench: Bench, clients: Sequence[Client]) -> Runs:
    path = bench.directory_for("submission") / "message"
    path.write_bytes(message())
    with smtp_sink(bench) as sink:
        return Turns(bench, sink, path, FIRST).runs(clients)


def _tell_targets(bench: Bench, runs: Runs) -> None:
    for name, multiple in AT_LEAST.items():
        bench.report.target(faster_target("one connection", runs, than=name, at_least=multiple))
    value = ratio(runs, "ninsho", "smtplib", cpu_each)
    bench.report.target(Target("one connection: CPU time per message, ninsho / smtplib", value, 0.35, "x"))
