"""``ninsho serve --stdio``: quick to start, as Postfix's spawn(8) runs one process for each smtpd."""

import os
import stat
from collections.abc import Awaitable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ninsho.cli.endings import EX_CONFIG, EX_TEMPFAIL
from ninsho.daemon.journal import Journal, to_stderr
from ninsho.daemon.offer import Means, mechanisms_in, offer
from ninsho.daemon.policy import Policy
from ninsho.daemon.stdio import StdioShell
from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.user_base import UserBase

if TYPE_CHECKING:
    import asyncio

    from ninsho.daemon.config import Config


class Options(NamedTuple):
    """The options of ``serve`` that make sense here."""

    config: Path | None
    mechanisms: tuple[Path, ...]
    stores: tuple[Path, ...]


def options_of(arguments: Sequence[str]) -> Options | None:
    """Read the arguments; None for any that the whole command line should explain."""
    found: dict[str, list[Path]] = {"--config": [], "--mechanism": [], "--store": []}
    rest = iter(arguments)
    for argument in rest:
        name, separator, value = argument.partition("=")
        if argument == "--stdio":
            continue
        if name not in found or not (value := value if separator else next(rest, "")):
            return None
        found[name].append(Path(value))
    return Options(next(reversed(found["--config"]), None), tuple(found["--mechanism"]), tuple(found["--store"]))


def serve(options: Options) -> int:
    """Serve the one client on standard input and output; return the exit status."""
    journal = journal_beside_the_protocol()
    # What a mechanism or a store prints must not get into the protocol.
    output = os.dup(1)
    os.dup2(2, 1)
    try:
        with ExitStack() as stack:
            if options.config is None and options.mechanisms and not options.stores:
                serve_mechanisms(options.mechanisms, journal, output)
            else:
                serve_stores(options, journal, stack, output)
    except ConfigurationError as error:
        for problem in error.problems:
            journal.note("configuration-error", text=problem)
        return EX_CONFIG
    except StoreUnavailable as error:
        journal.note("store-unavailable", text=str(error))
        return EX_TEMPFAIL
    except ConnectionError:
        # The client is gone, perhaps before it had read everything.
        pass
    return 0


def serve_mechanisms(files: Sequence[Path], journal: Journal, output: int) -> None:
    """Serve mechanisms of one's own, which need no store: nothing else is loaded."""
    own = [one for path in files for one in mechanisms_in(path)]
    policy = Policy(offer(None, {one.name: one for one in own}, Means()), UserBase(), journal)
    StdioShell(policy, _finish_in_a_loop, output).serve()


def serve_stores(options: Options, journal: Journal, stack: ExitStack, output: int) -> None:
    """Serve what the configuration and the options say."""
    import asyncio  # noqa: PLC0415 - takes longer than all the rest

    from ninsho.cli.settings import configuration  # noqa: PLC0415 - brings pydantic
    from ninsho.daemon.reports import report_to  # noqa: PLC0415 - brings logging

    report_to(journal)
    runner = stack.enter_context(asyncio.Runner())
    config = configuration(options.config, mechanisms=options.mechanisms, stores=options.stores)
    journal.configure(format=config.log.format, decisions=config.log.decisions)

    def finish(awaitable: Awaitable[Any], seconds: float) -> Any:  # noqa: ANN401 - whatever it gives
        return runner.run(_within(awaitable, seconds))

    StdioShell(_policy(config, journal, runner, stack), finish, output).serve()


def _policy(config: "Config", journal: Journal, runner: "asyncio.Runner", stack: ExitStack) -> Policy:
    # Not where mechanisms serve alone: they need the standard library and nothing else.
    from ninsho.daemon.assembly import Assembly  # noqa: PLC0415
    from ninsho.daemon.tables import Listen  # noqa: PLC0415

    # What the only listener offers; of several none is meant, and the client gets all that suits everybody.
    only = config.listen[0].mechanisms if len(config.listen) == 1 else None
    here = Listen(unix=Path("-"), mechanisms=only)
    assembly = Assembly(config, journal, listen=[here], in_place=True)
    runner.run(assembly.__aenter__())
    stack.callback(lambda: runner.run(assembly.__aexit__(None, None, None)))
    return assembly.policies[here.address]


async def _within(awaitable: Awaitable[Any], seconds: float) -> Any:  # noqa: ANN401 - whatever it gives
    import asyncio  # noqa: PLC0415 - takes longer than all the rest

    async with asyncio.timeout(seconds):
        return await awaitable


def _finish_in_a_loop(awaitable: Awaitable[Any], seconds: float) -> Any:  # noqa: ANN401 - whatever it gives
    import asyncio  # noqa: PLC0415 - takes longer than all the rest

    return asyncio.run(_within(awaitable, seconds))


def journal_beside_the_protocol() -> Journal:
    """A journal on standard error, or in the system's log where standard error is the client's connection too."""
    try:
        shared = os.path.sameopenfile(1, 2) and stat.S_ISSOCK(os.fstat(2).st_mode)
    except OSError:
        shared = True
    if not shared:
        return to_stderr()
    # spawn(8) connects standard error to the client: not even a traceback may be written there.
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)
    return to_syslog()


def to_syslog() -> Journal:
    """A journal in the system's log, facility mail."""
    import syslog  # noqa: PLC0415 - only here

    syslog.openlog("ninsho", syslog.LOG_PID, syslog.LOG_MAIL)
    return Journal(lambda text: syslog.syslog(text.rstrip("\n")))
