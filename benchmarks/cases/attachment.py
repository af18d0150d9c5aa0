"""Case m: a message of one gibibyte, sent from its file: what memory the client takes."""

from base64 import b64encode
from pathlib import Path

from benchmarks.bench import Bench
from benchmarks.load import Unmeasured
from benchmarks.report import Target
from benchmarks.sending import FROM_FILE, HEADER, NINSHO, SMTPLIB, Client, Sent, send
from benchmarks.servers.server import Missing
from benchmarks.sinks import Sink, smtp_sink

MIB = 1 << 20
WHOLE, PART = 1024 * MIB, 64 * MIB
# RFC 2045 §6.8: 57 octets make a line of 76 characters.
LINE = b64encode(bytes(range(57))) + b"\r\n"
LINES_AT_ONCE = 16_384
COLUMNS = ("", "MiB of message", "peak MiB", "MiB/s", "CPU s/GiB")

# The others hold the message in memory, several times over: a smaller one shows it, and nobody's machine swaps.
TRIALS = (
    (Client("ninsho, from its file", FROM_FILE), WHOLE),
    (Client("ninsho, from its file", FROM_FILE), PART),
    (Client("ninsho, from bytes", NINSHO), PART),
    (Client("smtplib, from bytes", SMTPLIB), PART),
)


def run(bench: Bench) -> None:
    """Send the message once from a new process, which tells the peak of its memory."""
    directory = bench.directory_for("attachment")
    try:
        with smtp_sink(bench) as sink:
            found = [(client, size, _sent(bench, client, sink, _file(directory, size))) for client, size in TRIALS]
    except Missing as missing:
        bench.report.note(f"case m is left out: {missing}")
        return
    rows = [_row(client, size, sent) for client, size, sent in found if sent]
    bench.report.table("m. one large message to smtp-sink", COLUMNS, rows)
    whole = found[0][2]
    value = whole.peak / MIB if whole else None
    bench.report.target(Target("a message of 1 GiB from its file: peak memory", value, 40, "MiB"))


def _sent(bench: Bench, client: Client, sink: Sink, path: Path) -> Sent | None:
    before = sink.count()
    try:
        sent = send(bench, client, sink, count=1, path=path)
    except Unmeasured as unmeasured:
        bench.report.note(f"{client.name} is left out: {unmeasured}")
        return None
    if (got := sink.wait_for(before + 1) - before) != 1 or sent.messages != 1:
        bench.report.mistakes(client.name, abs(got - 1) + abs(sent.messages - 1))
    return sent


def _file(directory: Path, size: int) -> Path:
    path = directory / f"{size // MIB}-MiB"
    if not path.exists():
        lines = (size - len(HEADER)) // len(LINE)
        with path.open("wb") as file:
            file.write(HEADER)
            for _ in range(lines // LINES_AT_ONCE):
                file.write(LINE * LINES_AT_ONCE)
            file.write(LINE * (lines % LINES_AT_ONCE))
    return path


def _row(client: Client, size: int, sent: Sent) -> tuple[str, ...]:
    speed, cpu = size / MIB / sent.seconds, sent.cpu / size * WHOLE
    return (client.name, f"{size // MIB:,}", f"{sent.peak / MIB:,.1f}", f"{speed:,.0f}", f"{cpu:,.2f}")
