"""The plugin for pytest: a mail server, with TLS or without, and a client that sends nothing, as fixtures."""

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from ninsho.testing.certificates import Certificate
    from ninsho.testing.memory import MemoryClient
    from ninsho.testing.server import MailServer

# What ninsho.testing needs is imported inside of the fixtures: pytest loads this file at the start of every run.

MARKER = "smtp_server(**options): what smtp_server and smtp_server_tls are like, as MailServer takes it"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", MARKER)


@pytest.fixture(scope="session")
def _smtp_certificate() -> "Certificate":
    from ninsho.testing.certificates import Certificate  # noqa: PLC0415

    return Certificate.made()


@pytest.fixture
def smtp_server(request: pytest.FixtureRequest) -> "Iterator[MailServer]":
    """A mail server that runs during the test; ``@pytest.mark.smtp_server(users={"alice": "secret"})`` sets it up."""
    options = _options(request)
    if options.get("tls", "none") != "none":
        options.setdefault("certificate", request.getfixturevalue("_smtp_certificate"))
    yield from _served(options)


@pytest.fixture
def smtp_server_tls(request: pytest.FixtureRequest, _smtp_certificate: "Certificate") -> "Iterator[MailServer]":
    """The same with TLS, by STARTTLS unless the marker says ``tls="implicit"``; ``.url`` names whom to believe."""
    yield from _served({"tls": "starttls", "certificate": _smtp_certificate} | _options(request))


@pytest.fixture
def sent_mail() -> "MemoryClient":
    """A client that sends nothing and keeps what it is given in ``messages``."""
    from ninsho.testing.memory import MemoryClient  # noqa: PLC0415

    return MemoryClient()


def _options(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The options of all markers: the closest to the test wins."""
    markers = list(request.node.iter_markers("smtp_server"))
    for given in (given for marker in markers for given in marker.args):
        _refuse(f"expected options by name, as users=…, got {given!r}")
    return {name: value for marker in reversed(markers) for name, value in marker.kwargs.items()}


def _served(options: dict[str, Any]) -> "Iterator[MailServer]":
    with _made(options) as server:
        yield server


def _made(options: dict[str, Any]) -> "MailServer":
    from inspect import signature  # noqa: PLC0415

    from ninsho.client.words import suggestion  # noqa: PLC0415
    from ninsho.testing.server import MailServer  # noqa: PLC0415

    known = list(signature(MailServer).parameters)
    for name in options:
        if name not in known:
            _refuse(f"unknown option {name!r}{suggestion(name, known)}")
    try:
        return MailServer(**options)
    except ValueError as error:
        _refuse(str(error))


def _refuse(fault: str) -> "NoReturn":
    # Without a traceback: the fault is in the marker, and no line of ours helps to find it.
    pytest.fail(f"smtp_server: {fault}", pytrace=False)
