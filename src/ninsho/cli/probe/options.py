"""The options of ``ninsho probe`` besides those of the server, and which servers they mean."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import JsonOption
from ninsho.cli.send.server import ServerOptions, meant
from ninsho.client.assembly import IMPLICIT_PORT, RELAY_PORT, SUBMISSION_PORT
from ninsho.client.settings import Endpoint, Settings, Timeouts, TLSMode
from ninsho.client.url import hosts_of

PORTS: Final = (SUBMISSION_PORT, IMPLICIT_PORT, RELAY_PORT)
# Who looks does not wait as long as who has mail to deliver.
PATIENCE: Final = Timeouts(
    connect=10, greeting=10, command=10, mail=10, recipient=10, data_start=10, data_block=10, data_end=10
)


@Parameter(name="*")
@dataclass(frozen=True)
class ProbeOptions:
    """What to try, and what to show."""

    try_mechanisms: bool = False
    """Log in by each mechanism in turn; a wrong password is refused each time, and some servers then lock accounts."""
    log_in_anyway: bool = False
    """Log in although the server's certificate is not believed: whoever poses as it may learn the password."""
    sneak: bool = False
    """Send a NOOP in clear behind STARTTLS, as an attacker would, and see whether the server takes it."""
    transcript: bool = False
    """Show the talk with the server on standard error, secrets hidden."""
    as_json: JsonOption = False


def servers(target: str | None, options: ServerOptions) -> list[Settings]:
    """Return what to know of each server to look at: one endpoint each."""
    return [
        replace(settings, timeouts=PATIENCE) if settings.timeouts == Timeouts() else settings
        for settings in _servers(target, options)
    ]


def _servers(target: str | None, options: ServerOptions) -> Iterator[Settings]:
    if target is None or "://" in target:
        settings = options.settings(target, "URL")
        yield from (replace(settings, endpoints=(endpoint,)) for endpoint in settings.endpoints)
        return
    for host, port in _hosts(target):
        yield from _at(host, port, options)


def _at(host: str, port: int | None, options: ServerOptions) -> Iterator[Settings]:
    # Made once: a password may be read from standard input for it.
    settings = options.settings(None, "host", host=host, port=port or PORTS[0])
    for number in (port,) if port else PORTS:
        implicit = number == IMPLICIT_PORT and options.tls is None
        tls = TLSMode.IMPLICIT if implicit else settings.tls
        yield replace(settings, endpoints=(Endpoint(settings.endpoints[0].host, number),), tls=tls)


def _hosts(target: str) -> tuple[tuple[str, int | None], ...]:
    try:
        return hosts_of(target)
    except ValueError as error:
        raise WrongUsage(f"{error}{meant(target)}") from None
