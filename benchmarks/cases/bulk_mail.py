"""Case p: a Japanese mail with a file of 10 kB for each of many recipients, to smtp-sink: messages a second, memory."""

import email
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.clients.letter import rows
from benchmarks.figures import Runs, middle, ratio, throughput
from benchmarks.letters import FILENAME, SUBJECT, TEXT, file, write_letter
from benchmarks.load import alternate
from benchmarks.report import Target
from benchmarks.sending import TRIED_MESSAGES, Client, Turns, delivers, send, tell_sent
from benchmarks.servers.server import Missing
from benchmarks.sinks import smtp_sink

MERGE = "with_ninsho_merge.py"
NODEMAILER = "with_nodemailer_merge.cjs"
SEVERAL = 5
CLIENTS = (
    Client("ninsho", MERGE),
    Client("ninsho, 2 connections", MERGE, 2),
    Client(f"ninsho, {SEVERAL} connections", MERGE, SEVERAL),
    Client("EmailMessage and smtplib", "with_email_message.py"),
    Client("nodemailer", NODEMAILER),
    Client(f"nodemailer, {SEVERAL} connections", NODEMAILER, SEVERAL),
)
# Each beside what has as many connections.
PAIRS = {
    CLIENTS[3]: (CLIENTS[0], 6),
    CLIENTS[4]: (CLIENTS[0], 4),
    CLIENTS[5]: (CLIENTS[2], 4),
}
FIRST = 100
MIB = 1 << 20
FEW, MANY = 10_000, 100_000
MEMORY_COLUMNS = ("", "messages", "peak MiB", "messages/s")


def run(bench: Bench) -> None:
    """Measure all clients that send the letter as it is; then ninsho's memory for few and for many recipients."""
    path = bench.directory_for("bulk") / "letter"
    write_letter(path)
    try:
        runs = _runs(bench, path)
        _tell_memory(bench, path)
    except Missing as missing:
        bench.report.note(f"case p is left out: {missing}")
        return
    tell_sent(bench, "p. Japanese mails, each to its own recipient, with a file of 10 kB, to smtp-sink", runs)
    for theirs, (ours, multiple) in PAIRS.items():
        value = ratio(runs, ours.name, theirs.name, throughput)
        what = f"merged mails: throughput, {ours.name} / {theirs.name}"
        bench.report.target(Target(what, value, multiple, "x", at_least=True))
    best = max((middle(runs[ours.name], throughput) for ours in CLIENTS[:3] if ours.name in runs), default=None)
    bench.report.target(Target("merged mails, one process: throughput", best, 5000, "messages/s", at_least=True))


def _runs(bench: Bench, path: Path) -> Runs:
    meant = [_meant(row) for row in rows(TRIED_MESSAGES)]
    true = [client for client in CLIENTS if delivers(bench, client, path, read=_read, expected=meant)]
    with smtp_sink(bench) as sink:
        return alternate(bench, true, Turns(bench, sink, path, FIRST).measure, rounds=bench.rounds)


def _meant(row: Mapping[str, object]) -> tuple[object, ...]:
    subject, text = SUBJECT.format(**row), TEXT.format(**row)
    return (f"{row['name']}様", row["email"], subject, text, FILENAME, file())


def _read(dump: bytes) -> tuple[object, ...]:
    """What a message says, by the standard library's parser; smtp-sink puts fields of its own above."""
    message = email.message_from_bytes(dump, policy=default)
    assert isinstance(message, EmailMessage)
    [to] = message["To"].addresses
    text, [attached] = message.get_body(("plain",)), message.iter_attachments()
    assert text
    body = text.get_content().replace("\r\n", "\n")
    return (to.display_name, to.addr_spec, message["Subject"], body, attached.get_filename(), attached.get_content())


def _tell_memory(bench: Bench, path: Path) -> None:
    """Send to few and to many recipients, from new processes, which tell the peaks of their memory."""
    ours, rows, peaks = CLIENTS[0], [], []
    with smtp_sink(bench) as sink:
        for count in (FEW, MANY):
            before = sink.count()
            sent = send(bench, ours, sink, count=count, path=path)
            if (got := sink.wait_for(before + count) - before) != count or sent.messages != count:
                bench.report.mistakes(ours.name, abs(got - count) + abs(sent.messages - count))
            rows.append((ours.name, f"{count:,}", f"{sent.peak / MIB:,.1f}", f"{count / sent.seconds:,.0f}"))
            peaks.append(sent.peak)
    bench.report.table("p. memory, by the number of recipients", MEMORY_COLUMNS, rows)
    what = f"merged mails: peak memory, {MANY:,} recipients / {FEW:,}"
    bench.report.target(Target(what, peaks[1] / peaks[0], 1.05, "x"))
