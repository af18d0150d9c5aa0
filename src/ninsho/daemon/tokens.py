"""The inspector of bearer tokens that the configuration asks for; what it takes is loaded only then."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic, time

from ninsho.daemon.config import Config
from ninsho.daemon.tables import OauthTable
from ninsho.errors import ConfigurationError
from ninsho.stores.user_base import TokenInspector


@asynccontextmanager
async def open_inspector(
    tables: Sequence[OauthTable], *, clock: Callable[[], float] = time, ticks: Callable[[], float] = monotonic
) -> AsyncIterator[TokenInspector]:
    """Open all configured issuers, one at least; *clock* gives Unix time, *ticks* never goes back.

    Nothing is fetched before a token needs it: an issuer that is away keeps nobody else from logging in. Raises
    ``ConfigurationError`` for files that cannot be used.
    """
    try:
        # 180 ms, and packages that not everybody has.
        from ninsho.daemon.issuers import opened  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise ConfigurationError([f"oauth: expected the packages of ninsho[oauth], found no {error.name}"]) from None
    async with opened(tables, clock, ticks) as inspector:
        yield inspector


async def inspector_of(config: Config, stack: AsyncExitStack) -> TokenInspector | None:
    """Open the issuers of *config* until *stack* ends; None where there are none."""
    if not config.oauth:
        return None
    try:
        return await stack.enter_async_context(open_inspector(config.oauth))
    except ConfigurationError as error:
        raise ConfigurationError(f"{config.source}: {problem}" for problem in error.problems) from None
