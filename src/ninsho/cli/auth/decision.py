"""Asking the configured stores themselves, by the same code as the server, and telling how they decide."""

import time
from collections.abc import Awaitable, Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime

from ninsho.cli.auth.outcome import Outcome
from ninsho.cli.auth.witness import Hearing, witness
from ninsho.cli.recipes import name_of
from ninsho.daemon.authenticator import Attempt, Course
from ninsho.daemon.config import Config
from ninsho.sasl.dialogue import Challenge, Denial, Denied, Verdict
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.accounts import Account, Request
from ninsho.stores.memory import Memory
from ninsho.stores.networks import write_networks
from ninsho.stores.passwords import Passwords
from ninsho.stores.user_base import UserBase


async def decide(config: Config, mechanism: Mechanism, credentials: Credentials, request: Request) -> Outcome:
    """Log in by *mechanism* without any server; raises ``ConfigurationError`` or ``StoreUnavailable`` for a store."""
    hearing = Hearing()
    async with AsyncExitStack() as stack:
        stores = [
            witness(await stack.enter_async_context(recipe.open()), name_of(recipe), hearing)
            for recipe in config.stores
        ]
        # Nobody else logs in meanwhile: the hash is computed in place, and nothing is remembered.
        attempt = Attempt(UserBase(stores, Passwords(Memory(0))), request, time.time)
        start = time.perf_counter()
        verdict = await _verdict(attempt, mechanism, credentials)
        seconds = time.perf_counter() - start
    cause = verdict.cause if isinstance(verdict, Denied) else None
    return Outcome(
        attempt.user or credentials.username,
        mechanism.name,
        "granted" if cause is None else "cannot tell" if cause in {Denial.UNAVAILABLE, Denial.ERROR} else "denied",
        "" if cause is None else reason(cause, attempt.detail, hearing.account, request),
        None if cause is None else cause.value,
        seconds,
        tuple(hearing.testimonies),
    )


async def _verdict(attempt: Attempt, mechanism: Mechanism, credentials: Credentials) -> Verdict:
    try:
        return await _converse(attempt, mechanism, credentials)
    except Exception as accident:
        if (denied := attempt.accident(accident)) is None:
            raise
        return denied


async def _converse(attempt: Attempt, mechanism: Mechanism, credentials: Credentials) -> Verdict:
    """Let both sides of *mechanism* talk with each other."""
    if mechanism.client is None:
        raise ValueError(f"mechanism {mechanism.name}: expected a client side, found none")
    exchange = Exchange(mechanism.client(credentials))
    course: Course = attempt.run(mechanism, exchange.begin(), carries_data=True)
    answer: object = None
    trouble: Exception | None = None
    while True:
        try:
            step = course.send(answer) if trouble is None else course.throw(trouble)
        except StopIteration as end:
            return end.value  # type: ignore[no-any-return]  # the course's own type
        if isinstance(step, Challenge):
            answer, trouble = exchange.answer(step.data), None
        else:
            answer, trouble = await _settled(step)


async def _settled(awaitable: Awaitable[object]) -> tuple[object, Exception | None]:
    """Return the result, or the error that the course must hear of."""
    try:
        return await awaitable, None
    except Exception as error:  # noqa: BLE001 - the mechanism may know what to do about it
        return None, error


def reason(cause: Denial, detail: str, account: Account | None, request: Request) -> str:
    """Say why, with what the administrator may know and the end user must not."""
    match cause:
        case Denial.EXPIRED if account is not None and account.expires is not None:
            return f"the account expired on {datetime.fromtimestamp(account.expires, UTC):%Y-%m-%d %H:%M} UTC"
        case Denial.NETWORK if account is not None:
            place = request.remote_ip or "an unknown address (see --remote-ip)"
            return f"the account may log in from {write_networks(account.networks)}, not from {place}"
        case _:
            return ": ".join(filter(None, (REASONS[cause], detail)))


REASONS: Mapping[Denial, str] = {
    Denial.MALFORMED: "the message is not one of this mechanism's",
    Denial.MISMATCH: "wrong password",
    Denial.UNKNOWN: "no store knows the user",
    Denial.NO_SECRET: "the account has no stored form that this mechanism can use",
    Denial.DISABLED: "the account is disabled",
    Denial.EXPIRED: "the account has expired",
    Denial.NETWORK: "the account may not log in from there",
    Denial.AUTHORIZATION: "the user may not act as somebody else",
    Denial.ABORTED: "the login was taken back",
    Denial.UNAVAILABLE: "a store cannot tell",
    Denial.ERROR: "an error, which is not the user's",
}
