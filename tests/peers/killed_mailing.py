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

from ninsho.bulk.ledger import Ledger
from ninsho.bulk.states import State

WORKER = Path(__file__).parents[1] / "bulk" / "bulk_worker.py"
PATIENCE = 120.0


@dataclass
class KilledMailing:
    """*count* recipients in *ledger*, sent by *processes* at once; kills come at moments that *seed* decides."""

    ledger: str
    client: Mapping[str, object]
    count: int
    seed: int
    prefix: str
    processes: int = 1
    busy: float = 0.0
    killed: int = 0
    running: list["subprocess.Popen[str]"] = field(default_factory=list)

    def send(self, kills: int) -> None:
        """Send to all, with *kills* SIGKILLs on the way."""
        chance = random.Random(self.seed)
        while self.killed < kills:
            self._start()
            # One in five while the recipients are loaded, and the ledger is put in order after the kills before.
            if chance.random() < 0.2:
                self._kill([chance.uniform(0, 0.3) for _ in self.running], chance)
            else:
                self._kill_those_who_send(kills, chance)
        self._start()
        for process in self.running:
            assert _ended(process) == 0
        # One ended while another one still had rows, which were then given up.
        self.running = []
        self.processes = 1
        self._start()
        assert _ended(self.running[0]) == 0

    def _kill_those_who_send(self, kills: int, chance: random.Random) -> None:
        left = self.count - self._settled()
        for process in self.running:
            assert process.stdout.readline() == "sending\n", f"seed {self.seed}"
        rate = (self.count - left) / self.busy if self.busy > 0.2 else 1000
        # Moments in the time that is left, so that there is enough for all.
        longest = 2 * left / rate / ((kills - self.killed) / self.processes + 2)
        begin = time.monotonic()
        self._kill([chance.uniform(0, longest) for _ in self.running], chance)
        self.busy += time.monotonic() - begin

    def _kill(self, moments: Sequence[float], chance: random.Random) -> None:
        """Kill all that run, each at another moment: those who are left go on."""
        begin = time.monotonic()
        for moment in sorted(moments):
            time.sleep(max(0.0, begin + moment - time.monotonic()))
            victim = chance.choice(self.running)
            assert victim.poll() is None, f"done before kill {self.killed + 1}, with seed {self.seed}"
            victim.send_signal(SIGKILL)
            _ended(victim)
            self.running.remove(victim)
            self.killed += 1

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

    def _settled(self) -> int:
        with Ledger(self.ledger) as ledger:
            counts = ledger.counts(ledger.mailing("news"))
        return self.count - counts[State.WAITING] if sum(counts.values()) else 0

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
