"""The server's life: start, reload, drain, stop."""

import asyncio
import resource
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING

from ninsho.daemon.assembly import Assembly
from ninsho.daemon.config import Config
from ninsho.daemon.connection import ANSWER_LIMIT
from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.journal import Journal
from ninsho.daemon.listeners import Listener, dress
from ninsho.errors import ConfigurationError, StoreUnavailable

if TYPE_CHECKING:
    from ninsho.daemon.session import Session

# No login waits longer than this for its verdict, so nobody asks a store of the old configuration after it.
GRACE = ANSWER_LIMIT + 1


class Service:
    """Serves what the configuration says until it is stopped; *load* reads the configuration, at first and again."""

    def __init__(self, load: Callable[[], Config], journal: Journal) -> None:
        self._load = load
        self._journal = journal
        self._held_back = HeldBack()
        self._listeners: dict[str, Listener] = {}
        self._sessions: set[Session] = set()
        self._assembly: Assembly | None = None
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._chores: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raise ``ConfigurationError`` or ``StoreUnavailable`` if it cannot start."""
        raise_file_limit()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._chore(self.reload()))
        try:
            await self._apply(self._load())
            self._journal.note("ready", listeners=len(self._listeners))
            await self._stopping.wait()
        finally:
            await self._stop()

    async def reload(self) -> None:
        """Take the configuration anew; where it cannot work, say so and keep the old one. Connections stay open."""
        async with self._reloading:
            try:
                await self._apply(self._load())
            except (ConfigurationError, StoreUnavailable) as error:
                self._journal.note("reload-refused", text=str(error))
            else:
                self._journal.note("reloaded", listeners=len(self._listeners))

    async def _apply(self, config: Config) -> None:
        assembly = await Assembly(config, self._journal).__aenter__()
        opened: list[Listener] = []
        try:
            for listen in config.listen:
                if listen.address not in self._listeners:
                    listener = Listener(listen, assembly.policies[listen.address], self._held_back, self._sessions)
                    await listener.open()
                    opened.append(listener)
        except BaseException:
            for listener in opened:
                listener.close()
            await assembly.__aexit__(None, None, None)
            raise
        self._take_over(config, assembly, opened)

    def _take_over(self, config: Config, assembly: Assembly, opened: list[Listener]) -> None:
        """Nothing can fail any more: the new configuration holds from here on."""
        wanted = {listen.address: listen for listen in config.listen}
        for address, listener in list(self._listeners.items()):
            if address not in wanted:
                del self._listeners[address]
                listener.close()
                continue
            listener.desk.policy = assembly.policies[address]
            if wanted[address] != listener.listen and wanted[address].unix is not None:
                dress(wanted[address].unix, wanted[address])  # type: ignore[arg-type]  # it is not None
            listener.listen = wanted[address]
        for listener in opened:
            self._listeners[listener.listen.address] = listener
        old, self._assembly = self._assembly, assembly
        if old is not None:
            self._chore(self._retire(old))

    async def _retire(self, assembly: Assembly) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), GRACE)
        await assembly.__aexit__(None, None, None)

    async def _stop(self) -> None:
        """Listen no more, let every verdict under way be told, and close."""
        for listener in self._listeners.values():
            listener.close()
        for session in list(self._sessions):
            session.drain()
        deadline = asyncio.get_running_loop().time() + GRACE
        while self._sessions and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - they end one by one
            await asyncio.sleep(0.01)
        if self._chores:
            await asyncio.wait(self._chores, timeout=1)
        if self._assembly is not None:
            await self._assembly.__aexit__(None, None, None)
        self._journal.note("stopped")
        self._journal.flush()

    def _chore(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    def _report(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception):
            self._journal.trouble("error", error, where=str(context.get("message", "")))
        else:
            self._journal.note("error", text=str(context.get("message", "")))


def raise_file_limit() -> None:
    """Allow as many connections as the system permits us."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
