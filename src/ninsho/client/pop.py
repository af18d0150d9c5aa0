"""POP before SMTP: a login to a mailbox (RFC 1939), by which some servers know afterwards whom they may relay for.

It counts for the address that it came from, and for a while: ``window`` minutes, which this process remembers.
"""

from collections.abc import Callable
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Final, TypeAlias

from ninsho.client.errors import AuthenticationFailed, NotOffered, TLSFailed
from ninsho.client.flow import Compute, Flow
from ninsho.client.login import credentials_for, log_in
from ninsho.client.session import Session
from ninsho.client.settings import Endpoint, Login, PopSettings, Settings, TLSMode, Trust
from ninsho.client.transcript import Watch
from ninsho.errors import ConfigurationError
from ninsho.sasl.choosing import RANKING, Level
from ninsho.sasl.exchange import Credentials
from ninsho.wire.pop3 import COMMAND_LIMIT, Responses, capabilities, digest, timestamp
from ninsho.wire.smtp import Reply, command

if TYPE_CHECKING:
    from ssl import SSLContext

MINUTE: Final = 60  # seconds
_Key: TypeAlias = tuple[Endpoint, str, tuple[str, int] | None, str | None]
# When a visit was over, by whom, and from where; times are in seconds.
_visited: dict[_Key, float] = {}


class Pop3Session(Session):
    """The talk with a POP3 server until somebody is logged in."""

    parser = Responses
    command_limit = COMMAND_LIMIT

    @property
    def service(self) -> str:
        """The service's name (RFC 5034 §4)."""
        return "pop"

    def context(self) -> "SSLContext":
        """Return the TLS context that its transport uses."""
        from ninsho.client.tls import context_of  # noqa: PLC0415 - only who has TLS needs ssl

        return context_of(self.settings.trust)

    def hello(self, *, helo: bool = True) -> Flow[None]:  # noqa: ARG002 - there is only one way
        """Ask what the server can do; one from before RFC 2449 does not know the question."""
        if isinstance(self._replies, Responses):
            self._replies.expect_list()
        reply = yield from self.command("CAPA")
        if reply.positive:
            self.capabilities = capabilities(reply)

    def start_tls(self) -> Flow[None]:
        """Begin TLS by STLS (RFC 2595 §4); raise ``NotOffered`` or ``TLSFailed``."""
        if "STLS" not in self.capabilities:
            raise NotOffered(f"{self.endpoint}: the POP3 server offers no STLS, and TLS is required (tls=starttls)")
        reply = yield from self.command("STLS")
        if not reply.positive:
            raise TLSFailed(f"{self.endpoint}: STLS: {reply}")
        yield from self.shake_hands()
        yield from self.hello()

    @property
    def _login(self) -> Login:
        return self.settings.login or Login()

    @property
    def _floor(self) -> Level:
        """What a login must be worth at least."""
        lowest = self._login.lowest
        if self._login.require_binding:
            return Level.BOUND
        levels = {**{level.name: level for level in Level}, **{rank.name: rank.level for rank in RANKING}}
        return levels[lowest.upper()] if lowest else Level.NOTHING

    def _connect_to(self, endpoint: Endpoint) -> Flow[None]:
        yield from self.greet(endpoint)
        yield from self.hello()
        tls = self.settings.tls
        if tls is TLSMode.STARTTLS or (tls is TLSMode.OPPORTUNISTIC and "STLS" in self.capabilities):
            yield from self.start_tls()
        if not self.capabilities.mechanisms:
            return (yield from self._log_in_by_commands(""))
        try:
            return (yield from log_in(self))
        except NotOffered as error:
            # None of its mechanisms can be used; POP3 has two ways of its own.
            reason = f"; {error}"
        yield from self._log_in_by_commands(reason)

    def _log_in_by_commands(self, reason: str) -> Flow[None]:
        """Log in by APOP, else by USER and PASS (RFC 1939 §7)."""
        credentials = yield from Compute(lambda: credentials_for(self._login, self))
        _check(credentials)
        stamp = timestamp(self.greeting) if self.greeting else b""
        if stamp and self._floor <= Level.HIDDEN:
            return (yield from self._apop(credentials, stamp))
        if self._floor > Level.PLAINTEXT:
            expected = f"a POP3 login that is worth {self._floor.name.lower()} or better"
            raise NotOffered(f"{self.endpoint}: expected {expected}, the server has none{reason}")
        if not (self.secured or self._login.allow_cleartext):
            raise NotOffered(f"{self.endpoint}: expected TLS or a POP3 server with APOP, got neither{reason}")
        yield from self._user_and_pass(credentials)

    def _apop(self, credentials: Credentials, stamp: bytes) -> Flow[None]:
        proof = digest(stamp, credentials.password)
        self.hide(proof)
        line = command("APOP", credentials.username, proof.decode())
        self._judge("APOP", (yield from self.exchange(line, shown=f"APOP {credentials.username} (hidden)")))

    def _user_and_pass(self, credentials: Credentials) -> Flow[None]:
        self._judge("USER", (yield from self.command("USER", credentials.username)))
        self.hide(credentials.password.encode())
        line = command("PASS", credentials.password)
        self._judge("PASS", (yield from self.exchange(line, shown="PASS (hidden)")))

    def _judge(self, verb: str, reply: Reply) -> None:
        if not reply.positive:
            raise AuthenticationFailed(f"{self.endpoint}: {verb}", reply, mechanism=verb)
        self.mechanism = verb


