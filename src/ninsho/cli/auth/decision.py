"""Asking the configured stores themselves, by the same code as the server, and telling how they decide."""

import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress

from ninsho.cli.auth.outcome import Outcome
from ninsho.cli.auth.reasons import reason, unoffered
from ninsho.cli.auth.witness import Hearing, witness
from ninsho.cli.recipes import name_of
from ninsho.daemon.authenticator import FINAL_RESPONSE_OK, Attempt, Course
from ninsho.daemon.config import Config
from ninsho.daemon.means import gather
from ninsho.daemon.tokens import inspector_of
from ninsho.errors import ExchangeError
from ninsho.sasl.dialogue import Bound, BoundChallenge, Challenge, Denial, Denied, Granted, Verdict
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores import hashing
from ninsho.stores.accounts import Request, Store
from ninsho.stores.memory import Memory
from ninsho.stores.passwords import Passwords
from ninsho.stores.user_base import UserBase


async def decide(
    config: Config,
    known: Mapping[str, Mechanism],
    mechanism: Mechanism,
    credentials: Credentials,
    parameters: Mapping[str, str],
) -> Outcome:
    """Log in by *mechanism*, one of those *known*, without any server.

    Raises ``ConfigurationError`` or ``StoreUnavailable`` for a store that cannot be opened.
    """
    hearing = Hearing()
    fields = [f"{name}={value}" if value else name for name, value in parameters.items()]
    request = Request(mechanism.name, [*fields, FINAL_RESPONSE_OK])
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(recipe.open()) for recipe in config.stores]
        user_base = await _heard(config, stores, hearing, stack)
        attempt = Attempt(user_base, request, time.time, config.accounts.rules)
        start = time.perf_counter()
        verdict = await _verdict(attempt, mechanism, credentials)
        seconds = time.perf_counter() - start
        means = await gather(config, stores, known.values(), tokens=bool(config.oauth))
    cause = verdict.cause if isinstance(verdict, Denied) else None
    return Outcome(
        attempt.user or credentials.username,
        mechanism.name,
        "granted" if cause is None else "cannot tell" if cause in {Denial.UNAVAILABLE, Denial.ERROR} else "denied",
        ""
        if cause is None
        else reason(cause, attempt.detail, hearing.found, request=request, mechanism=mechanism, config=config),
        None if cause is None else cause.value,
        seconds,
        tuple(hearing.testimonies),
        unoffered(config, mechanism, means),
    )


async def _heard(config: Config, stores: Sequence[Store], hearing: Hearing, stack: AsyncExitStack) -> UserBase:
    """The user base of *stores*, with witnesses; nobody else logs in: hashes are computed in place, none remembered."""
    witnesses = [witness(store, name_of(recipe), hearing) for store, recipe in zip(stores, config.stores, strict=True)]
    passwords = Passwords(Memory(0), permitted=hashing.permission(config.passwords.weak))
    return UserBase(witnesses, passwords, await inspector_of(config, stack))


async def _verdict(attempt: Attempt, mechanism: Mechanism, credentials: Credentials) -> Verdict:
    try:
        return await _converse(attempt, mechanism, credentials)
    except Exception as accident:
        if (denied := attempt.accident(accident)) is None:
            raise
        return denied


async def _converse(attempt: Attempt, mechanism: Mechanism, credentials: Credentials) -> Verdict:
    """Let both sides of *mechanism* talk with each other, to their last words."""
    if mechanism.client is None:
        raise ValueError(f"mechanism {mechanism.name}: expected a client side, found none")
    exchange = Exchange(mechanism.client(credentials))
    course: Course = attempt.run(mechanism, exchange.begin())
    answer: object = None
    trouble: Exception | None = None
    while True:
        try:
            step = course.send(answer) if trouble is None else course.throw(trouble)
        except StopIteration as end:
            return _heard_out(exchange, end.value)
        if isinstance(step, Challenge):
            response = exchange.answer(step.data)
            # There is no channel here that could be bound.
            answer, trouble = Bound(response, None) if isinstance(step, BoundChallenge) else response, None
        else:
            answer, trouble = await _settled(step)


def _heard_out(exchange: Exchange, verdict: Verdict) -> Verdict:
    """Tell the client the verdict; raise ``ExchangeError`` where it is not satisfied with a success."""
    match verdict:
        case Granted(_, data):
            exchange.conclude(data)
        case Denied(_, data) if data is not None:
            with suppress(ExchangeError):
                exchange.answer(data)
    return verdict


async def _settled(awaitable: Awaitable[object]) -> tuple[object, Exception | None]:
    """Return the result, or the error that the course must hear of."""
    try:
        return await awaitable, None
    except Exception as error:  # noqa: BLE001 - the mechanism may know what to do about it
        return None, error
