"""The programs in C beside this file, compiled: the load driver, the constant server and the relay."""

import shutil
import subprocess
from pathlib import Path

SOURCES = Path(__file__).parent
FLAGS = ["-Wall", "-Wextra", "-O2"]


class Uncompiled(Exception):
    """A program could not be compiled; the message says why."""


def compile_load(directory: Path) -> Path:
    """Compile the load driver into *directory*; return its path."""
    parts = sorted((SOURCES / "driver").glob("*.c"))
    return _compile(directory / "load", [SOURCES / "load.c", *parts])


def compile_constant(directory: Path) -> Path:
    """Compile the constant server into *directory*; return its path."""
    return _compile(directory / "constant", [SOURCES / "constant.c"])


def compile_relay(directory: Path) -> Path:
    """Compile the relay into *directory*; return its path."""
    return _compile(directory / "relay", [SOURCES / "relay.c"])


def _compile(program: Path, sources: list[Path]) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not compiler:
        raise Uncompiled("expected a C compiler (cc or gcc) on the path, got none")
    command = [compiler, *FLAGS, "-o", str(program), *map(str, sources), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Uncompiled(done.stderr)
    return program
