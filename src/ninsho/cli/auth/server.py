"""Asking a running server, as a mail server would."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from ninsho.cli.auth.client import PATIENCE, Address, Client, connect
from ninsho.cli.auth.login import Login, shake_hands
from ninsho.cli.auth.outcome import Outcome, Verdict
from ninsho.cli.endings import CannotTell, Unavailable
from ninsho.errors import ProtocolError
from ninsho.sasl.dialogue import Inspect
from ninsho.sasl.exchange import Credentials
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.oauth import read_refusal
from ninsho.wire.dovecot import replies


def ask_server(
    address: Address,
    choose: Callable[[Iterable[str]], Mechanism],
    credentials: Callable[[Mechanism], Credentials],
    parameters: Callable[[Mechanism], dict[str, str]],
    *,
    log: Callable[[str], object],
) -> Outcome:
    """Log in at *address* by the mechanism that *choose* takes from those offered.

    Raises ``Unavailable`` where no authentication server is there, ``CannotTell`` where it gives no verdict.
    """
    with _is_a_server(address):
        connection = connect(address)
    with connection:
        client = Client(connection, log=log)
        with _is_a_server(address):
            mechs = client.run(shake_hands(os.getpid()))
        mechanism = choose(mechs)
        known = credentials(mechanism)
        login = Login(mechanism, known)
        start = time.perf_counter()
        with _gives_a_verdict(address):
            reply = client.run(login.run(parameters(mechanism)))
    seconds = time.perf_counter() - start
    told = outcome(reply, known.username, mechanism.name, seconds)
    return replace(told, reason=_refined(told.reason, login)) if told.verdict == "denied" else told


def outcome(reply: replies.Ok | replies.Fail, username: str, mechanism: str, seconds: float) -> Outcome:
    """Say what the server's reply means."""
    user = reply.parameters.get("user", username)
    match reply:
        case replies.Ok():
            return Outcome(user, mechanism, "granted", "", None, seconds)
        case replies.Fail(_, found):
            verdict: Verdict = "cannot tell" if reply.temporary else "denied"
            return Outcome(user, mechanism, verdict, found.get("reason", ""), found.get("code"), seconds)


def _refined(reason: str, login: Login) -> str:
    """*reason*, and what the server has said against the token, if there was one."""
    if login.mechanism.needs is not Inspect:
        return reason
    refusal = read_refusal(login.last_words)
    told = (
        refusal.status,
        refusal.scope and f"scope {refusal.scope}",
        refusal.configuration and f"see {refusal.configuration}",
    )
    words = ", ".join(filter(None, told))
    return f"{reason} ({words})" if words else reason


@contextmanager
def _is_a_server(address: Address) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Unavailable(f"{spelt(address)}: expected a greeting, got nothing in {PATIENCE:g} s") from None
    except ConnectionResetError:
        raise Unavailable(f"{spelt(address)}: expected a greeting, got a closed connection") from None
    except ProtocolError as error:
        raise Unavailable(f"{spelt(address)}: not an authentication server: {error}") from None
    except OSError as error:
        raise Unavailable(f"{spelt(address)}: cannot connect: {error.strerror or error}") from None


@contextmanager
def _gives_a_verdict(address: Address) -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise CannotTell(f"{spelt(address)}: expected a verdict, got nothing in {PATIENCE:g} s") from None
    except OSError:
        # Which is how Postfix and Exim learn of a temporary failure.
        raise CannotTell(f"{spelt(address)}: expected a verdict, got a closed connection") from None


def spelt(address: Address) -> str:
    """Return *address* as people write it."""
    if isinstance(address, str):
        return address
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
