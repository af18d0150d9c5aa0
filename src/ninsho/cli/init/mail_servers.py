"""The mail servers on this machine, and the sockets on which they look for ninsho."""

import grp
import os
import pwd
from collections.abc import Iterator
from pathlib import Path

from ninsho.cli.endings import CommandError
from ninsho.cli.init.first_configuration import Socket
from ninsho.cli.postfix.postconf import Postconf
from ninsho.daemon.config import DEFAULT_SOCKET

EXIM_GROUP = "Debian-exim"
EXIM_SOCKET = DEFAULT_SOCKET.with_name("exim.sock")


def sockets_for(folder: Path) -> list[Socket]:
    """Return what to listen on; for an ordinary user, who may not write elsewhere, a socket in *folder*."""
    if os.geteuid() != 0:
        return [Socket(folder / "auth.sock", "Where mail servers ask.")]
    found = [*_postfix(), *_exim()]
    return found or [Socket(DEFAULT_SOCKET, "Where mail servers ask; group is the one that may.")]


def _postfix() -> Iterator[Socket]:
    try:
        postconf = Postconf()
        queue, owner = Path(postconf.value("queue_directory")), postconf.value("mail_owner")
        group = grp.getgrgid(pwd.getpwnam(owner).pw_gid).gr_name
    except (CommandError, KeyError):
        # Not installed, or not to the end.
        return
    # In its queue directory, which it sees from its chroot too.
    yield Socket(queue / "private/ninsho", "Where Postfix asks: smtpd_sasl_path = private/ninsho", owner, group)


def _exim() -> Iterator[Socket]:
    try:
        grp.getgrnam(EXIM_GROUP)
    except KeyError:
        return
    yield Socket(EXIM_SOCKET, f"Where Exim asks: server_socket = {EXIM_SOCKET}", None, EXIM_GROUP)
