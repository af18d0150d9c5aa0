"""Where the flows of an event loop get their messages, from an iterable of either kind."""

import asyncio
import time
from collections.abc import AsyncIterable, Iterable, Sequence
from contextlib import suppress

from ninsho.client.desks import LOOK, Supply
from ninsho.client.job import Job
from ninsho.client.office import END, Sendable, submission
from ninsho.client.outbox import Outbox
from ninsho.mail.at_hand import AtHand
from ninsho.mail.message import Submission


class AwaitedDesk:
    """Hands the messages of an iterable, of either kind, to the flows of one or more tasks."""

    def __init__(self, outbox: Outbox, messages: Iterable[Sendable] | AsyncIterable[Sendable]) -> None:
        self.eager = isinstance(messages, Sequence | AtHand)
        self.news, self.read = asyncio.Event(), asyncio.Event()
        self._outbox = outbox
        # Messages come from one of the two; the other is empty, or none.
        self._source = aiter(messages) if isinstance(messages, AsyncIterable) else None
        self._supply = Supply(outbox, () if isinstance(messages, AsyncIterable) else messages)
        self._pulling = asyncio.Lock()

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to send."""
        return self._supply.exhausted and not self._outbox.waiting

    async def more(self) -> bool:
        """Whether there is more to send; told before there is a connection: for nothing none is made."""
        return self._outbox.waiting or await self._pulled()

    async def take(self, *, wait: bool) -> Job | None:
        """Return the next job; None where there is none now, or, told to *wait*, none any more."""
        while True:
            now = time.monotonic()
            delay: float | None = self._outbox.held_up(now)
            if not delay:
                if (job := self._outbox.take(now)) is not None:
                    return job
                if self._outbox.is_full and not await self._has_been_read(wait=wait):
                    return None
                # Who waits for an asynchronous iterable does so with nothing on its way.
                if (wait or self._source is None) and await self._pulled():
                    continue
                delay = self._outbox.delay(now)
            if delay is None or not wait:
                return None
            await asyncio.sleep(delay)

    async def _has_been_read(self, *, wait: bool) -> bool:
        """Wait until somebody reads receipts, or a retry is due: until then nothing more is taken."""
        if not wait:
            return False
        self.read.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK):
                await self.read.wait()
        return True

    def stop(self) -> None:
        """Take no more."""
        self._supply.exhausted = True

    def at_once(self) -> Job | None:
        """Return the next job where nobody has to wait for it; None where ``take`` must be asked."""
        if not self.eager or not self._outbox.is_free or self._outbox.is_full:
            return None
        message = self._supply.next()
        return None if message is None else self._outbox.begun(message)

    def give(self, job: Job) -> None:
        """Hand in a job."""
        self._outbox.give(job, time.monotonic())
        self.news.set()

    def give_back(self, job: Job) -> None:
        """Hand in a job that may begin at once."""
        self._outbox.give_back(job)

    async def _pulled(self) -> bool:
        if self._source is not None:
            async with self._pulling:
                message = await self._awaited()
        else:
            message = self._supply.next()
        if message is None:
            return False
        self._outbox.add(message)
        return True

    async def _awaited(self) -> Submission | None:
        """Return what an asynchronous iterable has next; see ``Supply.next``."""
        if self._supply.exhausted or self._source is None:
            return None
        try:
            if (message := await anext(self._source, END)) is not END:
                return submission(message)
        except Exception as error:  # noqa: BLE001 - raised behind the receipts of all that came before
            self._outbox.error = error
        self._supply.exhausted = True
        return None
