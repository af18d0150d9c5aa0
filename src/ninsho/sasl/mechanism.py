"""What a mechanism is: its name, its properties, what it needs from the user base, and its two sides."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Flag, auto
from typing import Any, TypeAlias, cast

from ninsho.sasl.dialogue import Dialogue, Inspect, Lookup, PeerName, Verdict, Verify
from ninsho.sasl.exchange import Credentials, Steps

NAME_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")  # RFC 4422 §3.1: mech-char
CO_GENERATOR = 0x20  # inspect's; importing it takes 10 ms

Server: TypeAlias = Callable[[bytes | None], Dialogue]
Client: TypeAlias = Callable[[Credentials], Steps]
Need: TypeAlias = type[Verify] | type[Lookup[Any]] | type[Inspect] | type[PeerName] | None


class Properties(Flag):
    """What an eavesdropper, a forger or a thief can do with an exchange; in the order of the protocol's words."""

    NONE = 0
    PRIVATE = auto()
    ANONYMOUS = auto()
    PLAINTEXT = auto()
    DICTIONARY = auto()
    ACTIVE = auto()
    FORWARD_SECRECY = auto()
    MUTUAL_AUTH = auto()
    CHANNEL_BINDING = auto()

    @property
    def words(self) -> tuple[str, ...]:
        """The words of a MECH line, such as ``("dictionary", "active")``."""
        return tuple(str(flag.name).lower().replace("_", "-") for flag in Properties if flag in self)


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A mechanism as data.

    ``needs`` is what it asks of the server around it: ``Verify``, ``Lookup`` (then ``secrets`` are the kinds it can
    use), ``Inspect``, ``PeerName``, or nothing. ``vouched``: others than the stores prove who the user is, so the
    account is only looked up. ``binary`` mechanisms have NUL octets in their messages. One that is not ``default`` is
    offered only where the configuration names it. ``bound`` are those that stand in its place on a connection whose
    mail server can tell of the client's channel.
    """

    name: str
    server: Server
    client: Client | None = None
    properties: Properties = Properties.NONE
    needs: Need = None
    secrets: tuple[type, ...] = ()
    binary: bool = False
    default: bool = True
    vouched: bool = False
    bound: tuple["Mechanism", ...] = ()


def mechanism(
    name: str,
    *,
    client: Client | None = None,
    needs: Need = None,
    vouched: bool | None = None,
    **properties: bool,
) -> Callable[[Server | Callable[[bytes | None], Verdict]], Mechanism]:
    """Make a mechanism of one's own from its server side, a generator function, or a function that asks nothing.

    ``@mechanism("OREORE", plaintext=True)`` names it and its properties (the words of a MECH line, with ``_`` for
    ``-``). Its messages may hold any octets. Where it is *vouched*, as it is unless told otherwise where it *needs*
    ``Inspect`` or ``PeerName``, whom it grants must have an account. Raises ``ValueError`` for a name that is not a
    mechanism's (RFC 4422 §3.1), ``TypeError`` for an unknown property.
    """
    if not (0 < len(name) <= 20 and set(name) <= NAME_CHARACTERS):
        raise ValueError(f"mechanism name: expected 1 to 20 characters of A-Z, 0-9, '-' and '_', got {name!r}")
    flags = Properties.NONE
    for word, present in properties.items():
        if word.upper() not in Properties.__members__:
            raise TypeError(f"mechanism {name}: unknown property {word!r}")
        if present:
            flags |= Properties[word.upper()]

    def make(server: Server | Callable[[bytes | None], Verdict]) -> Mechanism:
        looked_up = needs in {Inspect, PeerName} if vouched is None else vouched
        return Mechanism(name, _generator(server), client, flags, needs, binary=True, vouched=looked_up)

    return make


def _generator(server: Server | Callable[[bytes | None], Verdict]) -> Server:
    """A function that asks nothing, and only returns a verdict, made a dialogue."""
    if getattr(server, "__code__").co_flags & CO_GENERATOR:  # noqa: B009 - the type of a callable does not have it
        return cast("Server", server)

    def dialogue(response: bytes | None) -> Dialogue:
        yield from ()
        return cast("Verdict", server(response))

    return dialogue
