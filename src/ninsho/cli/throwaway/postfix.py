"""A real Postfix for a moment: its own configuration, queue and log, and mailboxes that can be read."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from ninsho.cli.throwaway.chroot import furnish
from ninsho.cli.throwaway.maildir import delivered
from ninsho.cli.throwaway.program import PATIENCE, ProgramUnavailable, ThrowawayProgram
from ninsho.cli.throwaway.settings import DOMAIN, MAIN, MASTER

# The user of virtual(8), as in `virtual_uid_maps`.
NOBODY = 65534
QUEUES = ("active", "bounce", "corrupt", "defer", "deferred", "flush", "hold", "incoming", "private", "saved", "trace")


class PostfixUnavailable(ProgramUnavailable):
    """Postfix is not installed, or did not start, or we are not root; the message says which."""


class ThrowawayPostfix(ThrowawayProgram):
    """A Postfix of one's own on a free port of 127.0.0.1; whoever has logged in may send mail to ``DOMAIN``.

    ``sasl_path`` is where it asks who may log in: a socket's path, relative to ``queue_directory``, or
    ``inet:127.0.0.1:PORT``. Postfix looks there when its first client comes, so whoever answers may make the socket
    within the ``with`` block. ``extra_main`` are settings over those of ``MAIN``, ``extra_master`` whole lines of
    master.cf. With ``certificate`` (PEM; its key there too, or in ``key``) STARTTLS is offered, not demanded.
    """

    name = "postfix"
    unavailable = PostfixUnavailable
    # Postfix hands this variable down even to what its spawn(8) starts.
    variable = "MAIL_CONFIG"
    ready = "daemon started"

    def __init__(  # noqa: PLR0913 - settings, by keyword only
        self,
        *,
        sasl_path: str = "private/auth",
        chroot: bool = False,
        certificate: Path | None = None,
        key: Path | None = None,
        extra_main: Mapping[str, str] = MappingProxyType({}),
        extra_master: Sequence[str] = (),
    ) -> None:
        self._chroot = chroot
        self._extra_master = extra_master
        self._main = {**MAIN, "smtpd_sasl_path": sasl_path, **_starttls(certificate, key), **extra_main}

    @property
    def config_directory(self) -> Path:
        """Where main.cf and master.cf are."""
        return self.directory

    @property
    def queue_directory(self) -> Path:
        """The directory that ``sasl_path`` is relative to; its ``private`` is made already."""
        return self.directory / "queue"

    def mailbox(self, user: str) -> list[bytes]:
        """Return the messages delivered to *user* so far, the oldest first."""
        return delivered(self.directory / "mail" / "all", header="Delivered-To", address=f"{user}@{DOMAIN}")

    def wait_for_mail(self, user: str, *, count: int = 1, timeout: float = PATIENCE) -> list[bytes]:
        """Return the messages of *user* once there are *count*; raise ``TimeoutError`` after *timeout* seconds."""
        return self.wait_for(
            lambda: messages if len(messages := self.mailbox(user)) >= count else None,
            what=f"{count} messages for {user}",
            timeout=timeout,
        )

    def lay_out(self) -> Sequence[str | Path]:
        """Write the configuration and make the directories; return the command of master(8)."""
        if os.geteuid() != 0:
            raise PostfixUnavailable(f"a Postfix of one's own takes root to start, and this is user {os.geteuid()}")
        self._configure()
        installation = _installation(self.config_directory)
        self._make_directories(installation)
        if self._chroot:
            furnish(self.queue_directory)
        # As postfix(1) does for master(8): without it what is wrong with the configuration would go to syslog.
        self.environment = {"POSTLOG_SERVICE": str(self.queue_directory / "public" / "postlog")}
        return [installation.programs / "master", "-s"]

    def _configure(self) -> None:
        smtpd = f"127.0.0.1:{self.port} inet n - {'y' if self._chroot else 'n'} - - smtpd\n"
        master = smtpd + MASTER + "".join(f"{line}\n" for line in self._extra_master)
        (self.config_directory / "master.cf").write_text(master)
        main = self.config_directory / "main.cf"
        main.write_text("".join(f"{name} = {value}\n" for name, value in self._main.items()))
        # Each of Postfix's programs waits until main.cf is some seconds old, lest it read a file that is half written.
        os.utime(main, (0, 0))

    def _make_directories(self, installation: "Installation") -> None:
        """Make what `postfix check` would, with the owners and modes of Postfix's own list (postfix-files)."""
        queue, owner, group = self.queue_directory, installation.mail_owner, installation.setgid_group
        _make(queue, 0o755)
        _make(queue / "pid", 0o755)
        for name in QUEUES:
            _make(queue / name, 0o700, owner)
        _make(queue / "public", 0o2710, owner, group)
        _make(queue / "maildrop", 0o1730, owner, group)
        _make(self.directory / "data", 0o700, owner)
        _make(self.directory / "mail", 0o700, NOBODY)


class Installation(NamedTuple):
    """What the installed Postfix says of itself."""

    programs: Path
    mail_owner: str
    setgid_group: str


def _installation(config_directory: Path) -> Installation:
    # Root's PATH may lack the directories of root's programs, as after `su`.
    if (postconf := shutil.which("postconf", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")) is None:
        raise PostfixUnavailable("Postfix is not installed: there is no postconf on the PATH, nor in /usr/sbin")
    command = [postconf, "-c", str(config_directory), "-h", "daemon_directory", "mail_owner", "setgid_group"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - Postfix's own postconf
    if answer.returncode != 0:
        raise PostfixUnavailable(f"{postconf}: {answer.stderr.strip()}")
    programs, mail_owner, setgid_group = answer.stdout.splitlines()
    return Installation(Path(programs), mail_owner, setgid_group)


def _make(directory: Path, mode: int, owner: str | int = 0, group: str | int = 0) -> None:
    directory.mkdir()
    shutil.chown(directory, owner, group)
    # Not left to mkdir: the umask would take away from it.
    directory.chmod(mode)


def _starttls(certificate: Path | None, key: Path | None) -> dict[str, str]:
    if certificate is None:
        return {}
    return {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key or certificate),
    }
