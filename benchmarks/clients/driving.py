"""What a client under measurement is told, and the one line of JSON that it tells when all is sent."""

import json
import re
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

SENDER, RECIPIENT = "sender@example.test", "recipient@example.test"
# As every client is told it: none spends time on finding out its own name.
EHLO_NAME = "client.example.test"


class Order(NamedTuple):
    """Send the file's bytes so many times over so many connections to this port of 127.0.0.1."""

    port: int
    connections: int
    count: int
    path: Path

    def shares(self) -> list[int]:
        """How many messages each connection sends."""
        each, rest = divmod(self.count, self.connections)
        return [each + (number < rest) for number in range(self.connections)]


def drive(send: Callable[[Order], int]) -> None:
    """Carry out the command line's order by *send*, which returns how many messages were taken; tell what it cost.

    The clock runs from before the first connection to the last receipt, so neither the interpreter's start nor what
    was imported is counted.
    """
    port, connections, count, path = sys.argv[1:]
    order = Order(int(port), int(connections), int(count), Path(path))
    cpu, began = _cpu_seconds(), time.perf_counter()
    messages = send(order)
    seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    print(json.dumps({"messages": messages, "seconds": seconds, "cpu": cpu, "peak": _peak_bytes()}))


def _cpu_seconds() -> float:
    # The children's, too: a client may be a program of its own.
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def _peak_bytes() -> int:
    # Not ru_maxrss: on Linux a new program begins with the peak of the process that started it.
    found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else 0
