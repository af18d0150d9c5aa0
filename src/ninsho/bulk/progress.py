"""How far a run is."""

from dataclasses import dataclass, field

from ninsho.bulk.states import State


@dataclass(slots=True)
class Tally:
    """What has become of messages in this run: how many in each state, in how many *seconds*.

    ``remaining`` are left to this run: no more than its limit.
    """

    states: dict[State, int] = field(default_factory=lambda: dict.fromkeys(State, 0))
    remaining: int = 0
    seconds: float = 0.0

    def __getitem__(self, state: State) -> int:
        return self.states[state]

    @property
    def done(self) -> int:
        """How many have a verdict; those that wait again have none."""
        return sum(self.states.values()) - self.states[State.WAITING]

    @property
    def rate(self) -> float:
        """How many a second."""
        return self.done / self.seconds if self.seconds else 0.0
