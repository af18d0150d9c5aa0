"""Choosing a mechanism: what a client tries of that which a server offers, in which order, and why not the rest."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Final, NamedTuple

from ninsho.errors import ConfigurationError, NoMechanism
from ninsho.sasl.exchange import Channel, Credentials
from ninsho.sasl.mechanism import NAME_CHARACTERS, Mechanism, Properties
from ninsho.sasl.registry import clients

PLUS: Final = "-PLUS"  # RFC 5801 §4: how the name of a mechanism that binds the channel ends
NAME_LIMIT = 20  # characters (RFC 4422 §3.1)


class Level(IntEnum):
    """What a mechanism keeps from those who listen, or pose as the server; the words of a required minimum."""

    NOTHING = 0
    # The server, or who poses as it, is told the password or token.
    PLAINTEXT = 1
    # It is told what only helps to guess.
    HIDDEN = 2
    # It has to prove that it knows the password as well.
    MUTUAL = 3
    # On this very connection: nobody stands in between.
    BOUND = 4


class Need(Enum):
    """What a client must have, or say, before a mechanism comes into question."""

    PASSWORD = "a user name and a password"  # noqa: S105 - words of an error
    TOKEN = "a token"  # noqa: S105 - the same
    CERTIFICATE = "a certificate instead of a password or token"
    REQUEST = "to be asked for by name"


class Rank(NamedTuple):
    """One row of the ranking: why a mechanism stands where it stands."""

    name: str
    level: Level
    need: Need
    reason: str


# The first that can be used is tried first. The server's own order means nothing (RFC 4954 §3, RFC 4422 §6.1.2).
RANKING: Final = (
    Rank("EXTERNAL", Level.BOUND, Need.CERTIFICATE, "the TLS handshake has proved who we are; no secret is sent"),
    Rank("OAUTHBEARER", Level.PLAINTEXT, Need.TOKEN, "who gives a token wants it used: it is good for little else"),
    Rank("XOAUTH2", Level.PLAINTEXT, Need.TOKEN, "the same token where the server knows only the form before RFC 7628"),
    # All of these come before any that does not bind the channel: nobody can pass such a login on.
    Rank("SCRAM-SHA-512-PLUS", Level.BOUND, Need.PASSWORD, "the best hash, bound to the channel"),
    Rank("SCRAM-SHA3-512-PLUS", Level.BOUND, Need.PASSWORD, "as good, and slower for us than for who guesses"),
    Rank("SCRAM-SHA-256-PLUS", Level.BOUND, Need.PASSWORD, "RFC 7677, the one that standards ask for"),
    Rank("SCRAM-SHA-1-PLUS", Level.BOUND, Need.PASSWORD, "an old hash, which still holds inside of HMAC"),
    Rank(
        "GSSAPI",
        Level.MUTUAL,
        Need.REQUEST,
        "nothing to guess at, but getting a ticket takes time and may ask the user",
    ),
    Rank("SCRAM-SHA-512", Level.MUTUAL, Need.PASSWORD, "the password is not sent, and the server proves itself"),
    Rank("SCRAM-SHA3-512", Level.MUTUAL, Need.PASSWORD, "as its -PLUS form stands to the others"),
    Rank("SCRAM-SHA-256", Level.MUTUAL, Need.PASSWORD, "as its -PLUS form stands to the others"),
    Rank("SCRAM-SHA-1", Level.MUTUAL, Need.PASSWORD, "as its -PLUS form stands to the others"),
    # With TLS, what would be hidden is hidden already; and these two need no password stored that can be read.
    Rank("PLAIN", Level.PLAINTEXT, Need.PASSWORD, "every server has it; only with TLS, if not told otherwise"),
    Rank("LOGIN", Level.PLAINTEXT, Need.PASSWORD, "the same in more messages, and without a standard"),
    Rank("DIGEST-MD5", Level.HIDDEN, Need.PASSWORD, "the server proves itself, in so many ways that RFC 6331 ended it"),
    Rank("CRAM-MD5", Level.HIDDEN, Need.PASSWORD, "better than the password itself where there is no TLS"),
    Rank("ANONYMOUS", Level.NOTHING, Need.REQUEST, "nobody wants to be nobody by accident"),
)

_RANKS: Final = {rank.name: rank for rank in RANKING}
_PLACES: Final = {rank.name: place for place, rank in enumerate(RANKING)}

REFUSED = 535  # RFC 4954 §6: the credentials are not good
# RFC 4954 §6 and §4: what says nothing about the password, but only about the mechanism. 432: the account has no form
# of the password for it yet; 500: its line is too long; 504: not known; 534: too weak; 538: not without TLS.
NEXT_ONE = frozenset((432, 500, 504, 534, 538))


class Rejected(NamedTuple):
    """A mechanism that the server offers and the client does not try, and why."""

    name: str
    reason: str


class Choice(NamedTuple):
    """The mechanisms to try, the best first, and those not to try."""

    candidates: tuple[Mechanism, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chooser:
    """What a client has and wants on one connection.

    ``tls``: the connection is encrypted; ``certificate``: and was made with a certificate of the client's.
    ``allow_cleartext`` permits to say the password or token without TLS. ``minimum`` is a mechanism or a ``Level`` in
    lower case, below which nothing is tried. ``force`` is the only mechanism to try, ``exclude`` are those never to
    try. ``require_binding`` permits only what binds the channel. ``fall_through``: a refused password is tried by the
    next mechanism as well. ``clients`` are the mechanisms that the client knows.

    Raises ``ConfigurationError`` for a name that is none.
    """

    credentials: Credentials
    tls: bool
    certificate: bool = False
    allow_cleartext: bool = False
    minimum: str | None = None
    force: str | None = None
    exclude: Collection[str] = ()
    require_binding: bool = False
    fall_through: bool = False
    clients: Mapping[str, Mechanism] = field(default_factory=clients, repr=False)

    def __post_init__(self) -> None:
        problems = [
            *_problems("minimum", [self.minimum], [*Level.__members__, *_RANKS]),
            *_problems("force", [self.force], self.clients),
            *_problems("exclude", self.exclude, {**_RANKS, **self.clients}),
        ]
        if problems:
            raise ConfigurationError(problems)

    def choose(self, offered: Iterable[str]) -> Choice:
        """Say what to try of the *offered* names; raise ``NoMechanism``, which says why, where nothing remains."""
        names = normalized(offered)
        obstacles = {name: self._obstacle(name) for name in names}
        usable = {name for name, obstacle in obstacles.items() if obstacle is None}
        # RFC 5802 §6: a client that can bind the channel must, where the server can; else who stands in between needs
        # only to refuse the better form.
        replaced = {name: f"{name}{PLUS} is offered as well" for name in usable if name + PLUS in usable}
        candidates = sorted((self.clients[name] for name in usable - replaced.keys()), key=self._order)
        reasons = ((name, replaced.get(name, obstacle)) for name, obstacle in obstacles.items())
        rejected = tuple(Rejected(name, reason) for name, reason in reasons if reason)
        if not candidates:
            raise NoMechanism(self._explanation(rejected), rejected)
        return Choice(tuple(candidates), rejected)

    def goes_on(self, code: int) -> bool:
        """Whether the next candidate may be tried after the reply *code* to AUTH.

        Not after 535: the same wrong password by each mechanism locks accounts. Not after 454, which is about the
        server, nor after 530, which asks for STARTTLS first: both would be said again. An ``ExchangeError`` ends it
        always, as the server has not proved what it should.
        """
        return code in NEXT_ONE or (self.fall_through and code == REFUSED)

    def _obstacle(self, name: str) -> str | None:
        """Why *name* is out of the question; None if it is not."""
        one, rank = self.clients.get(name), _rank(name)
        if one is None:
            return "not known"
        bound, shown = Properties.CHANNEL_BINDING in one.properties, Properties.PLAINTEXT in one.properties
        reasons = (
            (self.force and name != self.force.upper(), f"only {self.force} is asked for"),
            (name in map(str.upper, self.exclude), "excluded"),
            (self._lacks(rank.need), f"needs {rank.need.value}"),
            (bound and not self.credentials.channel.bindings, "nothing is known to bind the channel by"),
            (shown and not (self.tls or self.allow_cleartext), "no TLS"),
            (self.minimum and _below(rank, self.minimum), f"below {self.minimum}"),
            (self.require_binding and not bound, "does not bind the channel"),
        )
        return next((reason for holds, reason in reasons if holds), None)

    def _lacks(self, need: Need) -> bool:
        mine = self.credentials
        match need:
            case Need.PASSWORD:
                return not (mine.username and mine.password)
            case Need.TOKEN:
                return mine.token is None
            case Need.CERTIFICATE:
                # Who gives a password wants it used: some servers take certificates that they then do not know.
                unused = self.certificate and not mine.password and mine.token is None
                return not (unused or self.force)
            case Need.REQUEST:
                return not self.force

    def _order(self, one: Mechanism) -> tuple[bool, int]:
        """Where *one* stands in the order; without TLS what shows the password comes last."""
        return not self.tls and Properties.PLAINTEXT in one.properties, _place(one.name)

    def _explanation(self, rejected: Iterable[Rejected]) -> str:
        by_reason: dict[str, list[str]] = {}
        for name, reason in rejected:
            by_reason.setdefault(reason, []).append(name)
        # Of these, what was expected says it all.
        others = by_reason.pop(f"only {self.force} is asked for", [])
        groups = [f"{' '.join(names)}: {reason}" for reason, names in by_reason.items()]
        offered = "; ".join(filter(None, [*groups, " ".join(others)]))
        return f"expected {self._wish()}, the server offers {offered or self._nothing()}"

    def _nothing(self) -> str:
        inside = "" if self.tls else "inside TLS, or "
        return f"no AUTH here: perhaps only {inside}on another port (587, 465)"

    def _wish(self) -> str:
        wish = self.force or (f"{self.minimum} or better" if self.minimum else "a mechanism that can be used")
        return f"{wish}, with channel binding" if self.require_binding else wish


def normalized(offered: Iterable[str]) -> tuple[str, ...]:
    """The *offered* names in capitals, each once; what cannot be a name is cut short and escaped, to be shown."""
    names = offered.split() if isinstance(offered, str) else offered
    return tuple(dict.fromkeys(_shown(name.strip()) for name in names if name.strip()))


def channel_for(mechanism: Mechanism, offered: Iterable[str], channel: Channel) -> Channel:
    """The *channel* as *mechanism* must see it: told whether its ``-PLUS`` form was offered (RFC 5802 §6, ``y``).

    *offered* are the names that were seen after TLS began; what was seen before may have been forged.
    """
    return replace(channel, plus_offered=mechanism.name.removesuffix(PLUS) + PLUS in normalized(offered))


def _shown(name: str) -> str:
    capitals = name.upper() if name.isascii() else name
    return capitals if len(name) <= NAME_LIMIT and set(capitals) <= NAME_CHARACTERS else ascii(name[:NAME_LIMIT])


def _problems(place: str, names: Iterable[str | None], expected: Collection[str]) -> list[str]:
    return [
        f"{place}: expected one of {', '.join(expected)}, got {name!r}"
        for name in names
        if name is not None and name.upper() not in expected
    ]


def _rank(name: str) -> Rank:
    return _RANKS.get(name) or Rank(name, Level.NOTHING, Need.REQUEST, "a mechanism of one's own")


def _below(rank: Rank, minimum: str) -> bool:
    """Whether *rank* is of a lower level than *minimum*, or of the same and stands behind it."""
    if floor := _RANKS.get(minimum.upper()):
        return rank.level < floor.level or (rank.level == floor.level and _place(rank.name) > _place(floor.name))
    return rank.level < Level[minimum.upper()]


def _place(name: str) -> int:
    return _PLACES.get(name, len(RANKING))
