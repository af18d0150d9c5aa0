"""What tests with other people's programs ask for: the programs, and a port."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ninsho.cli.throwaway import reserved_port

SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@pytest.fixture
def require() -> Callable[..., str]:
    """Return the path of a program; without it, or without root where it takes that, skip the test, but fail on CI."""

    def find(program: str | Path, *, root: bool = False) -> str:
        path = shutil.which(program, path=SEARCHED)
        if path is None:
            _cannot(f"{program} is missing: scripts/install-peers installs it")
        if root and os.geteuid() != 0:
            _cannot(f"{program} takes root to start, and this is user {os.geteuid()}")
        return str(path)

    return find


def _cannot(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"on CI nothing is skipped: {reason}")
    pytest.skip(reason)


@pytest.fixture
def free_port() -> Iterator[int]:
    """Return a port on 127.0.0.1 that is the test's alone, for a server that sets SO_REUSEADDR."""
    with reserved_port() as port:
        yield port
