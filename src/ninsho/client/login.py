"""Logging in: a mechanism is chosen of those offered, and talked through AUTH (RFC 4954)."""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Final

from ninsho.client.errors import AuthenticationFailed, ConnectionLost, NotOffered, ServerUnproven
from ninsho.client.flow import Compute, Flow
from ninsho.client.secret_sources import revealed
from ninsho.client.settings import Login
from ninsho.errors import ClientError, ExchangeError, NoMechanism
from ninsho.sasl.choosing import Chooser, channel_for
from ninsho.sasl.exchange import Channel, Credentials, Exchange
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.oauth import Refusal, read_refusal
from ninsho.sasl.registry import clients
from ninsho.wire.smtp import Reply

if TYPE_CHECKING:
    from ninsho.client.session import Session

CONTINUE, SUCCESS = 334, 235  # RFC 4954 §4
EMPTY: Final = b"="  # RFC 4954 §4: an initial response that is there, and empty
CANCEL: Final = b"*\r\n"  # RFC 4954 §4
REFUSAL_LIMIT: Final = 2048  # octets of JSON
CHALLENGES: Final = 16  # GSSAPI has five at most; a server may go on for ever
# What their challenges say means nothing: some servers write the words as they are, without base64.
DEAF: Final = frozenset(("PLAIN", "LOGIN"))
WITH_TOKEN: Final = frozenset(("OAUTHBEARER", "XOAUTH2"))


def log_in(session: "Session") -> Flow[None]:
    """Log in as the settings say; raise ``AuthenticationFailed``, ``ServerUnproven`` or ``NotOffered``.

    A token that is refused is asked for once more, as it may have been remembered for too long.
    """
    login = session.settings.login or Login()
    credentials = yield from Compute(lambda: credentials_for(login, session))
    try:
        return (yield from _by_the_best(session, login, credentials))
    except AuthenticationFailed as error:
        if error.mechanism not in WITH_TOKEN or not callable(login.token) or session.broken or error.temporary:
            raise
        source, refused = login.token, credentials.token
        fresh = yield from Compute(lambda: _refreshed(source))
        if fresh == refused:
            raise
        refusal = error
    try:
        yield from _by_the_best(session, login, replace(credentials, token=fresh))
    except ConnectionLost:
        # A server that hangs up behind a refusal.
        raise refusal from None


def _by_the_best(session: "Session", login: Login, credentials: Credentials) -> Flow[None]:
    """Try one mechanism after the other, as long as their refusals say nothing about the password."""
    chooser = _chooser(session, login, credentials)
    offered = session.capabilities.mechanisms
    try:
        candidates = chooser.choose(offered).candidates
    except NoMechanism as error:
        raise NotOffered(f"{session.endpoint}: {error}") from error
    for mechanism in candidates:
        channel = channel_for(mechanism, offered, credentials.channel)
        try:
            return (yield from authenticate(session, mechanism, replace(credentials, channel=channel)))
        except AuthenticationFailed as error:
            if mechanism is candidates[-1] or session.broken or not chooser.goes_on(error.reply.code):
                raise
    raise AssertionError("a choice has one candidate at least")


def authenticate(session: "Session", mechanism: Mechanism, credentials: Credentials) -> Flow[None]:
    """Log in by *mechanism*; raise ``AuthenticationFailed`` with the reply, or ``ServerUnproven``."""
    if mechanism.client is None:
        raise NotOffered(f"{mechanism.name}: this mechanism has no client's side")
    exchange = Exchange(mechanism.client(credentials))
    session.hide(*_secrets(credentials))
    try:
        reply = yield from _talk(session, mechanism.name, exchange)
        if reply.code == SUCCESS:
            # The reply counts only once the mechanism itself agrees (RFC 5802 §5: the server's signature).
            exchange.conclude()
    except ExchangeError as error:
        raise ServerUnproven(f"{session.endpoint}: AUTH {mechanism.name}: {error}") from error
    if reply.code != SUCCESS:
        told = session.cleaned(exchange.challenge or b"")[:REFUSAL_LIMIT]
        refusal = read_refusal(told) if mechanism.name in WITH_TOKEN else None
        known = refusal if refusal != Refusal() else None
        raise AuthenticationFailed(
            f"{session.endpoint}: AUTH {mechanism.name}", reply, mechanism=mechanism.name, refusal=known
        )
    session.mechanism = mechanism.name


