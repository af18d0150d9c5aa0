"""What tests with other people's programs ask for: the programs, a port, and mail servers that run."""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import mail_servers
import pytest
import submission_dovecot
import submission_postfix
from certificates import Certificates, issue
from kerberos import ThrowawayKerberos
from mail_server import USER, LmtpServer, MailServer

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


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """Return certificates for servers on this machine, good ones and bad ones, and those of a client."""
    return issue(tmp_path_factory.mktemp("certificates"), client=USER)


@pytest.fixture(scope="session")
def start_mail_server(
    require: Callable[..., str], certificates: Certificates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], MailServer]]:
    """Return what starts a server by its name in ``mail_servers.STARTED``: once, until the end of all tests."""
    with ExitStack() as running:

        @cache
        def start(name: str) -> MailServer:
            for program in mail_servers.NEEDED[name]:
                require(program, root=True)
            return running.enter_context(mail_servers.STARTED[name](tmp_path_factory.mktemp("server"), certificates))

        yield start


@pytest.fixture(params=mail_servers.STARTED)
def mail_server(request: pytest.FixtureRequest, start_mail_server: Callable[[str], MailServer]) -> MailServer:
    """Return each server in turn."""
    return start_mail_server(request.param)


@pytest.fixture(scope="session")
def untrustworthy(require: Callable[..., str], certificates: Certificates) -> Iterator[Mapping[str, MailServer]]:
    """Return servers by what is wrong with their certificates: ``expired``, ``wrong_name``, ``unknown_authority``."""
    for program in mail_servers.NEEDED["postfix+cyrus"]:
        require(program, root=True)
    with submission_postfix.untrustworthy(certificates) as servers:
        yield servers


@pytest.fixture(scope="session")
def lmtp_server(require: Callable[..., str], certificates: Certificates) -> Iterator[LmtpServer]:
    """Return an LMTP server, on a port and on a socket, with a user who has no room."""
    for program in ("dovecot", "/usr/lib/dovecot/lmtp"):
        require(program, root=True)
    with submission_dovecot.lmtp(certificates) as server:
        yield server
