"""One connection as smtplib shows it: connected, spoken on and listened to line by line, closed."""

import socket
import sys
from dataclasses import fields, replace
from datetime import datetime
from smtplib import SMTP_PORT, SMTPServerDisconnected
from ssl import SSLContext
from typing import ClassVar, Final, TypeVar

from ninsho.client.errors import GreetingRefused
from ninsho.client.flow import Flow, run
from ninsho.client.login import CONTINUE
from ninsho.client.names import a_labels, ehlo_name
from ninsho.client.session import HIDDEN, Session
from ninsho.client.settings import Endpoint, Protocol, Settings, Timeouts, TLSMode, Trust
from ninsho.client.tls import context_of
from ninsho.client.transcript import Transcript, Watch, logged
from ninsho.errors import ClientError, NinshoError
from ninsho.like_smtplib.alike import alike, told_alike
from ninsho.like_smtplib.transport import HookedTransport
from ninsho.wire.ehlo import Capabilities
from ninsho.wire.smtp import Reply, shown

T = TypeVar("T")

Answer = tuple[int, bytes]
"""A reply as smtplib gives it: the code, and the lines of the text with line feeds between."""

# A server that offers BDAT and does not know it is found out by a connection that breaks: here nobody would mend it.
WITHOUT: Final = frozenset(("CHUNKING",))
DEFAULT: Final = object()
# What smtplib's debug output has for the marks of a transcript.
_WORDS: Final = {">": "send:", "<": "reply:", "=": "connect:", "!": "error:"}
# Lines that an error may quote: all else could be a password.
_OPEN: Final = frozenset(("HELO", "EHLO", "LHLO", "MAIL", "RCPT", "RSET", "NOOP", "VRFY", "EXPN", "HELP"))
# Whose a socket is that a program has brought along, unless it says so by ``_host`` (RFC 2606 §2).
_UNKNOWN: Final = "unknown.invalid"


class SpokenSession(Session):
    """A session that knows the ``last`` reply."""

    last = Reply(0)

    @property
    def own_name(self) -> str:
        """What to say after EHLO."""
        return self._name()

    def reply(self, timeout: float) -> Flow[Reply]:
        """Return the next reply; see ``Session.reply``."""
        self.last = yield from super().reply(timeout)
        return self.last


