"""``ninsho exim print``."""

import asyncio
from collections.abc import Iterator, Sequence

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import ConfigOption, ListenOption
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import say
from ninsho.daemon.assembly import Assembly
from ninsho.daemon.config import Config
from ninsho.daemon.journal import Journal
from ninsho.daemon.tables import Listen
from ninsho.sasl.mechanism import Mechanism, Properties


def print_blocks(*, config: ConfigOption = None, listen: ListenOption = None) -> None:
    """Print the authenticators for Exim's configuration, one for each mechanism that is offered."""
    loaded = configuration(config)
    chosen = choose(loaded.listen, listen)
    say("# For the section `begin authenticators`; Exim must have been built with the dovecot driver,")
    say("# as Debian's exim4-daemon-heavy is.")
    for mechanism in asyncio.run(_offered(loaded, chosen)):
        say("", *block(mechanism, server_socket(chosen)))


def choose(listens: Sequence[Listen], wanted: str | None) -> Listen:
    """Return the listener that is *wanted*, else one that looks made for Exim."""
    if wanted is None:
        return min(listens, key=_rank)
    for listen in listens:
        if listen.address == wanted:
            return listen
    raise WrongUsage(f"--listen: expected one of {', '.join(one.address for one in listens)}, got {wanted}")


def block(mechanism: Mechanism, socket: str) -> Iterator[str]:
    """Yield the lines of one authenticator."""
    # The name with "dovecot_" in front, and a set_id, are what log filters for Exim look for.
    yield f"dovecot_{mechanism.name.lower().replace('-', '_')}:"
    yield "  driver = dovecot"
    yield f"  public_name = {mechanism.name}"
    yield f"  server_socket = {socket}"
    yield "  server_set_id = $auth1"
    if Properties.PLAINTEXT in mechanism.properties:
        yield "  server_advertise_condition = ${if def:tls_in_cipher}"


def server_socket(listen: Listen) -> str:
    """Return how Exim names the listener: a path, or a host and a port."""
    if listen.unix is not None:
        return str(listen.unix)
    host, port = listen.endpoint
    return f"{host} {port}"


def _rank(listen: Listen) -> int:
    """Order listeners: a socket for Exim, a socket elsewhere, TCP, a socket among Postfix's."""
    if listen.unix is None:
        return 2
    return 0 if "exim" in str(listen.unix) else 3 if "postfix" in str(listen.unix) else 1


async def _offered(config: Config, listen: Listen) -> Sequence[Mechanism]:
    async with Assembly(config, Journal(lambda _: None)) as assembly:
        return list(assembly.policies[listen.address].mechanisms.values())
