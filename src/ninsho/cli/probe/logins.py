"""Logging in by each mechanism in turn, one connection each, and why it fails where it does."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from ninsho.cli.probe.look import Look
from ninsho.cli.probe.mechanisms import Standing
from ninsho.cli.send.words import said
from ninsho.client.errors import AuthenticationFailed, NotOffered
from ninsho.client.flow import Flow, run
from ninsho.client.secret_sources import revealed
from ninsho.client.session import Session
from ninsho.client.settings import Login, Settings, TLSMode
from ninsho.client.sockets import SocketTransport
from ninsho.client.tls import context_of
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError
from ninsho.sasl.choosing import PLUS

Verdict: TypeAlias = Literal["granted", "denied", "failed", "not tried"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login by one mechanism: how it ended and why."""

    mechanism: str
    verdict: Verdict
    reason: str = ""
    seconds: float = 0.0
    error: AuthenticationFailed | None = None

    def facts(self) -> dict[str, Any]:
        """Return what ``--json`` writes."""
        error = self.error
        return {
            "mechanism": self.mechanism,
            "verdict": self.verdict,
            "reason": self.reason,
            "code": error.reply.code if error else None,
            "enhanced_code": error.enhanced_code if error else "",
            "text": error.reply.text if error else "",
            "refusal": error.refusal._asdict() if error and error.refusal else None,
            "milliseconds": round(self.seconds * 1000, 2),
        }


def attempts(
    settings: Settings, found: Look, standings: Iterable[Standing], watch: Watch | None, *, anyway: bool
) -> Iterator[Attempt]:
    """Log in by each mechanism that the credentials are good for; to a server that is not believed only *anyway*.

    Raises ``ConfigurationError`` where the password cannot be had.
    """
    login = settings.login
    if login is None:
        return
    hindrance = _hindrance(found) if not anyway else ""
    trust = replace(settings.trust, verify=False) if anyway else settings.trust
    settings = replace(settings, tls=_mode(settings, found), trust=trust)
    for name, place, reason in standings:
        # What is passed over only for the better form of itself can be tried as well.
        if hindrance or (place is None and f"{name}{PLUS}" not in reason):
            yield Attempt(name, "not tried", hindrance or reason)
            continue
        # Fetched once: it may be asked for.
        login = login if login.password is None else replace(login, password=revealed(login.password))
        yield _attempt(replace(settings, login=_by(name, login)), name, watch)


def _hindrance(found: Look) -> str:
    if found.distrust:
        return "the server's certificate is not believed (see --log-in-anyway)"
    return ""


def _mode(settings: Settings, found: Look) -> TLSMode:
    if found.implicit:
        return TLSMode.IMPLICIT
    # Who has a login and wants no TLS has said so.
    return TLSMode.NONE if settings.tls is TLSMode.NONE else TLSMode.STARTTLS


def _by(name: str, login: Login) -> Login:
    return replace(login, auth=name, minimum=None, exclude=(), require_binding=False, fall_through=False)


def _attempt(settings: Settings, name: str, watch: Watch | None) -> Attempt:
    start = time.perf_counter()
    transport = SocketTransport(settings, lambda: context_of(settings.trust))
    session = Session(settings, watch=watch)
    try:
        run(_login(session), transport)
    except AuthenticationFailed as error:
        # The server's own words, and what it has against a token.
        reason = str(error).removeprefix(f"{error.what}: ")
        return Attempt(name, "denied", reason, time.perf_counter() - start, error)
    except NotOffered as error:
        return Attempt(name, "not tried", said(error))
    except ClientError as error:
        return Attempt(name, "failed", said(error), time.perf_counter() - start)
    finally:
        transport.close()
    return Attempt(name, "granted", "", time.perf_counter() - start)


def _login(session: Session) -> Flow[None]:
    yield from session.connect()
    yield from session.quit()