def _talk(session: "Session", name: str, exchange: Exchange) -> Flow[Reply]:
    """Give each challenge to the mechanism; return the reply that ends it."""
    first = yield from Compute(lambda: exchange.begin(initial_response=session.initial_response))
    line = b"AUTH " + name.encode()
    encoded = None if first is None else b64encode(first) or EMPTY
    if encoded is not None and len(line) + len(encoded) + 3 > session.command_limit:
        # RFC 4954 §4: one that is too long for a command waits for an empty challenge.
        encoded = None
        exchange.hold(first or b"")
    reply = yield from _say(session, line if encoded is None else b"%s %s" % (line, encoded), encoded)
    for _ in range(CHALLENGES):
        if reply.code != CONTINUE:
            return reply
        reply = yield from _answer(session, name, exchange, reply)
    return (yield from _cancel(session, ExchangeError(f"the server sent more than {CHALLENGES} challenges")))


def _answer(session: "Session", name: str, exchange: Exchange, reply: Reply) -> Flow[Reply]:
    try:
        challenge = b"" if name in DEAF else b64decode(b"".join(map(bytes.strip, reply.lines)), validate=True)
    except binascii.Error:
        return (yield from _cancel(session, ExchangeError("expected a challenge in base64")))
    try:
        # SCRAM derives keys here: some 2 ms for 4096 iterations, 0.2 s for as many as it takes.
        response = yield from Compute(lambda: exchange.answer(challenge))
    except ExchangeError as error:
        return (yield from _cancel(session, error))
    encoded = b64encode(response)
    return (yield from _say(session, encoded, encoded))


def _say(session: "Session", line: bytes, secret: bytes | None) -> Flow[Reply]:
    if secret is not None:
        session.hide(secret if secret != EMPTY else b"")
    shown = line.decode() if secret is None else f"{line[: len(line) - len(secret)].decode()}(hidden)"
    return (yield from session.exchange(line + b"\r\n", shown=shown))


def _cancel(session: "Session", error: ExchangeError) -> Flow[Reply]:
    """End the exchange, as the mechanism cannot go on; RFC 4954 §4: the server answers 501."""
    with suppress(ClientError):
        # Whatever it says to that changes nothing.
        yield from session.exchange(CANCEL, timeout=min(5.0, session.settings.timeouts.command))
    raise error


def credentials_for(login: Login, session: "Session") -> Credentials:
    """Fetch what is kept elsewhere; it may take a while."""
    endpoint, secured = session.endpoint, session.secured
    host = session.settings.trust.server_name or endpoint.host
    bindings = secured.bindings if secured else {}
    return Credentials(
        login.username,
        "" if login.password is None else revealed(login.password),
        login.authzid,
        None if login.token is None else revealed(login.token, "token"),
        Channel(service=session.service, host=host, port=endpoint.port, bindings=bindings),
        login.iterations,
    )


def _refreshed(source: Callable[..., str]) -> str:
    """Ask for a new token; a function with a parameter ``refresh`` is told that the last one was refused."""
    try:
        parameter: Parameter | None = signature(source).parameters.get("refresh")
    except ValueError:
        parameter = None
    return revealed(source if parameter is None else partial(source, refresh=True), "token")


def _chooser(session: "Session", login: Login, credentials: Credentials) -> Chooser:
    trust = session.settings.trust
    return Chooser(
        credentials=credentials,
        tls=session.secured is not None,
        certificate=session.secured is not None and trust.certificate is not None,
        allow_cleartext=login.allow_cleartext,
        minimum=login.lowest,
        force=login.force,
        exclude=login.exclude,
        require_binding=login.require_binding,
        fall_through=login.fall_through,
        clients=clients(login.mechanisms),
    )


def _secrets(credentials: Credentials) -> tuple[bytes, ...]:
    token = credentials.token if isinstance(credentials.token, str) else ""
    return credentials.password.encode(), token.encode(), b64encode(credentials.password.encode())
