"""Case h: the client's half of a login by SCRAM-SHA-256, the first time and again, beside scramp's."""

import hmac
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from os import urandom
from statistics import median
from typing import NamedTuple

from scramp import ScramClient

from benchmarks.bench import Bench
from benchmarks.figures import times
from benchmarks.report import Target
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.scram import scram_client
from ninsho.sasl.secrets import ScramSha256Keys

ITERATIONS = 4096
USERNAME, PASSWORD, NONCE = "user@example.org", "correct horse battery staple", "rOprNGfwEbeRWgbNEkqO"
LOGINS, FIRST_LOGINS = 2000, 20
COLUMNS = ("", "CPU µs/login", "ratio")


class Said(NamedTuple):
    """What a server says that has been asked before: only the client computes."""

    first: str
    final: str

    @classmethod
    def with_new_salt(cls) -> "Said":
        """Another server, for which nobody can have derived anything."""
        keys = ScramSha256Keys.of(PASSWORD.encode(), salt=urandom(16), iterations=ITERATIONS)
        nonce = f"{NONCE}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
        first = f"r={nonce},s={b64encode(keys.salt).decode()},i={ITERATIONS}"
        conversation = f"n={USERNAME},r={NONCE},{first},c=biws,r={nonce}"
        signature = hmac.digest(keys.server_key, conversation.encode(), "sha256")
        return cls(first, f"v={b64encode(signature).decode()}")


def ninsho(said: Said) -> None:
    """Log in as ninsho's client does, which remembers what it derived last."""
    credentials = Credentials(USERNAME, PASSWORD)
    exchange = Exchange(scram_client(credentials, kind=ScramSha256Keys, nonce=NONCE.encode))
    exchange.begin()
    exchange.answer(said.first.encode())
    # Raises unless the server's signature is right.
    exchange.conclude(said.final.encode())


def scramp(said: Said) -> None:
    """The same by scramp, which derives the keys anew."""
    client = ScramClient(["SCRAM-SHA-256"], USERNAME, PASSWORD, c_nonce=NONCE)
    client.get_client_first()
    client.set_server_first(said.first)
    client.get_client_final()
    client.set_server_final(said.final)


def run(bench: Bench) -> None:
    """Time the clients in turns."""
    same = Said.with_new_salt()
    found: dict[str, list[float]] = {"scramp": [], "ninsho, the first time": [], "ninsho": []}
    for _ in range(bench.rounds + 1):
        found["scramp"].append(_microseconds(scramp, [same] * FIRST_LOGINS))
        new = [Said.with_new_salt() for _ in range(FIRST_LOGINS)]
        found["ninsho, the first time"].append(_microseconds(ninsho, new))
        found["ninsho"].append(_microseconds(ninsho, [same] * LOGINS))
    # The first round warms up, as everywhere.
    middle = {name: median(measured[1:]) for name, measured in found.items()}
    rows = [(name, f"{each:,.1f}", times(each / middle["scramp"])) for name, each in middle.items()]
    bench.report.table(f"h. the client's half of SCRAM-SHA-256, {ITERATIONS} iterations", COLUMNS, rows)
    bench.report.target(Target("client's CPU time per login, once it has logged in", middle["ninsho"], 200, "µs"))


def _microseconds(login: Callable[[Said], None], all_said: Sequence[Said]) -> float:
    began = time.process_time()
    for said in all_said:
        login(said)
    return (time.process_time() - began) / len(all_said) * 1e6
