"""What a configuration would serve, or everything that keeps it from serving; stores are opened as ``serve`` does."""

import grp
import pwd
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ninsho.cli.recipes import name_of, settings_of
from ninsho.daemon.assembly import Assembly
from ninsho.daemon.config import Config
from ninsho.daemon.journal import Journal
from ninsho.daemon.offer import mechanisms_in
from ninsho.daemon.tables import Listen
from ninsho.errors import ConfigurationError, StoreUnavailable
from ninsho.sasl.registry import mechanisms
from ninsho.stores.accounts import StoreRecipe
from ninsho.stores.census import schemes_held

if TYPE_CHECKING:
    from ninsho.sasl.mechanism import Mechanism

RUNTIME = Path("/run")


@dataclass(frozen=True, slots=True)
class Surveyed:
    """A store, and how many of its accounts hold which scheme; None where the store cannot count."""

    recipe: StoreRecipe
    schemes: Mapping[str, int] | None

    def sentence(self) -> str:
        """Say it in one line."""
        if self.schemes is None:
            return name_of(self.recipe)
        counted = ", ".join(f"{count} {scheme}" for scheme, count in sorted(self.schemes.items()))
        return f"{name_of(self.recipe)}: {counted or 'no accounts'}"


@dataclass(frozen=True, slots=True)
class Survey:
    """What would be served: each listener's mechanisms, and the stores in their order."""

    source: str
    offered: Mapping[str, tuple[str, ...]]
    stores: tuple[Surveyed, ...]

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        return {
            "source": self.source,
            "listen": [{"address": address, "mechanisms": list(names)} for address, names in self.offered.items()],
            "store": [{**settings_of(one.recipe), "schemes": one.schemes} for one in self.stores],
        }

    def sentences(self) -> Iterator[str]:
        """Say it, line by line."""
        yield f"{self.source}: can work"
        for address, names in self.offered.items():
            yield f"listen {address}: {' '.join(names)}"
        for store in self.stores:
            yield f"store {store.sentence()}"


async def survey(config: Config) -> Survey:
    """Try everything; raise ``ConfigurationError`` with all problems, ``StoreUnavailable`` if there are no others."""
    problems = [f"{config.source}: {problem}" for problem in _local_problems(config)]
    problems += await _store_problems(config)
    if problems:
        raise ConfigurationError(problems)
    async with Assembly(config, Journal(lambda _: None)) as assembly:
        return Survey(
            config.source,
            {address: tuple(policy.mechanisms) for address, policy in assembly.policies.items()},
            tuple(
                [
                    Surveyed(recipe, await schemes_held([store]) if hasattr(store, "schemes") else None)
                    for recipe, store in zip(config.stores, assembly.stores, strict=True)
                ]
            ),
        )


def _local_problems(config: Config) -> Iterator[str]:
    """Look at what needs no store."""
    own: list[Mechanism] = []
    for index, path in enumerate(config.mechanism_files):
        try:
            own += mechanisms_in(path)
        except ConfigurationError as error:
            yield from (f"mechanism[{index}].file: {problem}" for problem in error.problems)
    known = mechanisms(own)
    addresses = [listen.address for listen in config.listen]
    for index, listen in enumerate(config.listen):
        place = f"listen[{index}]"
        if listen.address in addresses[:index]:
            yield f"{place}: expected another address than listen[{addresses.index(listen.address)}], got the same"
        for name in listen.mechanisms or ():
            if name.upper() not in known:
                yield f"{place}.mechanisms: expected one of {', '.join(known)}, got {name!r}"
        yield from (f"{place}.{problem}" for problem in _listen_problems(listen))


def _listen_problems(listen: Listen) -> Iterator[str]:
    if listen.unix is None:
        return
    # What is below /run is made anew with each start, by the service manager.
    if not listen.unix.is_relative_to(RUNTIME) and not listen.unix.parent.is_dir():
        yield f"unix: expected a path in a folder that exists, got {listen.unix}"
    lookups: list[tuple[str, str | None, Callable[[str], object]]] = [
        ("owner", listen.owner, pwd.getpwnam),
        ("group", listen.group, grp.getgrnam),
    ]
    for what, name, look_up in lookups:
        try:
            if name is not None:
                look_up(name)
        except KeyError:
            yield f"{what}: expected a name that the system knows, got {name!r}"


async def _store_problems(config: Config) -> list[str]:
    """Open each store by itself: one that fails must not hide what is wrong with the next."""
    problems: list[str] = []
    unavailable: list[str] = []
    for index, recipe in enumerate(config.stores):
        place = f"{config.source}: store[{index}]"
        try:
            async with AsyncExitStack() as stack:
                await stack.enter_async_context(recipe.open())
        except ConfigurationError as error:
            problems += [f"{place}: {problem}" for problem in error.problems]
        except StoreUnavailable as error:
            unavailable.append(f"{place}: {error}")
    if unavailable and not problems:
        raise StoreUnavailable("\n".join(unavailable))
    return problems + unavailable
