"""Case h: the client's half of a login by SCRAM-SHA-256: what it computes where it has logged in before, and beside scramp."""

import hmac
import time
from base64 import b64encode
from collections.abc import Callable
from statistics import median

from scramp import ScramClient

from benchmarks.bench import Bench
from benchmarks.figures import times
from benchmarks.report import Target
from ninsho.sasl import scram
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.secrets import ScramSha256Keys

ITERATIONS = 4096
USERNAME, PASSWORD, NONCE = "user@example.org", "correct horse battery staple", "rOprNGfwEbeRWgbNEkqO"
KEYS = ScramSha256Keys.of(PASSWORD.encode(), salt=bytes(16), iterations=ITERATIONS)

# The server has said all this before: only the client computes.
CLIENT_FIRST = f"n={USERNAME},r={NONCE}"
WHOLE_NONCE = f"{NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
SERVER_FIRST = f"r={WHOLE_NONCE},s={b64encode(KEYS.salt).decode()},i={ITERATIONS}"
CONVERSATION = f"{CLIENT_FIRST},{SERVER_FIRST},c=biws,r={WHOLE_NONCE}".encode()
SERVER_FINAL = "v=" + b64encode(hmac.digest(KEYS.server_key, CONVERSATION, "sha256")).decode()

LOGINS, FIRST_LOGINS = 2000, 20
COLUMNS = ("", "CPU µs/login", "ratio")


def again() -> None:
    """Log in as ninsho's client, which remembers the keys of its last passwords."""
    credentials = Credentials(USERNAME, PASSWORD)
    steps = scram.scram_client(credentials, kind=ScramSha256Keys, nonce=NONCE.encode)
    exchange = Exchange(steps)
    exchange.begin()
    exchange.answer(SERVER_FIRST.encode())
    # Raises unless the server's signature is right.
    exchange.conclude(SERVER_FINAL.encode())


def first() -> None:
    """The same where nothing is remembered."""
    scram._keys.cache_clear()  # noqa: SLF001 - another password would be another login
    again()


def peer() -> None:
    """The same by scramp."""
    client = ScramClient(["SCRAM-SHA-256"], USERNAME, PASSWORD, c_nonce=NONCE)
    client.get_client_first()
    client.set_server_first(SERVER_FIRST)
    client.get_client_final()
    client.set_server_final(SERVER_FINAL)


CLIENTS: dict[str, tuple[Callable[[], None], int]] = {
    "scramp": (peer, FIRST_LOGINS),
    "ninsho, the first time": (first, FIRST_LOGINS),
    "ninsho": (again, LOGINS),
}


def run(bench: Bench) -> None:
    """Time the clients in turns."""
    found: dict[str, list[float]] = {name: [] for name in CLIENTS}
    for _ in range(bench.rounds + 1):
        for name, (login, logins) in CLIENTS.items():
            found[name].append(_microseconds(login, logins))
    # The first round warms up, as everywhere.
    middle = {name: median(measured[1:]) for name, measured in found.items()}
    rows = [(name, f"{each:,.1f}", times(each / middle["scramp"])) for name, each in middle.items()]
    bench.report.table(f"h. the client's half of SCRAM-SHA-256, {ITERATIONS} iterations", COLUMNS, rows)
    bench.report.target(Target("client's CPU time per login, once it has logged in", middle["ninsho"], 200, "µs"))


def _microseconds(login: Callable[[], None], logins: int) -> float:
    login()
    began = time.process_time()
    for _ in range(logins):
        login()
    return (time.process_time() - began) / logins * 1e6
