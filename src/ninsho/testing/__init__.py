"""For tests of programs that send mail: a real local server, clients that send nothing, fixtures for pytest."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ninsho.testing.certificates import Certificate
    from ninsho.testing.faults import Cut, Fault
    from ninsho.testing.mailboxes import (
        AsyncEchoClient,
        AsyncMaildirClient,
        AsyncMboxClient,
        EchoClient,
        MaildirClient,
        MboxClient,
    )
    from ninsho.testing.memory import AsyncMemoryClient, MemoryClient
    from ninsho.testing.received import Received
    from ninsho.testing.server import MailServer

__all__ = [
    "AsyncEchoClient",
    "AsyncMaildirClient",
    "AsyncMboxClient",
    "AsyncMemoryClient",
    "Certificate",
    "Cut",
    "EchoClient",
    "Fault",
    "MailServer",
    "MaildirClient",
    "MboxClient",
    "MemoryClient",
    "Received",
]

_PLACES = {
    "AsyncEchoClient": "mailboxes",
    "AsyncMaildirClient": "mailboxes",
    "AsyncMboxClient": "mailboxes",
    "AsyncMemoryClient": "memory",
    "Certificate": "certificates",
    "Cut": "faults",
    "EchoClient": "mailboxes",
    "Fault": "faults",
    "MailServer": "server",
    "MaildirClient": "mailboxes",
    "MboxClient": "mailboxes",
    "MemoryClient": "memory",
    "Received": "received",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: pytest imports the plugin, and so this package, at the start of every run.
    if name not in _PLACES:
        raise AttributeError(f"module 'ninsho.testing' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(f"ninsho.testing.{_PLACES[name]}"), name)
