"""``ninsho postfix print`` and ``ninsho postfix setup``."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

from ninsho.cli.endings import NO, CommandError
from ninsho.cli.options import ConfigOption, ListenOption, YesOption
from ninsho.cli.postfix.changes import Changes, login_services, main_settings, needed
from ninsho.cli.postfix.listener import QUEUE_DIRECTORY, choose, sasl_path, seen_in_chroot
from ninsho.cli.postfix.postconf import Postconf, Service, reload_postfix
from ninsho.cli.postfix.preview import apply, difference, preview, read
from ninsho.cli.postfix.printed import SPAWN, main_lines, service_lines, spawn_lines
from ninsho.cli.postfix.remarks import remarks
from ninsho.cli.settings import configuration
from ninsho.cli.terminal import confirmed, remark, say, say_diff
from ninsho.daemon.tables import Listen

SpawnOption: TypeAlias = Annotated[
    bool, Parameter(help="Have Postfix run ninsho, one process for each of its own, instead of asking a server.")
]


@Parameter(name="*")
@dataclass(frozen=True)
class ListenerOptions:
    """Which listener Postfix shall ask."""

    config: ConfigOption = None
    listen: ListenOption = None
    no_tls: bool = False
    """Let users log in without TLS too."""

    def listener(self, queue_directory: Path) -> Listen:
        """Find the listener in the configuration."""
        return choose(configuration(self.config).listen, queue_directory, self.listen)


@Parameter(name="*")
@dataclass(frozen=True)
class SetupOptions(ListenerOptions):
    """What to change, where, and how boldly."""

    config_directory: Path | None = None
    """Where main.cf and master.cf are, if not in the usual place."""
    port_25: bool = False
    """Let users log in on port 25 too, where other mail servers come in."""
    dry_run: bool = False
    """Only show the difference; the exit status is 1 if there is one."""
    yes: YesOption = False
    reload: bool = False
    """Have Postfix read its configuration again afterwards."""


def print_lines(*, spawn: SpawnOption = False, options: ListenerOptions = ListenerOptions()) -> None:
    """Print the lines for main.cf and master.cf."""
    queue = _queue_directory()
    if spawn:
        config = None if options.config is None else options.config.absolute()
        say(*spawn_lines(shutil.which("ninsho") or str(Path(sys.argv[0]).absolute()), config), "")
        path, chroot = f"private/{SPAWN}", True
    else:
        listen = options.listener(queue)
        path, chroot = sasl_path(listen, queue), seen_in_chroot(listen, queue)
    say(*main_lines(main_settings(path, tls=not options.no_tls)), "", *service_lines(chroot=chroot))


def setup(*, options: SetupOptions = SetupOptions()) -> int:
    """Show what would change in main.cf and master.cf, and change it."""
    postconf = Postconf(options.config_directory)
    changes = _plan(postconf, options)
    with preview(postconf.directory, changes) as copy:
        old, new = read(postconf.directory), read(copy.directory)
        sentences = list(remarks(copy, login_services(copy.services(), port_25=options.port_25)))
    if old == new:
        remark(*sentences)
        say(f"{postconf.directory}: nothing to change")
        return 0
    say_diff(difference(postconf.directory, old, new))
    if changes.added:
        remark(f"neither submission nor submissions is in master.cf: {', '.join(changes.added)} is added")
    remark(*sentences)
    if options.dry_run:
        return NO
    if not (options.yes or confirmed("Change these files?")):
        say("nothing is changed")
        return NO
    copies = apply(changes, postconf.directory, new, now=datetime.now())  # noqa: DTZ005 - the administrator's own time
    say(*(f"{copy}: the file as it was" for copy in copies))
    _reload(postconf.directory, now=options.reload)
    return 0


def _plan(postconf: Postconf, options: SetupOptions) -> Changes:
    queue = Path(postconf.value("queue_directory"))
    listen = options.listener(queue)
    services = login_services(postconf.services(), port_25=options.port_25)
    if not seen_in_chroot(listen, queue):
        _refuse_chroot(services, listen, queue)
    settings = main_settings(sasl_path(listen, queue), tls=not options.no_tls)
    return needed(postconf, settings, services, chroot=seen_in_chroot(listen, queue), tls=not options.no_tls)


def _refuse_chroot(services: Sequence[Service], listen: Listen, queue: Path) -> None:
    """Raise ``CommandError`` if a service could never reach *listen*."""
    for service in services:
        if service.chroot:
            raise CommandError(
                f"master.cf: {service.path} runs in the chroot {queue}: expected a listener in there, such as "
                f"{queue / 'private/ninsho'}, or a TCP address, got {listen.address}"
            )


def _queue_directory() -> Path:
    try:
        return Path(Postconf().value("queue_directory"))
    except CommandError:
        # There is none here, or it has no configuration: the lines may be meant for another machine.
        return QUEUE_DIRECTORY


def _reload(directory: Path, *, now: bool) -> None:
    if now:
        reload_postfix(directory)
        say("Postfix reads its configuration again")
    else:
        say("", "Now have Postfix read its configuration:", f"  postfix -c {directory} reload")
