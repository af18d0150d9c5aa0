"""Made-up accounts: the file that the load driver reads, and the same accounts as a server keeps them."""

import hmac
import random
import sqlite3
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from hashlib import pbkdf2_hmac, sha256
from pathlib import Path
from typing import NamedTuple

import bcrypt
from argon2 import PasswordHasher
from passlib.hash import sha512_crypt


class Account(NamedTuple):
    """A user, the password (or what a client keeps in its place), and the form in which a server keeps it."""

    name: str
    password: str
    secret: str


def _sha512_crypt(password: str) -> str:
    # crypt(3)'s and Dovecot's own number of rounds.
    return "{SHA512-CRYPT}" + str(sha512_crypt.using(rounds=5000).hash(password))


def _bcrypt(password: str) -> str:
    return "{BLF-CRYPT}" + bcrypt.hashpw(password.encode(), bcrypt.gensalt(10, prefix=b"2b")).decode()


def _argon2id(password: str) -> str:
    # RFC 9106 §4: the second recommended option, of 64 MiB.
    return "{ARGON2ID}" + PasswordHasher(time_cost=3, memory_cost=65_536, parallelism=4).hash(password)


HASHES: dict[str, Callable[[str], str]] = {
    "SHA512-CRYPT": _sha512_crypt,
    "BLF-CRYPT": _bcrypt,
    "ARGON2ID": _argon2id,
}


def plain_accounts(count: int, *, prefix: str = "user", seed: int = 1) -> list[Account]:
    """Accounts whose secret is the password itself."""
    # The same accounts each time: figures of two runs can be compared.
    generator = random.Random(seed)
    passwords = [f"{generator.getrandbits(64):016x}" for _ in range(count)]
    return [Account(f"{prefix}{i:06}", password, "{PLAIN}" + password) for i, password in enumerate(passwords)]


def hashed_accounts(scheme: str, count: int) -> list[Account]:
    """Accounts with a hashed password; they share one hash, for making one takes long."""
    password = "correct horse battery staple"
    secret = HASHES[scheme](password)
    return [Account(f"{scheme.lower()}{i:06}", password, secret) for i in range(count)]


SCRAM_ITERATIONS = 4096  # RFC 7677 §4


def scram_accounts(count: int, *, seed: int = 1) -> list[Account]:
    """Accounts with keys of SCRAM-SHA-256 (RFC 5802 §3), each with a salt of its own.

    In place of the password stand ClientKey and ServerKey in hexadecimal, as in a client that has derived them.
    """
    return [_scram_account(account) for account in plain_accounts(count, prefix="scram", seed=seed)]


def _scram_account(account: Account) -> Account:
    salt = account.name.encode().rjust(16, b".")
    salted = pbkdf2_hmac("sha256", account.password.encode(), salt, SCRAM_ITERATIONS)
    client_key, server_key = (hmac.digest(salted, label, "sha256") for label in (b"Client Key", b"Server Key"))
    parts = (b64encode(part).decode() for part in (salt, sha256(client_key).digest(), server_key))
    secret = ",".join((f"{{SCRAM-SHA-256}}{SCRAM_ITERATIONS}", *parts))
    return Account(account.name, client_key.hex() + server_key.hex(), secret)


def write_users(path: Path, accounts: Iterable[Account]) -> Path:
    """Write what the load driver reads."""
    path.write_text("".join(f"{account.name}\t{account.password}\n" for account in accounts))
    return path


def write_passwd(path: Path, accounts: Iterable[Account]) -> Path:
    """Write a passwd-file."""
    path.write_text("".join(f"{account.name}:{account.secret}\n" for account in accounts))
    return path


def shuffled(accounts: Sequence[Account], *, seed: int = 1) -> list[Account]:
    """The accounts in an order that no index has."""
    return random.Random(seed).sample(accounts, len(accounts))


def write_database(path: Path, accounts: Iterable[Account]) -> Path:
    """Write an SQLite database with one table, ``users(name, password)``."""
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT NOT NULL) WITHOUT ROWID")
        rows = ((account.name, account.secret) for account in accounts)
        database.executemany("INSERT INTO users VALUES (?, ?)", rows)
    return path
