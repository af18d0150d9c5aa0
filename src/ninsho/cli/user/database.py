"""The accounts database of a configuration, opened for one command."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from ninsho.cli.endings import CommandError
from ninsho.cli.settings import configuration
from ninsho.daemon.config import Config
from ninsho.stores.administration import Administration, administer
from ninsho.stores.database import DatabaseStore

T = TypeVar("T")


def database_of(config: Config) -> DatabaseStore:
    """Return the first store of type database; raise ``CommandError`` if there is none."""
    for recipe in config.stores:
        if isinstance(recipe, DatabaseStore):
            return recipe
    raise CommandError(f'{config.source}: expected a [[store]] with type = "database", found none')


def with_accounts(config: Path | None, work: Callable[[Administration], Awaitable[T]]) -> T:
    """Do *work* with the accounts of the configuration at *config*, and return what it returns."""
    recipe = database_of(configuration(config))

    async def run() -> T:
        async with administer(recipe.url, password_file=recipe.password_file) as accounts:
            return await work(accounts)

    return asyncio.run(run())
