"""What a listener offers, and how its logins end: all that a reload of the configuration may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ninsho.daemon.journal import Journal
from ninsho.sasl.mechanism import Mechanism
from ninsho.stores.user_base import UserBase


@dataclass(frozen=True, slots=True)
class Policy:
    """A listener's mechanisms by name, the user base behind them, and its ways to fail.

    ``failure_delay`` is in seconds, counted from the client's last message. ``on_temporary_failure`` says what a client
    of protocol 1.0 gets: for ``close`` the connection is closed where nothing else is pending on it.
    """

    mechanisms: Mapping[str, Mechanism]
    user_base: UserBase
    journal: Journal
    failure_delay: float = 2.0
    on_temporary_failure: Literal["close", "fail"] = "close"
    minor: int = 2


class Desk:
    """Where a listener's policy lies, to be replaced at any time: it holds for the logins after that."""

    __slots__ = ("policy",)

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
