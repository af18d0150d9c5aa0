"""What a listener offers, and how its logins end: all that a reload of the configuration may change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from ninsho.daemon.journal import Journal
from ninsho.daemon.judgement import NO_EXCEPTIONS, Rules
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.user_base import UserBase

BINDING_MINOR = 3  # of the version from which a CONT may ask for channel binding data


@dataclass(frozen=True, slots=True)
class Policy:
    """A listener's mechanisms by name, the user base behind them, and its ways to fail.

    ``failure_delay`` is in seconds, counted from the client's last message. ``on_temporary_failure`` says what a client
    of protocol 1.0 gets: for ``close`` the connection is closed where nothing else is pending on it. ``minor`` is the
    protocol's version to greet with; ``bound`` are the mechanisms for clients that can tell of the end user's channel.
    """

    mechanisms: Mapping[str, Mechanism]
    user_base: UserBase
    journal: Journal
    failure_delay: float = 2.0
    on_temporary_failure: Literal["close", "fail"] = "close"
    minor: int = 2
    rules: Rules = NO_EXCEPTIONS
    bound: Mapping[str, Mechanism] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "bound", _with_bindings(self.mechanisms))


def _with_bindings(mechanisms: Mapping[str, Mechanism]) -> dict[str, Mechanism]:
    return {one.name: one for mechanism in mechanisms.values() for one in mechanism.bound or (mechanism,)}


class Desk:
    """Where a listener's policy lies, to be replaced at any time: it holds for the logins after that."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
