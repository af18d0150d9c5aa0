"""A mailing whose processes are killed at random moments and started again, until nobody waits any more."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from signal import SIGKILL

from sqlalchemy import select

from ninsho.bulk.ledger import Ledger
from ninsho.bulk.states import State
from ninsho.bulk.tables import runs

WORKER = Path(__file__).parents[1] / "bulk" / "bulk_worker.py"
PATIENCE = 120.0
# The part of the recipients who are settled by the last kill; what the ledger hears late is in the rest.
REACH = 0.8


@dataclass
class KilledMailing:
    """*count* recipients in *ledger*, sent by *processes* at once; kills come as the mailing goes on.

    How far it has come decides when, not the time: so many kills find something to kill however fast the machine is.
    *seed* decides how far; ``amid`` is how many came while messages went out.
    """

    ledger: str
    client: Mapping[str, object]
    count: int
    seed: int
    prefix: str
    processes: int = 1
    killed: int = 0
    amid: int = 0
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def send(self, kills: int) -> None:
        """Send to all, with *kills* SIGKILLs on the way."""
        chance = random.Random(self.seed)
        with Ledger(self.ledger) as book:
            while self.killed < kills:
                self._start()
                # One in five while the recipients are loaded, and the ledger is put in order after the kills before.
                if chance.random() < 0.2 or self._settled(book) == self.count:
                    self._kill_those_who_load(kills, chance)
                else:
                    self._kill_those_who_send(book, kills, chance)
        assert self.amid >= kills // 4, f"only {self.amid} kills while messages went out, with seed {self.seed}"
        self._start()
        for process in self.running:
            assert _ended(process) == 0
        # One ended while another one still had rows, which were then given up.
        self.running = []
        self.processes = 1
        self._start()
        assert _ended(self.running[0]) == 0

    def _kill_those_who_load(self, kills: int, chance: random.Random) -> None:
        while self.running and self.killed < kills:
            time.sleep(chance.uniform(0, 0.15))
            self._kill(chance)

    def _kill_those_who_send(self, book: Ledger, kills: int, chance: random.Random) -> None:
        """Kill all that run, each when so many more are settled: those who are left go on."""
        while self.running and self.killed < kills:
            planned = REACH * self.count * (self.killed + chance.random()) / kills
            self._await(book, max(planned, self._settled(book) + 1))
            # The ledger learns of a batch at once: a kill may also come in the midst of one.
            time.sleep(chance.uniform(0, 0.01))
            self.amid += self._kill(chance)

    def _await(self, book: Ledger, target: float) -> None:
        """Wait until *target* recipients are settled, or a process is done before that."""
        deadline = time.monotonic() + PATIENCE
        while self._settled(book) < target and all(process.poll() is None for process in self.running):
            assert time.monotonic() < deadline, f"{self._settled(book)} of {target:.0f} settled, with seed {self.seed}"
            time.sleep(0.002)

    def _kill(self, chance: random.Random) -> bool:
        """Kill one; False where it was done before: another one is killed in its place."""
        victim = chance.choice(self.running)
        self.running.remove(victim)
        victim.send_signal(SIGKILL)
        status = _ended(victim)
        assert status in (0, -SIGKILL), f"exit status {status}, with seed {self.seed}"
        self.killed += status != 0
        return status != 0

    def _start(self) -> None:
        """Start processes until there are as many as there should be, and they have begun."""
        told = json.dumps(
            {"ledger": self.ledger, "client": dict(self.client), "count": self.count, "prefix": self.prefix}
        )
        new = [
            subprocess.Popen([sys.executable, str(WORKER), told], stdout=subprocess.PIPE, text=True)
            for _ in range(self.processes - len(self.running))
        ]
        for process in new:
            assert process.stdout.readline() == "loading\n"
        self.running += new

    def _settled(self, book: Ledger) -> int:
        counts = book.counts(book.mailing("news"))
        return sum(counts.values()) - counts[State.WAITING] - counts[State.SENDING]

    def stop(self) -> None:
        for process in self.running:
            process.kill()
            _ended(process)


def _ended(process: "subprocess.Popen[str]") -> int:
    with process:
        return process.wait(PATIENCE)


def outcome(ledger: str) -> dict[State, list[str]]:
    """The addresses in each state."""
    with Ledger(ledger) as opened:
        found: dict[State, list[str]] = {state: [] for state in State}
        for one in opened.recipients(opened.find()):
            found[one.state].append(one.address)
        return found


def unburied(ledger: str) -> list[str]:
    """The notes of runs that have not ended."""
    with Ledger(ledger) as opened:
        notes = select(runs.c.notes).where(runs.c.ended_at.is_(None))
        return opened.database.read(lambda connection: list(connection.scalars(notes)))


def expect_one_each(ledger: str, count: int, arrived: Callable[[], Sequence[str]], resting: Callable[[], bool]) -> int:
    """Expect one message for everybody, none or one for the unknown ones; return how many these are."""
    states = outcome(ledger)
    accepted, unknown = set(states[State.ACCEPTED]), set(states[State.UNKNOWN])
    assert {
        state: len(some) for state, some in states.items() if some and state not in (State.ACCEPTED, State.UNKNOWN)
    } == {}
    assert len(accepted) + len(unknown) == count
    deadline = time.monotonic() + PATIENCE
    while not (resting() and len(arrived()) >= len(accepted)):
        assert time.monotonic() < deadline, f"{len(arrived())} of {len(accepted)} have arrived"
        time.sleep(0.05)
    boxes = Counter(arrived())
    assert [address for address in accepted if boxes[address] != 1] == []
    assert [address for address in unknown if boxes[address] > 1] == []
    assert boxes.keys() <= accepted | unknown
    return len(unknown)
