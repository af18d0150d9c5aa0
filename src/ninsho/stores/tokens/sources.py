"""Where an issuer's keys come from: a file, or its server, which is asked seldom and may be away for a while."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ninsho.errors import StoreUnavailable
from ninsho.stores.accounts import Answer
from ninsho.stores.reporting import report
from ninsho.stores.tokens.documents import Fetched
from ninsho.stores.tokens.keys import Key, Keys

FRESH = (60.0, 86_400.0)  # seconds: whatever the issuer says, its keys hold for so long, and for no longer
STALE = 86_400.0  # seconds for which the old keys serve where new ones cannot be had
PAUSE = 30.0  # seconds from one fetch to the next, however many unknown keys tokens name
PAUSE_AFTER_FAILURE = 10.0


class KeySource(Protocol):
    """An issuer's keys."""

    def find(self, kid: str | None) -> Answer[Sequence[Key]]:
        """The keys that may have signed a token which names *kid*; raise ``StoreUnavailable`` if nobody can tell."""


class FixedKeys:
    """Keys that hold until the configuration is read again."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    def find(self, kid: str | None) -> Sequence[Key]:
        """The keys that may have signed a token which names *kid*."""
        return self._keys.find(kid)


class FetchedKeys:
    """Keys that are fetched when a token needs them, by one request at a time; *ticks* is a monotonic clock."""

    def __init__(self, fetch: Callable[[], Awaitable[Fetched]], ticks: Callable[[], float]) -> None:
        self._fetch = fetch
        self._ticks = ticks
        self._keys = Keys()
        self._fresh_until = self._usable_until = self._next_fetch = float("-inf")
        self._trouble = ""
        self._fetching: asyncio.Task[None] | None = None

    def find(self, kid: str | None) -> Answer[Sequence[Key]]:
        """The keys that may have signed a token which names *kid*; raise ``StoreUnavailable`` if nobody can tell."""
        return self._fetched(kid) if self._is_due(kid) else self._at_hand(kid)

    async def close(self) -> None:
        """Fetch no more."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait([self._fetching])

    def _is_due(self, kid: str | None) -> bool:
        now = self._ticks()
        return now >= self._next_fetch and not (now < self._fresh_until and self._keys.find(kid))

    def _at_hand(self, kid: str | None) -> Sequence[Key]:
        found = self._keys.find(kid)
        # While the issuer is away, nobody can tell whether an unknown key is a new one of its own.
        if self._trouble and not (found and self._ticks() < self._usable_until):
            raise StoreUnavailable(self._trouble)
        return found

    async def _fetched(self, kid: str | None) -> Sequence[Key]:
        # Another login may have fetched them before this one had its turn.
        if self._fetching is None and self._is_due(kid):
            self._fetching = asyncio.create_task(self._refresh())
        if self._fetching is not None:
            # A login that is given up does not take the others' keys with it.
            await asyncio.shield(self._fetching)
        return self._at_hand(kid)

    async def _refresh(self) -> None:
        try:
            fetched = await self._fetch()
        except StoreUnavailable as error:
            self._fail(str(error))
        except Exception as error:  # noqa: BLE001 - whatever it is, logins go on, and its text may hold anything
            self._fail(f"an issuer's keys: unexpected {type(error).__name__}")
        else:
            self._keys, self._trouble = fetched.keys, ""
            shortest, longest = FRESH
            now = self._ticks()
            self._fresh_until = now + min(max(fetched.max_age, shortest), longest)
            self._usable_until = self._fresh_until + STALE
        finally:
            self._next_fetch = self._ticks() + (PAUSE_AFTER_FAILURE if self._trouble else PAUSE)
            self._fetching = None

    def _fail(self, trouble: str) -> None:
        self._trouble = trouble
        report(f"an issuer's keys cannot be fetched: {trouble}")
