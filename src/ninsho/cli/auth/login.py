"""A login as a mail server has it done: generators that ask their shell to send and to receive lines."""

from collections.abc import Generator
from contextlib import suppress
from typing import Any, NamedTuple, TypeAlias, TypeVar

from ninsho.errors import ExchangeError, ProtocolError
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.mechanism import Mechanism
from ninsho.wire.dovecot import replies, requests
from ninsho.wire.dovecot.fields import decode_base64

T = TypeVar("T")

HIDDEN = b"(hidden)"


class Send(NamedTuple):
    """Send *line*, which ends with its line feed; *shown* is what a log may show of it."""

    line: bytes
    shown: bytes


class Receive:
    """Receive a line; the answer comes without its line feed."""

    def __iter__(self) -> Generator["Receive", bytes, bytes]:
        return (yield self)


Flow: TypeAlias = Generator[Send | Receive, Any, T]


def shake_hands(pid: int) -> Flow[dict[str, replies.Mech]]:
    """Greet, and return what the server offers by name; raise ``ProtocolError`` for another kind of server."""
    hello = requests.hello(pid)
    yield Send(hello, hello)
    mechs: dict[str, replies.Mech] = {}
    first = yield from Receive()
    reply = replies.parse(first)
    if not isinstance(reply, requests.Version | replies.Mech | replies.Spid):
        raise ProtocolError(f"expected the Dovecot authentication protocol, got {first[:60]!r}")
    while True:
        match reply:
            case replies.Mech(name) as mech:
                mechs[name.upper()] = mech
            case replies.Spid() if not mechs:
                # Dovecot's socket for masters greets with SPID; Postfix knows it by the missing MECH.
                raise ProtocolError("expected MECH lines before SPID, got none: nothing is offered on this socket")
            case replies.Done():
                return mechs
        reply = replies.parse((yield from Receive()))


def authenticate(
    mechanism: Mechanism, credentials: Credentials, parameters: dict[str, str], *, id: int = 1
) -> Flow[replies.Ok | replies.Fail]:
    """Log in; raise ``ProtocolError`` or ``ExchangeError`` for a server that does not keep to the rules."""
    return Login(mechanism, credentials).run(parameters, id=id)


class Login:
    """One login by *mechanism*, which must have a client's side."""

    def __init__(self, mechanism: Mechanism, credentials: Credentials) -> None:
        if mechanism.client is None:
            raise ValueError(f"mechanism {mechanism.name}: expected a client side, found none")
        self.mechanism = mechanism
        self._exchange = Exchange(mechanism.client(credentials))

    @property
    def last_words(self) -> bytes | None:
        """What the server's side of the mechanism has said last."""
        return self._exchange.challenge

    def run(self, parameters: dict[str, str], *, id: int = 1) -> Flow[replies.Ok | replies.Fail]:
        """Do as ``authenticate`` says. The last words may come with OK or FAIL, or as one more challenge."""
        response = self._exchange.begin()
        line = requests.auth(id, self.mechanism.name, parameters, response)
        yield Send(line, _without(line, b"\tresp=") if response is not None else line)
        while True:
            match replies.parse((yield from Receive())):
                case replies.Cont(number, challenge) if number == id:
                    line = requests.cont(id, self._exchange.answer(challenge))
                    yield Send(line, _without(line, b"CONT\t%d\t" % id))
                case replies.Ok(number, found) as ok if number == id:
                    self._exchange.conclude(decode_base64(found["resp"]) if "resp" in found else None)
                    return ok
                case replies.Fail(number, found) as fail if number == id:
                    self._hear(decode_base64(found["resp"]) if "resp" in found else None)
                    return fail

    def _hear(self, data: bytes | None) -> None:
        """Take what came with a failure; whether the mechanism expected it does not matter any more."""
        if data is not None:
            with suppress(ExchangeError):
                self._exchange.answer(data)


def _without(line: bytes, before: bytes) -> bytes:
    """*line* with its SASL data, which stand behind *before*, hidden."""
    return line[: line.rindex(before) + len(before)] + HIDDEN + b"\n"
