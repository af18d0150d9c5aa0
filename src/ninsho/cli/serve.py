"""``ninsho serve``: the server."""

import asyncio
import os
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import uvloop
from cyclopts import Parameter

from ninsho.cli.endings import WrongUsage
from ninsho.cli.options import ConfigOption
from ninsho.cli.settings import configuration
from ninsho.daemon.config import Config
from ninsho.daemon.journal import to_stderr
from ninsho.daemon.reports import report_to
from ninsho.daemon.service import Service


@Parameter(name="*")
@dataclass(frozen=True)
class Additions:
    """What is served besides, or instead of, what the configuration file says."""

    mechanism: Annotated[tuple[Path, ...], Parameter(help="A Python file with a mechanism of your own.")] = ()
    store: Annotated[tuple[Path, ...], Parameter(help="A Python file with a user base of your own.")] = ()
    unix: Annotated[tuple[Path, ...], Parameter(help="Listen on this UNIX socket.")] = ()
    tcp: Annotated[tuple[str, ...], Parameter(help="Listen on this TCP address, such as 127.0.0.1:12345.")] = ()


StdioOption = Annotated[
    bool,
    Parameter(
        help="Serve the one client on standard input and output, as Postfix's spawn(8) runs it; goes with --config, "
        "--mechanism and --store."
    ),
]


def serve(*, config: ConfigOption = None, added: Additions = Additions(), stdio: StdioOption = False) -> None:
    """Serve mail servers until SIGTERM; SIGHUP reads the configuration again.

    With --mechanism, --store, --unix or --tcp and without --config no file is read.
    """
    if stdio:
        raise WrongUsage("serve: expected only --config, --mechanism and --store with --stdio, got something else")
    uvloop.run(_serve(config, added))
    if threading.active_count() > 1:
        # A function of the site's own that does not end would keep the interpreter from ending.
        sys.stderr.flush()
        os._exit(0)


async def _serve(path: Path | None, added: Additions) -> None:
    journal = to_stderr(soon=asyncio.get_running_loop().call_soon)
    report_to(journal)

    def load() -> Config:
        return configuration(path, mechanisms=added.mechanism, stores=added.store, unix=added.unix, tcp=added.tcp)

    await Service(load, journal).run()
