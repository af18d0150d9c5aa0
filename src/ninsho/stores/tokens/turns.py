"""Asking several issuers about one token: in their order, and no longer than one of them is waited for."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TypeAlias, TypeGuard

from ninsho.errors import StoreUnavailable
from ninsho.stores.tokens.expectations import INVALID_TOKEN, Judgement
from ninsho.stores.tokens.introspection import Introspection
from ninsho.stores.tokens.web import PATIENCE

# An outage is a value here: it ends one issuer's turn, and not the others'.
Told: TypeAlias = Judgement | StoreUnavailable


async def first_known(issuers: Sequence[Introspection], token: str) -> Judgement:
    """The judgement of the first of *issuers* that knows *token*; where each has refused it, the first one's refusal.

    Each is asked when the one before it has answered, or is silent for too long. Raises ``StoreUnavailable`` where
    nobody knows the token and somebody has not told: it may be the one whose token it is.
    """
    # Whoever is silent does not take all of the others' time: half of it is left when the last one is asked.
    share = PATIENCE / 2 / len(issuers)
    turns: list[_Turn] = []
    for issuer in issuers:
        turns.append(_Turn(issuer, token, turns[-1] if turns else None, share * len(turns)))
    try:
        with suppress(TimeoutError):
            for answered in asyncio.as_completed([turn.task for turn in turns], timeout=PATIENCE):
                if _is_known(told := await answered):
                    return told
        return _verdict([turn.told() for turn in turns])
    finally:
        await _given_up([turn.task for turn in turns])


class _Turn:
    """One issuer's turn: it begins when the one *before* it is over, and *latest* seconds from now at the latest."""

    def __init__(self, issuer: Introspection, token: str, before: "_Turn | None", latest: float) -> None:
        self._url = issuer.url
        self.over = asyncio.Event()
        self.task = asyncio.create_task(self._take(issuer, token, before, latest))

    def told(self) -> Told:
        """What the issuer has told until now."""
        if self.task.done():
            return self.task.result()
        return StoreUnavailable(f"{self._url}: expected an answer within {PATIENCE:g} s, got none")

    async def _take(self, issuer: Introspection, token: str, before: "_Turn | None", latest: float) -> Told:
        if before is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(latest):
                    await before.over.wait()
        told = await _told(issuer, token)
        # Where somebody knows the token, nobody else gets to see it.
        if not _is_known(told):
            self.over.set()
        return told


async def _told(issuer: Introspection, token: str) -> Told:
    try:
        return await issuer.inspect(token)
    except StoreUnavailable as error:
        return error


def _is_known(told: Told) -> TypeGuard[Judgement]:
    """Whether the issuer knows the token, though it may not be good enough here."""
    if isinstance(told, StoreUnavailable):
        return False
    return told.inspection.username is not None or told.inspection.status != INVALID_TOKEN


def _verdict(told: Sequence[Told]) -> Judgement:
    # Somebody may have answered at the very end.
    if known := next(filter(_is_known, told), None):
        return known
    if outages := [str(one) for one in told if isinstance(one, StoreUnavailable)]:
        raise StoreUnavailable("; ".join(outages))
    return next(one for one in told if isinstance(one, Judgement))


async def _given_up(tasks: Sequence[asyncio.Task[Told]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