class Mailbox(Pop3Session):
    """A mailbox to log in to: ``visit`` is all of it. Raises ``ConfigurationError`` where nobody can log in."""

    def __init__(
        self, settings: Settings, *, watch: Watch | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        told = settings.pop
        if told is None:
            raise ConfigurationError(["pop: expected a mailbox to log in to, got none"])
        super().__init__(settings_for(told, settings), watch=watch)
        self._key = self.endpoint, self._login.username, settings.source_address, settings.proxy
        self._window = told.window * MINUTE
        self._clock = clock

    @property
    def is_due(self) -> bool:
        """Whether the last visit does not count any more."""
        last = _visited.get(self._key)
        return last is None or self._clock() - last >= self._window

    def visit(self) -> Flow[None]:
        """Log in, say goodbye, and close; raise ``ClientError`` as ``connect`` does."""
        yield from self.connect()
        yield from self.quit()
        _visited[self._key] = self._clock()


def settings_for(told: PopSettings, settings: Settings) -> Settings:
    """Return the *settings* of a client as they are for its mailbox; raise ``ConfigurationError``."""
    endpoint = Endpoint(told.host, told.port)
    # That the mail server is on this machine lets its password go in clear, and says nothing of the mailbox's.
    inherited = settings.login is not None and settings.login.allow_cleartext and not _are_near(settings)
    local = told.tls is TLSMode.NONE and _are_near(replace(settings, endpoints=(endpoint,)))
    return replace(
        settings,
        endpoints=(endpoint,),
        tls=told.tls,
        login=_login(told, settings.login, allow_cleartext=told.allow_cleartext or inherited or local),
        trust=_trust(told, settings),
        without=frozenset(),
        pop=None,
    )


def _are_near(settings: Settings) -> bool:
    # Behind a proxy, localhost is the proxy's.
    return settings.proxy is None and all(endpoint.loopback for endpoint in settings.endpoints)


def _login(told: PopSettings, login: Login | None, *, allow_cleartext: bool) -> Login:
    """The login of the mailbox: what is told of it, and of how to log in what holds for the mail server."""
    if login is None:
        return Login(username=told.username, password=told.password, allow_cleartext=allow_cleartext)
    # Which mechanism the mail server must have says nothing of this one, but nothing worse will do.
    known = login.force is not None and login.force.upper() in {rank.name for rank in RANKING}
    lowest = login.lowest or (login.force if known else None)
    same = told.password is None and told.username in {"", login.username}
    return replace(
        login,
        username=told.username or login.username,
        password=login.password if same else told.password,
        token=login.token if same else None,
        auth=None,
        minimum=lowest,
        allow_cleartext=allow_cleartext,
    )


def _trust(told: PopSettings, settings: Settings) -> Trust:
    if told.tls is TLSMode.NONE:
        return Trust()
    if any(endpoint.host == told.host for endpoint in settings.endpoints):
        return settings.trust
    # Another host has a name and a certificate of its own.
    return replace(settings.trust, server_name=None, fingerprint=None)


def _check(credentials: Credentials) -> None:
    """Refuse what POP3's own commands cannot say: they take words, and end with their line."""
    if not credentials.password:
        raise NotOffered("pop: expected a password, as the POP3 server takes no token, got none")
    if set("\r\n") & {*credentials.username, *credentials.password}:
        raise NotOffered("pop: expected a user name and a password without line breaks, as POP3 cannot say them")
