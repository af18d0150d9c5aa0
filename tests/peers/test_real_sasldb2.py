"""A sasldb2 that Cyrus SASL wrote is imported, and one of ours is read there."""

import io
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from ninsho.stores.entries import Entry
from ninsho.stores.interchange import sasldb2

ACCOUNTS = [
    Entry("alice@example.org", ("{PLAIN}correct horse",)),
    Entry("te\\st@example.org", ("{PLAIN}pässwörd 日本語 \\5c",)),
    Entry("ü@example.net", ("{PLAIN}{\\}:!\"'$",)),
]


def run(*arguments: str | Path, given: str = "") -> str:
    ended = subprocess.run(arguments, input=given.encode(), capture_output=True, check=False, timeout=30)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout.decode()


def parts(entry: Entry) -> tuple[str, str, str]:
    user, _, realm = entry.name.partition("@")
    return user, realm, entry.secrets[0].removeprefix("{PLAIN}")


def read(text: str, realm: str | None = None) -> list[Entry]:
    return sorted(sasldb2.read(io.StringIO(text, newline=""), realm=realm), key=lambda entry: entry.name)


def written(accounts: list[Entry], realm: str | None = None) -> str:
    stream = io.StringIO(newline="")
    sasldb2.write(accounts, stream, realm=realm)
    return stream.getvalue()


@pytest.mark.parametrize("options", [(), ("-p",)])
def test_users_of_saslpasswd2_are_read_from_what_db_dump_prints(
    require: Callable[..., str], tmp_path: Path, options: tuple[str, ...]
) -> None:
    saslpasswd2, db_dump, base = require("saslpasswd2"), require("db_dump"), tmp_path / "sasldb2"
    for entry in ACCOUNTS:
        user, realm, password = parts(entry)
        run(saslpasswd2, "-p", "-c", "-f", base, "-u", realm, user, given=password)
    text = run(db_dump, *options, base)
    assert read(text) == ACCOUNTS
    assert [entry.name for entry in read(text, "example.org")] == ["alice", "te\\st", "ü@example.net"]


def test_what_is_exported_is_a_sasldb2_for_db_load(require: Callable[..., str], tmp_path: Path) -> None:
    db_load, db_dump, base = require("db_load"), require("db_dump"), tmp_path / "sasldb2"
    accounts = [*ACCOUNTS, Entry("bob", ("{PLAIN}p",))]
    run(db_load, base, given=written(accounts, "example.com"))
    listed = run(require("sasldblistusers2"), "-f", base)
    names = ["alice@example.org", "bob@example.com", "te\\st@example.org", "ü@example.net"]
    assert sorted(listed.splitlines()) == [f"{name}: userPassword" for name in names]
    assert read(run(db_dump, "-p", base), "example.com") == sorted(accounts, key=lambda entry: entry.name)


def test_users_go_through_gdbm(require: Callable[..., str], tmp_path: Path) -> None:
    # Red Hat's sasldb2 is one of GDBM; its dump is made by hand here, as its own program wants it.
    text, base = tmp_path / "dump", tmp_path / "sasldb2"
    gdbm_load, gdbm_dump = require("gdbm_load"), require("gdbm_dump")
    text.write_text(
        "#:version=1.1\n# End of header\n" + "".join(map(gdbm_items, ACCOUNTS)) + "#:count=3\n# End of data\n"
    )
    run(gdbm_load, text, base)
    assert read(run(gdbm_dump, base)) == ACCOUNTS


def gdbm_items(entry: Entry) -> str:
    user, realm, password = parts(entry)
    items = (f"{user}\0{realm}\0userPassword".encode(), password.encode())
    return "".join(f"#:len={len(item)}\n{b64encode(item).decode()}\n" for item in items)


def test_users_go_through_lmdb(require: Callable[..., str], tmp_path: Path) -> None:
    base = tmp_path / "sasldb2"
    run(require("mdb_load"), "-n", base, given=written(ACCOUNTS).replace("=hash", "=btree"))
    assert read(run(require("mdb_dump"), "-n", base)) == ACCOUNTS
