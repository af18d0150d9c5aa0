"""The client's side of a mechanism: a generator which yields responses and receives challenges."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TypeAlias

from ninsho.errors import ExchangeError

Steps: TypeAlias = Generator[bytes | None, bytes | None, None]
"""Yields the initial response first (None: there is none), then a response for each challenge.

The server's success arrives like a last challenge: its data, or None where it came with no data. A mechanism that is
satisfied then returns; one that has not yet had its proof raises ``ExchangeError``.
"""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client logs in with; the password is hidden in its repr."""

    username: str
    password: str = field(default="", repr=False)
    authzid: str = ""


class Exchange:
    """One run of a mechanism; it cannot be used again."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._unsent: bytes | None = None

    def begin(self, *, initial_response: bool = True) -> bytes | None:
        """Return the initial response, None if there is none or the carrier has no room for one."""
        first = next(self._steps)
        if initial_response:
            return first
        self._unsent = first
        return None

    def answer(self, challenge: bytes) -> bytes:
        """Return the response to *challenge*; raise ``ExchangeError`` where the mechanism expects none."""
        if self._unsent is not None:
            # RFC 4422 §3.3: a mechanism whose client goes first is started by an empty challenge.
            response, self._unsent = self._unsent, None
            return response
        try:
            return self._steps.send(challenge) or b""
        except StopIteration:
            raise ExchangeError("the server sent a challenge where the mechanism was finished") from None

    def conclude(self, data: bytes | None = None) -> None:
        """Take the server's success, with its *data*; raise ``ExchangeError`` if the mechanism is not satisfied."""
        try:
            self._steps.send(data)
        except StopIteration:
            return
        raise ExchangeError("the server reported success before the mechanism was finished")
