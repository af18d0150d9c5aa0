"""Clients that keep what they are given in memory."""

from collections.abc import Mapping

from ninsho.testing.double import Asynchronous, Blocking, Double
from ninsho.testing.received import Received


class _Memory(Double):
    def __init__(self, *, refuse: Mapping[str, str] | None = None) -> None:
        super().__init__(refuse=refuse)
        self.messages: list[Received] = []

    def clear(self) -> None:
        """Forget the messages."""
        self.messages.clear()

    def _keep(self, received: Received) -> None:
        self.messages.append(received)


class MemoryClient(_Memory, Blocking):
    """Stands in for ``Client``: what it is given is in ``messages``, each with its envelope."""


class AsyncMemoryClient(_Memory, Asynchronous):
    """Stands in for ``AsyncClient``: what it is given is in ``messages``, each with its envelope."""
