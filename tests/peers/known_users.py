"""The users that our server's dialogues know, and both sides of a login with a program that is not ours."""

from collections.abc import Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Protocol

from spoken import Refused

from ninsho.errors import MalformedMessage
from ninsho.sasl.anonymous import ANONYMOUS
from ninsho.sasl.dialogue import (
    Bound,
    BoundChallenge,
    Challenge,
    Compute,
    Decoy,
    Denial,
    Denied,
    Derive,
    Inspect,
    Inspection,
    Lookup,
    PeerName,
    Remark,
    Verdict,
    Verify,
)
from ninsho.sasl.exchange import Credentials, Exchange
from ninsho.sasl.external import EXTERNAL
from ninsho.sasl.mechanism import Mechanism
from ninsho.sasl.registry import clients
from ninsho.sasl.secrets import CramKey, DigestKey, Password, ScramKeys
from ninsho.text import password_candidates

NOTHING: Mapping[str, bytes] = MappingProxyType({})
REALM = "example.test"


# The last two are not offered unless somebody says who may come in by them.
MECHANISMS = clients((EXTERNAL, ANONYMOUS))


def prepared(password: str) -> str:
    return password_candidates(password)[0]


class TheirClient(Protocol):
    """A program that logs in to us."""

    def begin(self) -> bytes | None:
        """Its initial response, if it sends one."""

    def answer(self, challenge: bytes) -> bytes:
        """Its response to *challenge*; raises ``Refused`` where it gives up."""

    def conclude(self, data: bytes | None) -> None:
        """Tell it that it has succeeded, with our last words; raises ``Refused`` where it does not believe that."""


class TheirServer(Protocol):
    """A program that we log in to."""

    def begin(self, mechanism: str, response: bytes | None) -> bytes | None:
        """Its first challenge; None where it is content already. Raises ``Refused``."""

    def answer(self, response: bytes) -> bytes | None:
        """Its next challenge; None where it is content. Raises ``Refused``."""

    def last_words(self) -> bytes | None:
        """What came with its success."""


class KnownUsers:
    """Answers what a dialogue wants to know; passwords are kept in the form *kept_as* where the mechanism can use it."""

    def __init__(
        self,
        passwords: Mapping[str, str],
        *,
        kept_as: type = Password,
        peer_name: str | None = None,
        bindings: Mapping[str, bytes] = NOTHING,
    ) -> None:
        self.passwords = passwords
        self.kept_as = kept_as
        self.peer_name = peer_name
        self.bindings = bindings
        self.remarks: list[str] = []

    def answer(self, want: object) -> object:  # noqa: PLR0911 - one want, one line
        match want:
            case Verify(username, password):
                return username in self.passwords and prepared(self.passwords[username]) == prepared(password)
            case Lookup(username, kinds):
                kind = self.kept_as if self.kept_as in kinds else kinds[0]
                return self.kept(username, kind) if username in self.passwords else None
            case Decoy(username, kind):
                return kind.of(b"nobody's", salt=sha256(username.encode()).digest()[:16], iterations=4096)
            case Derive(password, form):
                return form.of(password.text, salt=form.salt, iterations=form.iterations)
            case Inspect():
                return Inspection(None)
            case PeerName():
                return self.peer_name
            case Remark(text):
                return self.remarks.append(text)
            case Compute(function, arguments):
                return function(*arguments)
        raise TypeError(type(want).__name__)

    def kept(self, username: str, kind: type) -> object:
        """What is stored for the user *username*."""
        password = prepared(self.passwords[username]).encode()
        if kind is DigestKey:
            name, _, realm = username.partition("@")
            return DigestKey.of(name, realm, password.decode())
        return (
            kind.of(password, iterations=4096)
            if issubclass(kind, ScramKeys)
            else (CramKey.of if kind is CramKey else Password)(password)
        )

    def serve(self, mechanism: Mechanism, client: TheirClient) -> Verdict:
        """Let *client* log in to our server's side, and tell it what came of it."""
        dialogue = mechanism.server(client.begin())
        answer: object = None
        while True:
            try:
                want = dialogue.send(answer)
            except StopIteration as end:
                return self._told(client, end.value)
            except MalformedMessage:
                return Denied(Denial.MALFORMED)
            match want:
                case BoundChallenge(data):
                    answer = Bound(client.answer(data), self.bindings.get(want.binding))
                case Challenge(data):
                    answer = client.answer(data)
                case _:
                    answer = self.answer(want)

    def _told(self, client: TheirClient, verdict: Verdict) -> Verdict:
        if not isinstance(verdict, Denied):
            client.conclude(verdict.data)
        return verdict


def log_in(mechanism: Mechanism, credentials: Credentials, server: TheirServer) -> bool:
    """Log in to *server*; raises ``ExchangeError`` where our client's side does not trust it."""
    exchange = Exchange(mechanism.client(credentials))
    try:
        challenge = server.begin(mechanism.name, exchange.begin())
        while challenge is not None:
            challenge = server.answer(exchange.answer(challenge))
    except Refused:
        return False
    exchange.conclude(server.last_words())
    return True
