"""Postfix's own programs: postconf(1), which reads and edits its configuration, and ``postfix reload``."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ninsho.cli.endings import CommandError, Unavailable


class Service(NamedTuple):
    """A service of master.cf; ``name`` as it stands there, perhaps with an address in front."""

    name: str
    kind: str
    chroot: bool
    command: str

    @property
    def port(self) -> str:
        """The name without the address."""
        return self.name.rpartition(":")[2]

    @property
    def path(self) -> str:
        """How postconf names it."""
        return f"{self.name}/{self.kind}"


class Postconf:
    """The configuration in *directory*, None being the usual one."""

    def __init__(self, directory: Path | None = None) -> None:
        self._program = find_program("postconf")
        self._directory = directory
        self.directory = directory or Path(self.value("config_directory"))

    def value(self, name: str) -> str:
        """Return a setting of main.cf, or its default."""
        return self._run("-h", name).strip()

    def services(self) -> list[Service]:
        """Return the services of master.cf."""
        # master(5): service, type, private, unprivileged, chroot, wake-up, process limit, command.
        lines = [line.split(None, 8) for line in self._run("-M").splitlines()]
        return [Service(name, kind, chroot == "y", command) for name, kind, _, _, chroot, _, _, command, *_ in lines]

    def overrides(self) -> dict[str, str]:
        """Return what services set for themselves: ``submission/inet/syslog_name`` and the like."""
        pairs = (line.partition(" = ") for line in self._run("-P").splitlines())
        return {name: value for name, _, value in pairs}

    def set(self, settings: Mapping[str, str]) -> None:
        """Set in main.cf."""
        # One at a time: several new ones would be appended in any order.
        for name, value in settings.items():
            self._run("-e", f"{name}={value}")

    def add(self, service: str, line: str) -> None:
        """Add a service to master.cf."""
        self._run("-M", f"{service}={line}")

    def override(self, settings: Mapping[str, str]) -> None:
        """Set for single services in master.cf."""
        for name, value in settings.items():
            self._run("-P", f"{name}={value}")

    def _run(self, *arguments: str) -> str:
        directory = () if self._directory is None else ("-c", str(self._directory))
        return run_program([self._program, *directory, *arguments])


def reload_postfix(directory: Path) -> None:
    """Have the running Postfix of *directory* read its configuration again."""
    run_program([find_program("postfix"), "-c", str(directory), "reload"])


def find_program(name: str) -> str:
    """Return where a program of Postfix's is; raise ``Unavailable``."""
    # An ordinary user's PATH lacks the directories of root's programs.
    path = shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    if path is None:
        raise Unavailable(f"Postfix is not installed: there is no {name} on the PATH, nor in /usr/sbin")
    return path


def run_program(command: Sequence[str]) -> str:
    """Run a program of Postfix's and return what it writes; raise ``CommandError`` with what it complains about."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - found by name above
    if done.returncode != 0:
        complaint = " / ".join(done.stderr.strip().splitlines())
        raise CommandError(f"{' '.join(command[:3])}: {complaint or f'exit status {done.returncode}'}")
    return done.stdout
