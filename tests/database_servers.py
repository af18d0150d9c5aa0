"""Database servers for tests: PostgreSQL and MariaDB, each started on a port of its own."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib.util import find_spec
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals
from tempfile import mkdtemp
from typing import NamedTuple

import pytest

PATIENCE = 60.0  # seconds
PASSWORD = "hunter2"
# Debian keeps PostgreSQL's server out of everybody's way.
SEARCHED = ":".join(
    [*map(str, Path("/usr/lib/postgresql").glob("*/bin")), os.environ.get("PATH", os.defpath), "/usr/sbin"]
)


class Server(NamedTuple):
    """A running server: a database on it, another one that stays empty, and how to start it anew."""

    url: str
    empty: str
    restart: Callable[[], None]


def require(program: str, package: str) -> str:
    path = shutil.which(program, path=SEARCHED)
    missing = program if path is None else package if find_spec(package) is None else None
    if missing is not None:
        reason = f"{missing} is missing"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return str(path)


def free_port() -> int:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


class Process:
    """A server's process, which may be ended and started again."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that differs between servers
        self,
        command: Sequence[str],
        port: int,
        folder: Path,
        user: str,
        end: Signals = SIGTERM,
        ready: Sequence[str] = ("true",),
    ) -> None:
        self.command = command
        # PostgreSQL listens before it lets anybody in.
        self.ready = ready
        self.end = end
        self.port = port
        self.folder = folder
        self.user = user if os.geteuid() == 0 else None
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd=self.folder, user=self.user, group=self.user
            )
        deadline = time.monotonic() + PATIENCE
        while not self.answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, (self.folder / "log").read_text()
            time.sleep(0.05)

    def answers(self) -> bool:
        with closing(socket.socket()) as client:
            if client.connect_ex(("127.0.0.1", self.port)) != 0:
                return False
        return subprocess.run(self.ready, check=False).returncode == 0

    def stop(self) -> None:
        self.process.send_signal(self.end)
        self.process.wait(PATIENCE)

    def restart(self) -> None:
        self.stop()
        self.start()


@contextmanager
def folder_of(user: str) -> Iterator[Path]:
    """A directory that the server's user may enter, whoever runs the tests."""
    folder = Path(mkdtemp(prefix="ninsho-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, user, user)
        yield folder
    finally:
        shutil.rmtree(folder)


def make(command: Sequence[str], folder: Path, user: str, *, said: str = "") -> None:
    as_user = user if os.geteuid() == 0 else None
    done = subprocess.run(
        command, input=said, text=True, capture_output=True, cwd=folder, user=as_user, group=as_user, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def postgresql() -> Iterator[Server]:
    program = require("postgres", "psycopg")
    port = free_port()
    with folder_of("postgres") as folder:
        (folder / "password").write_text(PASSWORD)
        (folder / "password").chmod(0o644)
        options = ["-A", "scram-sha-256", "--pwfile", "password", "-U", "ninsho", "-E", "UTF8", "--locale", "C.UTF-8"]
        make([require("initdb", "psycopg"), "-D", "data", "--no-sync", *options], folder, "postgres")
        command = [program, "-D", "data", "-p", str(port), "-k", str(folder), "-c", "fsync=off"]
        # SIGTERM would wait for the clients to leave.
        ready = (require("pg_isready", "psycopg"), "-q", "-h", "127.0.0.1", "-p", str(port))
        process = Process(command, port, folder, "postgres", SIGINT, ready)
        try:
            url = f"postgresql+psycopg://ninsho@127.0.0.1:{port}"
            yield Server(f"{url}/postgres", f"{url}/template1", process.restart)
        finally:
            process.stop()


@contextmanager
def mariadb() -> Iterator[Server]:
    program = require("mariadbd", "asyncmy")
    port = free_port()
    with folder_of("mysql") as folder:
        base = ["--no-defaults", f"--datadir={folder / 'data'}"]
        make(
            [require("mariadb-install-db", "asyncmy"), *base, "--auth-root-authentication-method=normal"],
            folder,
            "mysql",
        )
        # What the server itself takes for a name's letters must not matter.
        statements = (
            "CREATE DATABASE accounts CHARACTER SET latin1",
            "CREATE DATABASE empty",
            f"CREATE USER ninsho@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'",
            "GRANT ALL ON *.* TO ninsho@'127.0.0.1' WITH GRANT OPTION",
        )
        (folder / "first.sql").write_text("".join(f"{statement};\n" for statement in statements))
        options = [f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder / 'socket'}", "--skip-log-bin"]
        command = [program, *base, *options]
        process = Process([*command, f"--init-file={folder / 'first.sql'}"], port, folder, "mysql")
        process.command = command
        try:
            url = f"mysql+asyncmy://ninsho@127.0.0.1:{port}"
            yield Server(f"{url}/accounts", f"{url}/empty", process.restart)
        finally:
            process.stop()
