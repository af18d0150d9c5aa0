"""What tests with other people's programs ask for: the programs, and a port."""

import os
import shutil
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from kerberos import ThrowawayKerberos

from ninsho.cli.throwaway import reserved_port

SEARCHED = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


@pytest.fixture(scope="session")
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


@pytest.fixture
def require_package() -> Callable[[str], None]:
    """Go on where a Python package can be imported; without it, skip the test, but fail on CI."""

    def find(package: str) -> None:
        if find_spec(package) is None:
            _cannot(f"the package {package} is missing: scripts/add-{package} installs it where it can be built")

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


@pytest.fixture
def kerberos(require: Callable[..., str], require_package: Callable[[str], None]) -> Iterator[ThrowawayKerberos]:
    """Return a Kerberos with a user ``tim`` and a service ``smtp``."""
    for program in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"):
        require(program)
    require_package("gssapi")
    with ThrowawayKerberos() as program:
        program.add_user("tim")
        program.add_service("smtp", keytab="keytab")
        yield program


@pytest.fixture
def keytab(kerberos: ThrowawayKerberos) -> Path:
    """Return the file with the service's keys."""
    return kerberos.directory / "keytab"
