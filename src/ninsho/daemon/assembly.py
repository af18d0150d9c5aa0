"""From a configuration to its policies: stores opened, mechanisms loaded, and what each listener may offer."""

import inspect
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from ninsho.daemon.config import Config
from ninsho.daemon.journal import Journal
from ninsho.daemon.offer import mechanisms_in, offer
from ninsho.daemon.policy import Policy
from ninsho.errors import ConfigurationError
from ninsho.stores.accounts import Store
from ninsho.stores.memory import Memory
from ninsho.stores.passwords import Passwords, decoy_like
from ninsho.stores.pool import HashingPool
from ninsho.stores.user_base import UserBase


class Assembly:
    """All that one configuration opened: an async context manager. A reload makes a new one beside it."""

    def __init__(self, config: Config, journal: Journal, memory: Memory | None = None) -> None:
        self._config = config
        self._journal = journal
        self.memory = memory or Memory(config.passwords.remember)
        self._stack = AsyncExitStack()
        self.stores: tuple[Store, ...] = ()
        self.policies: Mapping[str, Policy] = {}

    async def __aenter__(self) -> Self:
        """Open the stores; raise ``ConfigurationError`` for what can never work."""
        async with AsyncExitStack() as stack:
            opened = [await stack.enter_async_context(recipe.open()) for recipe in self._config.stores]
            table = self._config.passwords
            pool = await stack.enter_async_context(HashingPool(threads=table.threads or None, queue=table.queue))
            self.stores = tuple(opened)
            held = await schemes_held(opened)
            decoy = await pool.submit(decoy_like, held, table.scheme) if held else None
            self.policies = self._make_policies(UserBase(opened, Passwords(self.memory, pool, decoy=decoy)), held)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def _make_policies(self, user_base: UserBase, held: Mapping[str, int]) -> dict[str, Policy]:
        own = [one for path in self._config.mechanism_files for one in mechanisms_in(path)]
        policies, problems = {}, []
        for index, listen in enumerate(self._config.listen):
            try:
                offered = offer(listen.mechanisms, own, self.stores, held)
            except ConfigurationError as error:
                problems += [f"{self._config.source}: listen[{index}].mechanisms: {text}" for text in error.problems]
                continue
            failure = self._config.failure
            policies[listen.address] = Policy(offered, user_base, self._journal, failure.delay, failure.temporary)
        if problems:
            raise ConfigurationError(problems)
        return policies


async def schemes_held(stores: Sequence[Store]) -> dict[str, int]:
    """How many accounts of all stores hold which scheme of stored form."""
    held: dict[str, int] = {}
    for store in stores:
        if callable(count := getattr(store, "schemes", None)):
            counted = count()
            for scheme, accounts in (await counted if inspect.isawaitable(counted) else counted).items():
                held[scheme] = held.get(scheme, 0) + accounts
    return held
