"""From a configuration to its policies: stores opened, mechanisms loaded, and what each listener may offer."""

from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict
from secrets import token_bytes
from types import TracebackType
from typing import TYPE_CHECKING, Self

from ninsho.daemon.config import Config
from ninsho.daemon.configured import configured
from ninsho.daemon.growing import wanted_forms
from ninsho.daemon.journal import Journal
from ninsho.daemon.means import gather, kinds_of, models_of, remarks, site_key_of
from ninsho.daemon.offer import Means, offer
from ninsho.daemon.policy import Policy
from ninsho.daemon.tables import Listen
from ninsho.daemon.tokens import inspector_of
from ninsho.errors import ConfigurationError
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores import hashing
from ninsho.stores.decoys import Decoys
from ninsho.stores.memory import Memory
from ninsho.stores.passwords import Passwords, decoy_like
from ninsho.stores.pool import HashingPool
from ninsho.stores.site_key import KEY_SIZE
from ninsho.stores.user_base import TokenInspector, UserBase

if TYPE_CHECKING:
    from ninsho.stores.accounts import Store
    from ninsho.stores.growth import Growth


class Assembly:
    """All that one configuration opened: an async context manager. A reload makes a new one beside it.

    *memory* and *key* are what the one before remembered, and made its decoys of. *listen* are the listeners to make
    policies for, if not those of the configuration. *in_place*: hashes are computed where they are asked for, as suits
    one login at a time.
    """

    def __init__(  # noqa: PLR0913 - what a reload carries over, and what stdio does otherwise
        self,
        config: Config,
        journal: Journal,
        memory: Memory | None = None,
        key: bytes = b"",
        *,
        listen: Sequence[Listen] | None = None,
        in_place: bool = False,
    ) -> None:
        self._config = config
        self._journal = journal
        self._listen = config.listen if listen is None else listen
        self._in_place = in_place
        self.memory = memory or Memory(config.passwords.remember)
        # Of the decoys: the one before, unless there is a file with another.
        self.key = key
        self._stack = AsyncExitStack()
        self.stores: tuple[Store, ...] = ()
        self.policies: Mapping[str, Policy] = {}

    async def __aenter__(self) -> Self:
        """Open the stores; raise ``ConfigurationError`` for what can never work."""
        async with AsyncExitStack() as stack:
            await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def _open(self, stack: AsyncExitStack) -> None:
        config = self._config
        self.stores = tuple([await stack.enter_async_context(recipe.open()) for recipe in config.stores])
        known = configured(config)
        tokens = await inspector_of(config, stack)
        means = await gather(config, self.stores, known.values(), tokens=tokens is not None)
        offers = self._offers(known, means)
        kinds = kinds_of(one for offer in offers.values() for one in offer.values())
        if kinds and (key := site_key_of(config, self._journal)):
            self.key = key
        elif kinds and self._in_place:
            # Another process, another salt: whoever connects twice would see who is known.
            known = {name: one for name, one in known.items() if not kinds_of([one])}
            offers = self._offers(known, means)
        self.key = self.key or token_bytes(KEY_SIZE)
        decoys = Decoys(self.key, await models_of(kinds, means))
        user_base = await self._user_base(stack, means, decoys, tokens)
        self.policies = {one.address: self._policy(one, offers[one.address], user_base) for one in self._listen}
        if not self._in_place:
            await remarks(config, means, known.values(), self._journal)

    async def _user_base(
        self, stack: AsyncExitStack, means: Means, decoys: Decoys, tokens: TokenInspector | None
    ) -> UserBase:
        table = self._config.passwords
        permitted = hashing.permission(table.weak)
        if self._in_place:
            return UserBase(self.stores, Passwords(self.memory, decoys=decoys, permitted=permitted), tokens)
        pool = await stack.enter_async_context(HashingPool(threads=table.threads or None, queue=table.queue))
        decoy = await pool.submit(decoy_like, means.held, table.scheme, permitted) if means.held else None
        growth = await self._growth(stack, pool, decoys)
        passwords = Passwords(self.memory, pool, decoy=decoy, decoys=decoys, permitted=permitted)
        return UserBase(self.stores, passwords, tokens, growth)

    async def _growth(self, stack: AsyncExitStack, pool: HashingPool, decoys: Decoys) -> "Growth | None":
        wanted = wanted_forms(self._config)
        if wanted is None:
            return None
        # Loaded where accounts are to grow: not by most, and never by serve --stdio.
        from ninsho.stores.growth import Growth, SecretWriter  # noqa: PLC0415

        if not any(isinstance(store, SecretWriter) for store in self.stores):
            self._journal.note("growth", text="accounts.derive and accounts.rehash do nothing: no store can be written")
            return None
        growth = Growth(wanted, busy=lambda: pool.busy, salts=decoys.salt)
        stack.callback(lambda: self._journal.note("growth", **asdict(growth.counts)))
        return await stack.enter_async_context(growth)

    def _offers(self, known: Mapping[str, Mechanism], means: Means) -> dict[str, dict[str, Mechanism]]:
        offers, problems = {}, []
        for index, listen in enumerate(self._listen):
            try:
                offers[listen.address] = offer(listen.mechanisms, known, means)
            except ConfigurationError as error:
                problems += [f"{self._config.source}: listen[{index}].mechanisms: {text}" for text in error.problems]
        if problems:
            raise ConfigurationError(problems)
        return offers

    def _policy(self, listen: Listen, offered: Mapping[str, Mechanism], user_base: UserBase) -> Policy:
        failure = self._config.failure
        return Policy(
            offered,
            user_base,
            self._journal,
            failure.delay,
            failure.temporary,
            listen.minor,
            self._config.accounts.rules,
        )
