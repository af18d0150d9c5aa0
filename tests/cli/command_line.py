"""How a command ended that ran inside the test's process."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias


class Ended(NamedTuple):
    """The exit status, and what was written."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run: TypeAlias = Callable[..., Ended]
