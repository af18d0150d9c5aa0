"""What a connection needs of the world; an event loop or a blocking loop gives it."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeAlias

Done: TypeAlias = Callable[[Any, BaseException | None], None]


class Timer(Protocol):
    """Something under way that can be called off."""

    def cancel(self) -> object:
        """Call it off."""


class Shell(Protocol):
    """What a connection needs of the world."""

    def now(self) -> float:
        """Seconds on a clock that is never put back."""

    def send(self, data: bytes) -> None:
        """Send to the mail server, later if it does not read."""

    def close(self) -> None:
        """Close when everything is sent."""

    def wait(self, awaitable: Awaitable[Any], seconds: float, done: Done) -> Timer:
        """Call *done* with the result or the error of *awaitable*, ``TimeoutError`` after *seconds*."""

    def hold(self, due: float, release: Callable[[], None]) -> Timer:
        """Call *release* at the time *due* or soon after, among others in an order that tells nothing."""