class Talk:
    """The connection behind ``SMTP``, and all of its methods that know no command.

    ``timeout`` is for each wait; without one RFC 5321's times hold (§4.5.3.2), as nothing should wait for ever.
    """

    default_port: ClassVar[int] = SMTP_PORT
    protocol: ClassVar[Protocol] = "smtp"
    tls: ClassVar[TLSMode] = TLSMode.OPPORTUNISTIC
    debuglevel = 0
    # Here for programs that look: what was received and not yet read is the session's.
    file = None
    helo_resp: bytes | None = None
    ehlo_resp: bytes | None = None
    does_esmtp = False
    _context: SSLContext | None = None

    def __init__(
        self,
        host: str = "",
        port: int | str = 0,
        local_hostname: str | None = None,
        timeout: object = DEFAULT,
        source_address: tuple[str, int] | None = None,
    ) -> None:
        self.timeout = timeout
        self.source_address = source_address
        # As smtplib's: programs that make the socket themselves verify the certificate by it.
        self._host = host
        self.command_encoding = "ascii"
        self.esmtp_features: dict[str, str] = {}
        self._session: SpokenSession | None = None
        self._transport: HookedTransport | None = None
        self._last = Reply(0)
        self._check_timeout()
        if host:
            self._connect_or_raise(host, port)
        own_name = self._session.own_name if self._session else ehlo_name(None, "")
        self.local_hostname = own_name if local_hostname is None else local_hostname

    @property
    def sock(self) -> socket.socket | None:
        """The socket; None where there is no connection.

        One that is put here is gone on with as it is, TLS and all; ``_host`` may say whose it is. None takes it away,
        and leaves it open.
        """
        return self._transport.connection if self._transport else None

    @sock.setter
    def sock(self, connection: socket.socket | None) -> None:
        if connection is None:
            self._session = self._transport = None
            return
        if self._session is None:
            with told_alike():
                self._prepare(self._settings(Endpoint(self._host or _UNKNOWN, self.default_port)))
        session, transport = self._connected
        session.secured = transport.adopt(connection)

    def set_debuglevel(self, debuglevel: int) -> None:
        """Show the talk on standard error, from 2 on with the time; what is secret stays hidden."""
        self.debuglevel = debuglevel
        if self._session is not None:
            self._session.watch = self._watch()

    def connect(
        self, host: str = "localhost", port: int | str = 0, source_address: tuple[str, int] | None = None
    ) -> Answer:
        """Connect, and return the greeting; the port may stand behind the host: ``mail.example.com:587``."""
        if source_address:
            self.source_address = source_address
        self._check_timeout()
        self.close()
        with told_alike():
            settings = self._settings(self._endpoint(host, port))
        endpoint = settings.endpoints[0]
        sys.audit("smtplib.connect", self, endpoint.path or endpoint.host, endpoint.port)
        self._host = endpoint.host
        self._prepare(settings)
        try:
            self._run(self._open.greet(endpoint))
        except GreetingRefused as error:
            return answer(error.reply)
        except BaseException:
            self.close()
            raise
        return answer(self._last)

    def send(self, s: str | bytes) -> None:
        """Send octets, or a text, as they are; what belongs to a login is not shown."""
        data = self._encoded(s) if isinstance(s, str) else bytes(s)
        said, secret = self._parted(data)
        if not secret:
            self._run(self._open.send(data))
            return
        self._open.hide(*secret.split())
        self._run(self._open.send(data, shown=f"{said} {HIDDEN}".lstrip()))

    def putcmd(self, cmd: str, args: str = "") -> None:
        """Send a command; raise ``ValueError`` where it would become two."""
        self.send(self._line(cmd, args))

    def _line(self, cmd: str, args: str = "") -> bytes:
        line = f"{cmd} {args}" if args else cmd
        if not set("\r\n\0").isdisjoint(line):
            quoted = line.replace("\n", "\\n").replace("\r", "\\r").replace("\0", "\\0")
            verb = self._verb(line)
            told = f": {quoted}" if verb in _OPEN else ""
            raise ValueError(f"{verb}: expected one line, got prohibited newline characters{told}")
        return self._encoded(f"{line}\r\n")

    def _encoded(self, text: str) -> bytes:
        try:
            return text.encode(self.command_encoding)
        except UnicodeEncodeError:
            if not self._parted(text.encode(errors="replace"))[1]:
                raise
        # The other error has all of the text with it.
        raise ValueError(f"{self._verb(text)}: expected ASCII")

    def _verb(self, line: str) -> str:
        """What an error may call a line."""
        if self._last.code == CONTINUE:
            return "response"
        verb = "".join(line.upper().split(maxsplit=1)[:1])
        return verb if verb == "AUTH" or verb in _OPEN else "command"

    def _parted(self, data: bytes) -> tuple[str, bytes]:
        """Part what may be shown of *data* from what is secret: the answer to a challenge, what AUTH begins with."""
        if self._last.code == CONTINUE:
            return "", data
        words = data.split(maxsplit=2)
        if len(words) < 3 or words[0].upper() != b"AUTH":
            return "", b""
        return f"{words[0].decode()} {shown(words[1])}", words[2]

    def getreply(self) -> Answer:
        """Return the next reply; raise ``SMTPServerDisconnected`` where none comes, or something else than one."""
        session = self._open
        return answer(self._run(session.reply(session.settings.timeouts.command)))

    def docmd(self, cmd: str, args: str = "") -> Answer:
        """Send a command, and return the reply to it."""
        self.putcmd(cmd, args)
        return self.getreply()

    def close(self) -> None:
        """Close the connection, without a word."""
        self._session, transport, self._transport = None, self._transport, None
        if transport is not None:
            transport.close()

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """Connect; overridden by programs that go another way, by a proxy for example, as smtplib's is."""
        return socket.create_connection((host, port), timeout, self.source_address)

    def _prepare(self, settings: Settings) -> None:
        """Make ready to speak on a connection."""
        self._session = SpokenSession(settings, watch=self._watch())
        self._transport = HookedTransport(settings, self._trusted, self._get_socket)
        self._last = Reply(0)

    @property
    def _connected(self) -> tuple[SpokenSession, HookedTransport]:
        if self._session is None or self._transport is None:
            raise SMTPServerDisconnected("please run connect() first")
        return self._session, self._transport

    @property
    def _open(self) -> SpokenSession:
        return self._connected[0]

    def _run(self, flow: Flow[T]) -> T:
        """Have *flow* answered; close the connection where it cannot be used any more."""
        session, transport = self._connected
        # GreetingRefused leaves a connection on which QUIT may be said.
        is_broken = True
        try:
            result = run(flow, transport)
            is_broken = session.broken
        except GreetingRefused:
            is_broken = session.broken = False
            raise
        except ClientError as error:
            is_broken = session.broken
            raise alike(error) from error.__cause__
        except NinshoError:
            # A password that no mechanism takes: nothing has been said.
            is_broken = session.broken
            raise
        finally:
            self._last = session.last
            if is_broken:
                self.close()
        return result

    def _forget(self) -> None:
        """Forget what the server said of itself."""
        self.ehlo_resp = self.helo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False

    def _trusted(self) -> SSLContext:
        """The context for TLS: what the program gave, else one that verifies the server's certificate and name."""
        if self._context is None:
            self._context = context_of(Trust())
        return self._context

    def _connect_or_raise(self, host: str, port: int | str) -> None:
        code, _ = self.connect(host, port)
        if code != 220:
            session = self._open
            self.close()
            raise GreetingRefused(f"{session.endpoint}: greeting", self._last)

    def _settings(self, endpoint: Endpoint) -> Settings:
        seconds = self.timeout if isinstance(self.timeout, int | float) else socket.getdefaulttimeout()
        times = Timeouts()
        if self.timeout is not None and seconds:
            times = replace(times, **dict.fromkeys((one.name for one in fields(times) if one.name != "total"), seconds))
        return Settings(
            endpoints=(endpoint,),
            protocol=self.protocol,
            tls=self.tls,
            timeouts=times,
            source_address=self.source_address,
            without=WITHOUT,
        )

    def _endpoint(self, host: str, port: int | str) -> Endpoint:
        if not port and host.count(":") == 1:
            host, _, port = host.partition(":")
        try:
            number = int(port or self.default_port)
        except ValueError:
            raise OSError(f"port: expected a number, got {port!r}") from None
        try:
            return Endpoint(a_labels(host), number)
        except ValueError as error:
            raise socket.gaierror(socket.EAI_NONAME, f"host: {error}") from None

    def _check_timeout(self) -> None:
        if self.timeout is not None and not self.timeout:
            raise ValueError("timeout: expected seconds above nothing, or None, got 0")

    def _watch(self) -> Watch | None:
        if not self.debuglevel:
            return logged()
        return Transcript(_timed if self.debuglevel > 1 else _shown)

    def _learn(self, reply: Reply) -> None:
        """Learn from the reply to EHLO what the server can do."""
        offered = Capabilities.read(reply)
        self._open.capabilities = Capabilities.read(reply, without=WITHOUT)
        self.esmtp_features = {name.lower(): " ".join(words) for name, words in offered.extensions.items()}
        if offered.mechanisms:
            self.esmtp_features["auth"] = " ".join(offered.mechanisms)
        self.does_esmtp = True


def answer(reply: Reply) -> Answer:
    """Return *reply* as smtplib does."""
    return reply.code, b"\n".join(line.strip(b" \t") for line in reply.lines)


def _shown(line: str) -> None:
    sys.stderr.write(f"{_WORDS[line[0]]}{line[1:]}\n")


def _timed(line: str) -> None:
    sys.stderr.write(f"{datetime.now().astimezone().time()} ")
    _shown(line)
