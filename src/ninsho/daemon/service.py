"""The server's life: start, reload, drain, stop."""

import asyncio
import resource
import signal
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING

from ninsho.daemon.assembly import Assembly
from ninsho.daemon.config import Config
from ninsho.daemon.connection import ANSWER_LIMIT, RESPONSE_LIMIT
from ninsho.daemon.held_back import HeldBack
from ninsho.daemon.journal import Journal
from ninsho.daemon.listeners import Listener
from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.stores.memory import Memory

if TYPE_CHECKING:
    from ninsho.daemon.session import Session

# A verdict under way is told within this time, in which the failures held back are released too.
GRACE = ANSWER_LIMIT + 1
# A login with two prompts may be under way for as long as this, whatever its client does.
RETIREMENT = 2 * RESPONSE_LIMIT + ANSWER_LIMIT


class Service:
    """Serves what the configuration says until it is stopped; *load* reads the configuration, at first and again."""

    def __init__(self, load: Callable[[], Config], journal: Journal) -> None:
        self._load = load
        self._journal = journal
        self._held_back = HeldBack()
        self._listeners: dict[str, Listener] = {}
        self._sessions: set[Session] = set()
        self._assembly: Assembly | None = None
        self._retired: set[Assembly] = set()
        self._stopping = asyncio.Event()
        self._reloading = asyncio.Lock()
        self._chores: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT; raise ``ConfigurationError`` or ``StoreUnavailable`` if it cannot start."""
        limit_resources()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(self._report)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._chore(self.reload()))
        try:
            async with self._reloading:
                await self._apply(self._load())
            self._journal.note("ready", listeners=len(self._listeners))
            await self._stopping.wait()
            self._journal.note("stopping")
        finally:
            await self._stop()

    async def reload(self) -> None:
        """Take the configuration anew; where it cannot work, say so and keep the old one. Connections stay open."""
        async with self._reloading:
            if self._stopping.is_set():
                return
            try:
                await self._apply(self._load())
            except (ConfigurationError, StoreUnavailable) as error:
                self._journal.note("reload-refused", text=str(error))
            except Exception as error:  # noqa: BLE001 - whatever it is, the old configuration serves on
                self._journal.trouble("reload-refused", error)
            else:
                self._journal.note("reloaded", listeners=len(self._listeners))

    async def _apply(self, config: Config) -> None:
        key = b"" if self._assembly is None else self._assembly.key
        assembly = await Assembly(config, self._journal, self._memory_for(config), key).__aenter__()
        opened: list[Listener] = []
        try:
            for listen in config.listen:
                if (listener := self._listeners.get(listen.address)) is None:
                    listener = Listener(listen, assembly.policies[listen.address], self._held_back, self._sessions)
                    await listener.open()
                    opened.append(listener)
                elif listen != listener.listen:
                    listener.dress(listen)
        except BaseException:
            for listener in opened:
                listener.close()
            await assembly.__aexit__(None, None, None)
            raise
        self._take_over(config, assembly, opened)

    def _memory_for(self, config: Config) -> Memory | None:
        """The passwords remembered so far, if they are to be remembered as long as before."""
        memory = None if self._assembly is None else self._assembly.memory
        return memory if memory is not None and memory.seconds == config.passwords.remember else None

    def _take_over(self, config: Config, assembly: Assembly, opened: list[Listener]) -> None:
        """Nothing can fail any more: the new configuration holds from here on."""
        self._journal.configure(format=config.log.format, decisions=config.log.decisions)
        wanted = {listen.address: listen for listen in config.listen}
        for address, listener in list(self._listeners.items()):
            if address in wanted:
                listener.desk.policy = assembly.policies[address]
                listener.listen = wanted[address]
            else:
                del self._listeners[address]
                listener.close()
        self._listeners |= {listener.listen.address: listener for listener in opened}
        old, self._assembly = self._assembly, assembly
        if old is not None:
            self._retired.add(old)
            self._chore(self._retire(old))

    async def _retire(self, assembly: Assembly) -> None:
        """Close an old configuration's stores once no login that began under it is under way."""
        policies = [*assembly.policies.values()]
        deadline = asyncio.get_running_loop().time() + RETIREMENT
        while asyncio.get_running_loop().time() < deadline:
            if not any(session.uses(policies) for session in self._sessions):
                break
            await asyncio.sleep(1)
        self._retired.discard(assembly)
        await assembly.__aexit__(None, None, None)

    async def _stop(self) -> None:
        """Listen no more, let every verdict under way be told, and close."""
        async with self._reloading:
            for listener in self._listeners.values():
                listener.close()
        deadline = asyncio.get_running_loop().time() + GRACE
        while self._sessions and asyncio.get_running_loop().time() < deadline:
            for session in list(self._sessions):
                session.drain()
            await asyncio.sleep(0.01)
        for chore in self._chores:
            chore.cancel()
        for assembly in (*self._retired, self._assembly):
            if assembly is not None:
                await assembly.__aexit__(None, None, None)
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


def limit_resources() -> None:
    """Allow as many connections as the system permits us, and no core dump, which would hold passwords."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
