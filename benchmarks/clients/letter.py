"""The letter that each recipient gets with values of their own, read from JSON as clients in any language can."""

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Letter(NamedTuple):
    """What it says, with ``{name}`` and ``{points}`` where values stand; *file* is sent along, unless it is empty."""

    author: str
    sender: str
    subject: str
    text: str
    filename: str
    file: bytes

    @classmethod
    def read(cls, path: Path) -> "Letter":
        """Read it from a file."""
        told = json.loads(path.read_text())
        return cls(**{**told, "file": b64decode(told["file"])})


def rows(count: int) -> Iterator[Mapping[str, object]]:
    """Give that many recipients, one at a time; the clients in JavaScript do alike."""
    for number in range(count):
        yield {"name": f"山田{number}郎", "email": f"r{number}@example.test", "points": number * 37 % 10_000}
