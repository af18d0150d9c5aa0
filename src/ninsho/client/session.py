"""One connection to a server as flows: greeting, EHLO, STARTTLS, commands and their replies, QUIT."""

from contextlib import suppress
from dataclasses import dataclass
from typing import ClassVar, Final

from ninsho.client.errors import (
    ConnectionFailed,
    ConnectionLost,
    Desynchronized,
    GreetingRefused,
    HelloRefused,
    NotOffered,
    TLSFailed,
)
from ninsho.client.flow import Close, DeadlineOver, Flow, Open, Receive, Send, StartTLS
from ninsho.client.hiding import Hiding
from ninsho.client.receipt import Via
from ninsho.client.secured import Secured
from ninsho.client.settings import Endpoint, Settings, TLSMode
from ninsho.client.transcript import Watch
from ninsho.errors import ClientError, ProtocolError
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import COMMAND_LIMIT, Replies, Reply, command

CHALLENGE: Final = 334
CLOSING: Final = 421  # RFC 5321 §3.8: the server closes the connection, whatever it was asked
# RFC 5321 §4.1.1.1 and what old servers say: EHLO is not known here.
EHLO_UNKNOWN: Final = frozenset((500, 502, 504, 550))
HIDDEN: Final = "(hidden)"


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection that was made: our own address, and its TLS if that came first."""

    address: str = ""
    secured: Secured | None = None


class Session:
    """The talk on one connection.

    ``capabilities`` is what the server offers now, but for those that are to be done *without*; ``broken`` says that
    the connection cannot be used any more, ``chunked`` that the server has taken a BDAT, ``unclear`` that a transaction
    may be open that nobody wants any more. ``count`` is how many have begun. ``parser`` reads what the server says,
    ``service`` is what SASL calls it (RFC 4422 §3.1), ``command_limit`` how long a command may be.
    """

    parser: ClassVar[type[Replies]] = Replies
    command_limit: ClassVar[int] = COMMAND_LIMIT
    # RFC 4954 §4: a server may ask for it; a few do not know it.
    initial_response = True

    def __init__(self, settings: Settings, *, watch: Watch | None = None, without: set[str] | None = None) -> None:
        self.settings = settings
        self.watch = watch
        self.endpoint: Endpoint = settings.endpoints[0]
        self.capabilities = Capabilities()
        self.without = set(settings.without) if without is None else without
        self.greeting: Reply | None = None
        self.secured: Secured | None = None
        self.mechanism = ""
        self.broken = False
        self.tired = False
        self.chunked = False
        self.unclear = False
        self.count = 0
        self._hiding = Hiding()
        self._address = ""
        self._replies = self.parser()

    @property
    def service(self) -> str:
        """The service's name."""
        return self.settings.protocol

    @property
    def via(self) -> Via:
        """The connection, as receipts tell of it."""
        endpoint, secured = self.endpoint, self.secured or Secured("", "")
        host, server = endpoint.path or endpoint.host, self.capabilities.name
        return Via(host, endpoint.port, server, self.mechanism, secured.version, secured.cipher)

    @property
    def heard(self) -> bool:
        """Whether something has been received that nobody has read."""
        return self._replies.pending

    @property
    def recipients_limit(self) -> int | None:
        """How many recipients a transaction may have, where the server says so."""
        return self.capabilities.limit("RCPTMAX")

    def doubt_chunking(self) -> None:
        """Do without BDAT from now on, if it was the first of this server's that a connection broke at."""
        if "CHUNKING" in self.capabilities and not self.chunked:
            self.without.add("CHUNKING")

    def doubt_followers(self) -> None:
        """Let nothing follow a message without a verdict, once a connection broke there for the second time."""
        self.without.add("RSET" if "RSET?" in self.without else "RSET?")

    def connect(self) -> Flow[None]:
        """Connect to the first of the servers that serves us, and make ready to submit; raise ``ClientError``.

        Where none does, the error is the one server's own, or a ``ConnectionFailed`` that tells of each.
        """
        failures: list[tuple[Endpoint, ClientError]] = []
        for endpoint in self.settings.endpoints:
            try:
                return (yield from self._connect_to(endpoint))
            except (
                ConnectionFailed,
                ConnectionLost,
                Desynchronized,
                GreetingRefused,
                HelloRefused,
                TLSFailed,
            ) as error:
                yield Close()
                failures.append((endpoint, error))
        if len(failures) == 1:
            raise failures[0][1]
        temporary = any(error.temporary for _, error in failures)
        raise ConnectionFailed([(str(place), str(error)) for place, error in failures], temporary=temporary)

    def command(self, verb: str, *arguments: str, timeout: float | None = None) -> Flow[Reply]:
        """Send a command and return the reply; raise ``ConnectionLost`` or ``Desynchronized``, never for a refusal."""
        return (yield from self.exchange(command(verb, *arguments), timeout=timeout))

    def exchange(self, line: bytes, *, timeout: float | None = None, shown: str | None = None) -> Flow[Reply]:
        """Send a *line* and return the reply to it; the transcript has the line as *shown*."""
        self.expect_silence()
        yield from self.send(line, shown=shown)
        return (yield from self.reply(timeout or self.settings.timeouts.command))

    def expect_silence(self) -> None:
        """Raise ``Desynchronized`` where a reply waits though all have been heard that were to come."""
        if self._replies.pending:
            # RFC 5321 §4.2: a reply to each command. One more, and all that follow would be taken for others.
            raise self._muddled("expected no reply before the next command, got one")

    def send(self, data: bytes, *, shown: str | bytes | None = None) -> Flow[None]:
        """Send *data*; the transcript has it as *shown*."""
        if self.watch is not None:
            self.watch.sent(shown if shown is not None else data)
        try:
            yield Send(data)
        except OSError as error:
            raise self._lost(f"cannot send: {_reason(error)}") from error

    def successes(self, count: int) -> list[Reply] | None:
        """Return the next *count* replies where nothing has to be done about any of them; else None."""
        return None if self.watch is not None else self._replies.successes(count)

    def at_hand(self) -> Reply | None:
        """Return the next reply if it has come already, and nothing has to be done about it; else None."""
        # Most replies of a pipelined session: a plain call takes half the time of a flow.
        if self.watch is not None or not self._replies.pending:
            return None
        try:
            reply = self._replies.next()
        except ProtocolError as error:
            raise self._muddled(str(error)) from None
        if reply is not None and (reply.code >= 400 or self._hiding.is_in(reply.lines[0])):
            self.broken |= reply.code == CLOSING
            return self._cleaned(reply)
        return reply

    def reply(self, timeout: float) -> Flow[Reply]:
        """Return the next reply; raise ``ConnectionLost`` if the server closes, or is silent for *timeout* seconds."""
        anew = True
        try:
            while (reply := self._replies.next()) is None:
                yield from self._more(timeout, anew=anew)
                anew = False
        except ProtocolError as error:
            raise self._muddled(str(error)) from None
        if reply.code == CLOSING:
            self.broken = True
        # A challenge is not shown, and must reach the mechanism as it came.
        shown = self.watch is not None or self._hiding.is_in(reply.lines[0])
        if reply.code >= 400 or (shown and reply.code != CHALLENGE):
            reply = self._cleaned(reply)
        if self.watch is not None:
            # RFC 4954 §4: the only use of 334 are SASL's challenges.
            self.watch.received(reply if reply.code != CHALLENGE else Reply(CHALLENGE, (HIDDEN.encode(),)))
        return reply

    def quit(self) -> Flow[None]:
        """Say goodbye and close; whatever goes wrong here changes nothing about what was sent."""
        if not self.broken:
            with suppress(ClientError):
                # A server that is busy with its own end need not be waited for.
                yield from self.command("QUIT", timeout=min(5.0, self.settings.timeouts.command))
        self.broken = True
        yield Close()

    def hello(self, *, helo: bool = True) -> Flow[None]:
        """Say EHLO (or LHLO); where that is unknown, HELO, unless *helo* is ruled out."""
        name = self._name()
        verb = "LHLO" if self.settings.protocol == "lmtp" else "EHLO"
        reply = yield from self.command(verb, name)
        if reply.code in EHLO_UNKNOWN and verb == "EHLO" and helo:
            reply = yield from self.command("HELO", name)
            if reply.positive:
                self.capabilities = Capabilities(Capabilities.read(reply).name)
                return
        if self.broken:
            raise ConnectionLost(f"{self.endpoint}: {verb}: {reply}")
        if not reply.positive:
            raise HelloRefused(f"{self.endpoint}: {verb}", reply)
        self.capabilities = Capabilities.read(reply, without=self.without)

    def start_tls(self) -> Flow[None]:
        """Begin TLS by STARTTLS; raise ``NotOffered`` or ``TLSFailed``, with which the connection is at its end."""
        if "STARTTLS" not in self.capabilities:
            raise NotOffered(f"{self.endpoint}: the server offers no STARTTLS, and TLS is required (tls=starttls)")
        reply = yield from self.command("STARTTLS")
        if reply.code != 220:
            raise TLSFailed(f"{self.endpoint}: STARTTLS: {reply}", temporary=reply.temporary)
        yield from self.shake_hands()
        yield from self.hello(helo=False)

    def shake_hands(self) -> Flow[None]:
        """Begin TLS, as the server has agreed to; raise ``TLSFailed``, with which the connection is at its end."""
        if self._replies.pending:
            # What came in clear before the handshake would be taken for what came after it (CVE-2021-22947).
            self.broken = True
            raise TLSFailed(f"{self.endpoint}: the server, or somebody in between, sent more before TLS began")
        # RFC 3207 §4.2: whatever was learnt before TLS may have been forged.
        self.capabilities = Capabilities()
        self.secured = yield StartTLS(self.settings.timeouts.connect)
        self._note(f"{self.secured.version} {self.secured.cipher}" if self.secured else "")

    def greet(self, endpoint: Endpoint) -> Flow[None]:
        """Connect to *endpoint* and hear its greeting."""
        self.endpoint, self._replies, self.broken = endpoint, self.parser(), False
        self.secured, self.mechanism, self.capabilities = None, "", Capabilities()
        self._note(f"connecting to {endpoint}")
        opened: Opened = yield Open(endpoint, self.settings.timeouts.connect)
        self._address, self.secured = opened.address, opened.secured
        if self.secured:
            self._note(f"{self.secured.version} {self.secured.cipher}")
        self.greeting = yield from self._greeting()
        if self.greeting.code != 220:
            self.broken = True
            raise GreetingRefused(f"{endpoint}: greeting", self.greeting)

    def _greeting(self) -> Flow[Reply]:
        """Hear what a server says first, which one that waits for TLS does not."""
        try:
            return (yield from self.reply(self.settings.timeouts.greeting))
        except ConnectionLost as error:
            if self.secured is not None or not isinstance(error.__cause__, TimeoutError):
                raise
            hint = "if the server begins with TLS, use tls=implicit (smtps://)"
            raise ConnectionLost(f"{error}: {hint}") from error.__cause__

    def hide(self, *secrets: bytes) -> None:
        """Keep *secrets* out of what is shown of replies: some servers echo what they do not understand."""
        self._hiding.add(*secrets)

    def cleaned(self, octets: bytes) -> bytes:
        """Return *octets* of the server's without any secret that it was told."""
        return self._hiding.cleaned(octets)

    def _connect_to(self, endpoint: Endpoint) -> Flow[None]:
        from ninsho.client.login import log_in  # noqa: PLC0415 - only who logs in waits for the mechanisms

        settings = self.settings
        yield from self.greet(endpoint)
        # RFC 5321 §3.2: HELO is for servers that know no extensions, and with these went TLS and AUTH.
        wanted = settings.tls in {TLSMode.STARTTLS, TLSMode.IMPLICIT} or settings.login is not None
        yield from self.hello(helo=not wanted)
        if settings.tls is TLSMode.STARTTLS or (
            settings.tls is TLSMode.OPPORTUNISTIC and "STARTTLS" in self.capabilities
        ):
            yield from self.start_tls()
        if settings.login is not None:
            yield from log_in(self)

    def _more(self, timeout: float, *, anew: bool) -> Flow[None]:
        """Receive more of a reply; *anew* begins the time that it may take in all."""
        try:
            data = yield Receive(timeout, anew=anew)
        except DeadlineOver as error:
            raise self._lost(f"no reply before the deadline of {self.settings.timeouts.total:g} s") from error
        except TimeoutError as error:
            raise self._lost(f"no reply within {timeout:g} s") from error
        except OSError as error:
            raise self._lost(_reason(error)) from error
        if not data:
            raise self._lost("the server closed the connection")
        self._replies.feed(data)

    def _muddled(self, reason: str) -> Desynchronized:
        self.broken = True
        if self._hiding:
            # What is no reply may be what the server was told.
            reason = "expected a reply, got what is none"
        self._note(reason, error=True)
        return Desynchronized(f"{self.endpoint}: {reason}")

    def _lost(self, reason: str) -> ConnectionLost:
        self.broken = True
        self._note(reason, error=True)
        return ConnectionLost(f"{self.endpoint}: {reason}")

    def _name(self) -> str:
        from ninsho.client.names import ehlo_name  # noqa: PLC0415

        return ehlo_name(self.settings.ehlo_name, self._address)

    def _cleaned(self, reply: Reply) -> Reply:
        if not self._hiding:
            return reply
        return reply._replace(lines=tuple(map(self._hiding.cleaned, reply.lines)))

    def _note(self, text: str, *, error: bool = False) -> None:
        if self.watch is not None and text:
            self.watch.noted(text, error=error)


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
