"""Which listener Postfix shall ask, and how main.cf names it."""

from collections.abc import Sequence
from pathlib import Path

from ninsho.cli.endings import WrongUsage
from ninsho.daemon.tables import Listen

QUEUE_DIRECTORY = Path("/var/spool/postfix")


def choose(listens: Sequence[Listen], queue_directory: Path, wanted: str | None = None) -> Listen:
    """Return the listener that is *wanted* by its address, else the one that suits Postfix best.

    That is a UNIX socket in the queue directory, which a chrooted smtpd sees as well, then a TCP address.
    """
    if wanted is None:
        return min(listens, key=lambda listen: _rank(listen, queue_directory))
    for listen in listens:
        if listen.address == wanted:
            return listen
    raise WrongUsage(f"--listen: expected one of {', '.join(one.address for one in listens)}, got {wanted}")


def sasl_path(listen: Listen, queue_directory: Path) -> str:
    """Return the value of ``smtpd_sasl_path``."""
    if listen.unix is None:
        host, port = listen.endpoint
        # Who listens everywhere is reached on the loopback address too.
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
        return f"inet:[{host}]:{port}" if ":" in host else f"inet:{host}:{port}"
    if in_queue(listen, queue_directory):
        # Relative: so it is right in the chroot and outside.
        return str(listen.unix.relative_to(queue_directory))
    return str(listen.unix)


def in_queue(listen: Listen, queue_directory: Path) -> bool:
    """Whether *listen* is a socket in the queue directory."""
    return listen.unix is not None and listen.unix.is_relative_to(queue_directory)


def seen_in_chroot(listen: Listen, queue_directory: Path) -> bool:
    """Whether a chrooted smtpd reaches *listen*."""
    return listen.unix is None or in_queue(listen, queue_directory)


def _rank(listen: Listen, queue_directory: Path) -> int:
    return 0 if in_queue(listen, queue_directory) else 1 if listen.unix is None else 2
