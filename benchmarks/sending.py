"""Running the mail clients in turns: the same message, the same sink, and what came of it counted by the sink."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.figures import Runs, cpu_each, middle, ratio, throughput, times
from benchmarks.load import Run, Unmeasured, alternate
from benchmarks.report import Target
from benchmarks.servers.server import last_line
from benchmarks.sinks import Sink, smtp_sink

CLIENTS = Path(__file__).with_name("clients")
PATIENCE = 120
MESSAGE_SIZE = 4096
TRIED_MESSAGES = 3
COLUMNS = ("", "messages/s", "CPU µs/message", "ninsho's throughput", "ninsho's CPU time")

HEADER = b"""\
From: Sender <sender@example.test>\r
To: Recipient <recipient@example.test>\r
Subject: four kilobytes\r
Date: Mon, 02 Mar 2026 09:00:00 +0000\r
Message-ID: <1@client.example.test>\r
MIME-Version: 1.0\r
Content-Type: text/plain; charset=us-ascii\r
\r
"""
LINE = b"The quick brown fox jumps over the lazy dog, and the dog does not mind it.\r\n"
# It takes another dot on the way, and loses it at the end (RFC 5321 §4.5.2).
DOTTED = b".. and once in a while a line begins with a dot.\r\n"


def message() -> bytes:
    """A message of four kilobytes with some lines that begin with dots."""
    lines = (DOTTED if number % 10 == 9 else LINE for number in range(MESSAGE_SIZE))
    found = HEADER
    for line in lines:
        if len(found) + len(line) > MESSAGE_SIZE - 2:
            break
        found += line
    return found + b"x" * (MESSAGE_SIZE - 2 - len(found)) + b"\r\n"


@dataclass(frozen=True)
class Client:
    """A mail client: a script of *clients*, how many connections it may use, and what it puts after any message."""

    name: str
    script: str
    connections: int = 1
    adds: bytes = b""

    def command(self, port: int, count: int, path: Path) -> list[str]:
        """The command line that has it send the file so many times."""
        interpreter = _node() if self.script.endswith(".cjs") else sys.executable
        return [interpreter, str(CLIENTS / self.script), str(port), str(self.connections), str(count), str(path)]


def _node() -> str:
    if not (node := shutil.which("node")):
        raise Unmeasured("there is no node on the path")
    return node


NINSHO, ASYNC, FROM_FILE = "with_ninsho.py", "with_ninsho_async.py", "with_ninsho_from_file.py"
SMTPLIB, AIOSMTPLIB = "with_smtplib.py", "with_aiosmtplib.py"
NODEMAILER, SMTP_SOURCE = "with_nodemailer.cjs", "with_smtp_source.py"


@dataclass(frozen=True)
class Sent:
    """What a client tells of itself: how many messages were taken, in what time, and what it took of the machine."""

    messages: int
    seconds: float
    cpu: float
    peak: int


def send(bench: Bench, client: Client, sink: Sink, *, count: int, path: Path) -> Sent:
    """Have the client send the file *count* times; raise ``Unmeasured`` if it cannot."""
    with bench.driver_cpu():
        done = subprocess.run(
            client.command(sink.port, count, path),
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
    if done.returncode or not done.stdout:
        raise Unmeasured(last_line(done.stderr))
    return Sent(**json.loads(done.stdout))


@dataclass
class Turns:
    """Clients that send to one sink in turns; in each round each sends about as much as it can in ``bench.seconds``.

    The first round, of ``first`` messages for each connection, finds out how much that is.
    """

    bench: Bench
    sink: Sink
    path: Path
    first: int
    rates: dict[Client, float] = field(default_factory=dict)

    def measure(self, client: Client, _: int) -> Run:
        """Let it send; a message that it reports and the sink has not got, or the other way round, is an error."""
        least = self.first * client.connections
        count = max(least, int(self.rates.get(client, 0) * self.bench.seconds))
        before = self.sink.count()
        sent = send(self.bench, client, self.sink, count=count, path=self.path)
        got = self.sink.wait_for(before + count) - before
        self.rates[client] = sent.messages / sent.seconds
        return Run(sent.messages, abs(got - count) + abs(sent.messages - count), sent.seconds, 0, 0, sent.cpu)

    def runs(self, clients: Sequence[Client]) -> Runs:
        """Measure those clients that deliver the message as it is."""
        sent = self.path.read_bytes()
        true = [
            client
            for client in clients
            if delivers(self.bench, client, self.path, read=_body, expected=[sent + client.adds] * TRIED_MESSAGES)
        ]
        return alternate(self.bench, true, self.measure, rounds=self.bench.rounds)


def delivers(
    bench: Bench, client: Client, path: Path, *, read: Callable[[bytes], Hashable], expected: Sequence[Hashable]
) -> bool:
    """Whether what arrives, as it is *read*, is what is *expected*; what is not measured for any reason is told."""
    dump = bench.directory_for("dump")
    dump.chmod(0o777)
    try:
        with smtp_sink(bench, dump=dump) as sink:
            send(bench, client, sink, count=len(expected), path=path)
            found = Counter(read(file.read_bytes()) for file in dump.iterdir())
    except Unmeasured as unmeasured:
        bench.report.note(f"{client.name} is left out: {unmeasured}")
        return False
    meant = Counter(expected)
    if wrong := (meant - found).total() + (found - meant).total():
        bench.report.mistakes(client.name, wrong)
    return not wrong


def _body(dump: bytes) -> bytes:
    # The header that smtp-sink puts before it ends with three lines of Received; after it comes an empty line.
    _, _, behind = dump.partition(b"(smtp-sink) with ")
    return b"\r\n".join(behind.split(b"\n")[2:-1])


def tell_sent(bench: Bench, title: str, runs: Runs) -> None:
    """Print what each client reaches, and how many times as much ninsho does."""
    bench.report.table(title, COLUMNS, [_row(runs, name) for name in runs])


def _row(runs: Runs, name: str) -> tuple[str, ...]:
    return (
        name,
        f"{middle(runs[name], throughput):,.0f}",
        f"{middle(runs[name], cpu_each):,.1f}",
        times(ratio(runs, "ninsho", name, throughput)),
        times(ratio(runs, "ninsho", name, cpu_each)),
    )


def faster_target(what: str, runs: Runs, *, than: str, at_least: float) -> Target:
    """How many times the other's messages per second ninsho must send."""
    value = ratio(runs, "ninsho", than, throughput)
    return Target(f"{what}: throughput, ninsho / {than}", value, at_least, "x", at_least=True)
