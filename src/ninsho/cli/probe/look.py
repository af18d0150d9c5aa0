"""One look at a server: greeting, EHLO, TLS, EHLO again; nobody logs in, and nothing is sent."""

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import NamedTuple
from warnings import catch_warnings, simplefilter

from ninsho.cli.probe.witness import Measured, Witness
from ninsho.client.errors import ConnectionFailed, ConnectionLost, Desynchronized, TLSFailed
from ninsho.client.flow import Flow, StartTLS, run
from ninsho.client.secured import Secured
from ninsho.client.session import Session
from ninsho.client.settings import Endpoint, Settings, TLSMode, Trust
from ninsho.client.tls import context_of
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply

READY = 220
DONE = 250
# What sneaks in behind STARTTLS: nothing that does anything.
SNEAKED = b"STARTTLS\r\nNOOP\r\n"


class Hello(NamedTuple):
    """A reply to EHLO, as it came and as it is read."""

    reply: Reply
    capabilities: Capabilities


@dataclass(slots=True)
class Look:
    """What one server has shown, as far as it went; ``error`` is where that ended.

    ``before`` is what it said in clear, ``after`` inside of TLS. ``distrust`` says why its certificate is not believed;
    ``old`` is the version before TLS 1.2 that it takes as well; ``sneaked`` that it takes commands sent in clear for
    some sent inside of TLS.
    """

    endpoint: Endpoint
    implicit: bool
    greeting: Reply | None = None
    before: Hello | None = None
    after: Hello | None = None
    secured: Secured | None = None
    distrust: str = ""
    old: str = ""
    sneaked: bool | None = None
    error: ClientError | None = None
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """Whether anybody is there."""
        return not isinstance(self.error, ConnectionFailed)

    @property
    def silent(self) -> bool:
        """Whether somebody is there who has said nothing: as one who waits for TLS to begin does."""
        return isinstance(self.error, ConnectionLost) and self.greeting is None and self.secured is None

    @property
    def last(self) -> Hello | None:
        """What counts: what was said inside of TLS, where there is TLS."""
        return self.after or (None if self.secured else self.before)


def look(settings: Settings, watch: Watch | None) -> Look:
    """Look at the first of the servers of *settings*; where its certificate is not believed, look all the same."""
    tls = TLSMode.IMPLICIT if settings.tls is TLSMode.IMPLICIT else TLSMode.STARTTLS
    settings = replace(settings, tls=tls, trust=replace(settings.trust, verify=True))
    found = _look(settings, watch)
    if found.silent and tls is not TLSMode.IMPLICIT:
        settings = replace(settings, tls=TLSMode.IMPLICIT)
        in_tls = _look(settings, watch)
        found = in_tls if in_tls.greeting or _is_distrusted(in_tls) else found
    return _anyway(settings, found, watch) if isinstance(found.error, TLSFailed) else found


def _is_distrusted(found: Look) -> bool:
    return isinstance(found.error, TLSFailed) and isinstance(found.error.__cause__, ssl.SSLCertVerificationError)


def _anyway(settings: Settings, found: Look, watch: Watch | None) -> Look:
    """Look once more, and believe whoever answers."""
    anyway = _look(_with_context(settings, _believing_anybody(settings.trust)), watch)
    if anyway.secured is None:
        return found
    anyway.distrust = str(found.error).removeprefix(f"{found.endpoint}: ")
    return anyway


def ask_for_old(settings: Settings, found: Look) -> None:
    """Find out whether the server agrees to TLS 1.1 or 1.0 as well (RFC 8996)."""
    context = _believing_anybody(settings.trust)
    with catch_warnings():
        # Which is what is asked about.
        simplefilter("ignore", DeprecationWarning)
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    again = _look(_as_found(settings, context, found), None)
    found.old = again.secured.version if again.secured else ""


def sneak_in(settings: Settings, found: Look, watch: Watch | None) -> None:
    """Find out whether the server keeps what came behind STARTTLS in clear (CVE-2011-0411)."""
    lenient = _as_found(settings, _believing_anybody(settings.trust), found)
    with _talk(lenient, watch) as (session, witness, perform):
        error = perform(_sneaked_in(session, found.endpoint))
        # An answer to NOOP stands in front of all others: QUIT gets the one to EHLO, or too many come at once.
        moved = error is None and witness.last is not None and witness.last.code == DONE
        found.sneaked = session.secured is not None and (moved or isinstance(error, Desynchronized))


def _sneaked_in(session: Session, endpoint: Endpoint) -> Flow[None]:
    yield from session.greet(endpoint)
    yield from session.hello()
    reply = yield from session.exchange(SNEAKED, shown="STARTTLS and NOOP, in one")
    if reply.code == READY and not session.heard:
        session.secured = yield StartTLS(session.settings.timeouts.connect)
        yield from session.command("EHLO", "probe.invalid")
        yield from session.command("QUIT")


def _look(settings: Settings, watch: Watch | None) -> Look:
    found = Look(settings.endpoints[0], settings.tls is TLSMode.IMPLICIT)
    with _talk(settings, watch) as (session, witness, perform):
        found.error = perform(_tour(session, witness, found))
        found.greeting, found.secured = session.greeting, session.secured
        found.seconds = witness.seconds
    return found


def _tour(session: Session, witness: Witness, found: Look) -> Flow[None]:
    yield from session.greet(found.endpoint)
    yield from session.hello()
    hello = Hello(witness.last or Reply(0), session.capabilities)
    if found.implicit:
        found.after = hello
    else:
        found.before = hello
        if "STARTTLS" in session.capabilities:
            yield from session.start_tls()
            found.after = Hello(witness.last or Reply(0), session.capabilities)
    yield from session.quit()


@contextmanager
def _talk(
    settings: Settings, watch: Watch | None
) -> Iterator[tuple[Session, Witness, Callable[[Flow[None]], ClientError | None]]]:
    """Give a session, who watches it, and what runs flows on its connection."""
    witness = Witness(watch)
    transport = Measured(settings, witness)

    def perform(flow: Flow[None]) -> ClientError | None:
        try:
            run(flow, transport)
        except ClientError as error:
            return error
        return None

    try:
        yield Session(settings, watch=witness), witness, perform
    finally:
        transport.close()


def _as_found(settings: Settings, context: ssl.SSLContext, found: Look) -> Settings:
    tls = TLSMode.IMPLICIT if found.implicit else TLSMode.STARTTLS
    return _with_context(replace(settings, tls=tls), context)


def _with_context(settings: Settings, context: ssl.SSLContext) -> Settings:
    return replace(settings, trust=Trust(context=context, server_name=settings.trust.server_name))


def _believing_anybody(trust: Trust) -> ssl.SSLContext:
    """A context for a look, and for no password: it takes any certificate, version and cipher."""
    context = context_of(replace(trust, verify=False, fingerprint=None))
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context
