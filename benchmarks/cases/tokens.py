"""Case i: logins by bearer token (OAUTHBEARER): each signed token shown for the first time, and the same ones again."""

import time
from base64 import b64encode
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from itertools import cycle
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from benchmarks import accounts
from benchmarks.accounts import Account
from benchmarks.bench import Bench
from benchmarks.figures import Runs, middle, tell_runs, throughput
from benchmarks.load import Measure, Run, alternate, load, start
from benchmarks.report import Target
from benchmarks.servers import dovecot, ninsho
from benchmarks.servers.server import Server

CONNECTIONS = 50
ACCOUNTS = 1000
MECHANISM = "OAUTHBEARER"
# Signing takes longer than checking; they are made before anything is measured.
TOKENS_PER_ROUND = 2000
ISSUER, AUDIENCE, HOUR = "https://id.example.org/", "smtp", 3600
KEYS: dict[str, Callable[[], ECKey | RSAKey]] = {
    "ES256": partial(ECKey.generate_key, "P-256"),
    "RS256": partial(RSAKey.generate_key, 2048),
}
FIRST, AGAIN = 2_000, 20_000  # logins a second

TABLE = """\
[[oauth]]
issuer = "{issuer}"
audience = ["{audience}"]
public_key_file = "{key}"
"""


def run(bench: Bench) -> None:
    """Measure Dovecot, which looks at every token anew, and ninsho."""
    for algorithm in KEYS:
        _measure(bench, algorithm)


def _measure(bench: Bench, algorithm: str) -> None:
    directory = bench.directory_for("tokens")
    made = accounts.plain_accounts(ACCOUNTS)
    users = _users(directory, made, algorithm, TOKENS_PER_ROUND * (bench.rounds + 1))
    with ExitStack() as stack:
        servers = _servers(bench, stack, directory, made, algorithm)
        given = {"mechanism": MECHANISM, "connections": CONNECTIONS}

        def first(server: Server, number: int) -> Run:
            return load(bench, server, users, **given, requests=TOKENS_PER_ROUND, offset=number * TOKENS_PER_ROUND)

        def again(server: Server, _: int) -> Run:
            return load(bench, server, users, **given, seconds=bench.seconds)

        _tell(bench, f"{algorithm} tokens, shown for the first time", _alternate(bench, servers, first), FIRST)
        _tell(bench, f"{algorithm} tokens, shown again", _alternate(bench, servers, again), AGAIN)


def _alternate(bench: Bench, servers: list[Server], measure: Measure) -> Runs:
    return alternate(bench, servers, measure, rounds=bench.rounds)


def _tell(bench: Bench, what: str, runs: Runs, at_least: float) -> None:
    tell_runs(bench, f"i. {MECHANISM}, {what}, {CONNECTIONS} connections", runs, peer="Dovecot")
    value = middle(runs["ninsho"], throughput) if "ninsho" in runs else None
    bench.report.target(Target(what, value, at_least, "logins/s", at_least=True))


def _users(directory: Path, made: list[Account], algorithm: str, count: int) -> Path:
    """Write what the driver replays, each with a token of its own, and beside it the public key."""
    key = KEYS[algorithm]()
    (directory / "key.pem").write_bytes(key.as_pem(private=False))
    names = [account.name for account in made]
    shown = [
        Account(name, _message(name, _token(key, algorithm, name, number)), "")
        for number, name in zip(range(count), cycle(names))
    ]
    return accounts.write_users(directory / "users", shown)


def _token(key: ECKey | RSAKey, algorithm: str, name: str, number: int) -> str:
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": AUDIENCE, "sub": name, "email": name, "jti": str(number), "exp": now + HOUR}
    return jwt.encode({"alg": algorithm, "typ": "JWT"}, claims, key, algorithms=[algorithm])


def _message(name: str, token: str) -> str:
    return b64encode(f"n,a={name},\x01auth=Bearer {token}\x01\x01".encode()).decode()


def _servers(bench: Bench, stack: ExitStack, directory: Path, made: list[Account], algorithm: str) -> list[Server]:
    passwd = accounts.write_passwd(directory / "passwd", made)
    key = directory / "key.pem"
    peer = dovecot.dovecot(bench, dovecot.tokens(directory, key, algorithm), mechanisms=(MECHANISM,))
    table = TABLE.format(issuer=ISSUER, audience=AUDIENCE, key=key)
    ours = ninsho.ninsho(bench, f"{ninsho.passwd_file(passwd)}\n{table}", mechanisms=(MECHANISM,))
    return start(bench, stack, [peer, ours])
