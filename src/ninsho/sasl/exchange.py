"""The client's side of a mechanism: a generator which yields responses and receives challenges."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ninsho.errors import ExchangeError

# RFC 7677 §4 asks servers for 4096 at least; the higher bound takes about 0.2 s.
ITERATIONS = (4096, 600_000)

Steps: TypeAlias = Generator[bytes | None, bytes | None, None]
"""Yields the initial response first (None: there is none), then a response for each challenge.

The server's last words arrive like a challenge, however the protocol carries them: the mechanism checks them, and
yields an empty response. Success without last words arrives as None. A mechanism that is satisfied then returns; one
that has not had its proof raises ``ExchangeError``.
"""


@dataclass(frozen=True, slots=True)
class Channel:
    """The connection that a client logs in on.

    ``bindings`` are the channel's own data (RFC 5056) by their types, the best first, such as ``tls-exporter``; empty
    where there is no TLS or nothing can tell. ``plus_offered`` says whether the server offered the ``-PLUS`` form
    of the mechanism. ``host`` is the name that the client knows the server by, ``service`` its GSSAPI service name.
    """

    service: str = "smtp"
    host: str = ""
    port: int = 0
    bindings: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    plus_offered: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client logs in with, and where; password and token are hidden in its repr.

    ``token`` is a bearer token, or a function that gets one. ``authzid`` is whom to act as, if not the user.
    ``iterations`` are the lowest and the highest count that a server of SCRAM may ask for. Raises ``ExchangeError`` for
    a name or a password that no mechanism can send.
    """

    username: str = ""
    password: str = field(default="", repr=False)
    authzid: str = ""
    token: str | Callable[[], str] | None = field(default=None, repr=False)
    channel: Channel = Channel()
    iterations: tuple[int, int] = ITERATIONS

    def __post_init__(self) -> None:
        for what, text in (("user name", self.username), ("password", self.password), ("authzid", self.authzid)):
            if not isinstance(text, str):
                raise TypeError(f"{what}: expected a text, got {type(text).__name__}")
            # In PLAIN a NUL ends a part, and what follows would pass for the next one.
            if "\0" in text:
                raise ExchangeError(f"{what}: expected no NUL, got one")
            if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
                raise ExchangeError(f"{what}: expected Unicode characters, got half of a surrogate pair")


class Exchange:
    """One run of a mechanism; it cannot be used again. ``challenge`` is what the server sent last."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._unsent: bytes | None = None
        self._refused = False
        self.challenge: bytes | None = None

    def begin(self, *, initial_response: bool = True) -> bytes | None:
        """Return the initial response, None if there is none or the carrier has no room for one."""
        first = next(self._steps)
        if initial_response:
            return first
        if first is not None:
            self.hold(first)
        return None

    def hold(self, response: bytes) -> None:
        """Keep the initial *response*, which turned out to be too long for its place, for the first challenge."""
        self._unsent = response

    def answer(self, challenge: bytes) -> bytes:
        """Return the response to *challenge*; raise ``ExchangeError`` where the mechanism expects none."""
        self.challenge = challenge
        if self._unsent is not None:
            # RFC 4422 §3.3: a mechanism whose client goes first is started by an empty challenge.
            response, self._unsent = self._unsent, None
            return response
        self._refused = True
        try:
            response = self._steps.send(challenge) or b""
        except StopIteration:
            raise ExchangeError("the server sent a challenge where the mechanism was finished") from None
        self._refused = False
        return response

    def conclude(self, data: bytes | None = None) -> None:
        """Take the server's success, with its *data*; raise ``ExchangeError`` if the mechanism is not satisfied."""
        if self._refused:
            raise ExchangeError("the server reported success after a challenge that the mechanism had refused")
        try:
            # Last words that came with the success want no answer of their own.
            if data is None or self._steps.send(data) == b"":
                self._steps.send(None)
        except StopIteration:
            return
        raise ExchangeError("the server reported success before the mechanism was finished")
