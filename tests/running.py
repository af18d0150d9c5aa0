"""A running ``ninsho serve``, and a mail server's side of the protocol, for tests."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGKILL, SIGTERM
from types import TracebackType
from typing import Self

# Machines that run tests are busy.
PATIENCE = 20.0

NINSHO = (sys.executable, "-m", "ninsho")


class Server:
    """``ninsho serve`` with a configuration, as a child process; its journal goes to a file."""

    def __init__(self, folder: Path, config: str = "", *arguments: str) -> None:
        self.folder = folder
        self.config = folder / "ninsho.toml"
        self.journal_file = folder / "journal"
        self.arguments = arguments
        if config:
            self.config.write_text(config)
            self.arguments = ("--config", str(self.config), *arguments)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *, wait: bool = True) -> Self:
        with self.journal_file.open("ab") as journal:
            before = self.journal().count("ready:")
            self.process = subprocess.Popen([*NINSHO, "serve", *self.arguments], stderr=journal, cwd=self.folder)
        if wait:
            self.wait_for("ready:", times=before + 1)
        return self

    def journal(self) -> str:
        return self.journal_file.read_text() if self.journal_file.exists() else ""

    def wait_for(self, text: str, *, times: int = 1) -> None:
        deadline = time.monotonic() + PATIENCE
        while self.journal().count(text) < times:
            assert self.process is not None
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.journal()}"
            assert time.monotonic() < deadline, f"no {text!r} in: {self.journal()}"
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: int = SIGTERM) -> int:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None and self.process.poll() is None:
            self.stop(SIGKILL)


class Client:
    """The mail server's side of one connection."""

    def __init__(self, address: "Path | tuple[str, int]", *, minor: int = 0, hello: bool = True) -> None:
        family = socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(address) if isinstance(address, Path) else address)
        self._rest = b""
        self.greeting: list[bytes] = []
        if hello:
            self.send(f"VERSION\t1\t{minor}", f"CPID\t{os.getpid()}")
            self.greeting = self.read_greeting()

    def send(self, *lines: str) -> None:
        self.socket.sendall("".join(f"{line}\n" for line in lines).encode())

    def read_greeting(self) -> list[bytes]:
        lines = []
        while not lines or lines[-1] != b"DONE":
            lines.append(self.line())
        return lines

    def line(self) -> bytes:
        """The next line; empty where the server has closed the connection."""
        while b"\n" not in self._rest:
            data = self.socket.recv(65_536)
            if not data:
                return b""
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def ask(self, *lines: str) -> bytes:
        self.send(*lines)
        return self.line()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()
