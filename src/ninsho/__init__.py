"""ninsho (認証, authentication): SMTP authentication, both ends."""

from importlib import import_module
from typing import TYPE_CHECKING

from ninsho.sasl.dialogue import Await, Challenge, Denial, Denied, Dialogue, Granted, Identity, Lookup, Verify
from ninsho.sasl.mechanism import mechanism

if TYPE_CHECKING:
    from ninsho.client.aio import AsyncClient
    from ninsho.client.receipt import Receipt
    from ninsho.client.sync import Client
    from ninsho.mail.message import Options, Recipient, Submission
    from ninsho.stores.accounts import Request
    from ninsho.stores.hook import store

__all__ = [
    "AsyncClient",
    "Await",
    "Challenge",
    "Client",
    "Denial",
    "Denied",
    "Dialogue",
    "Granted",
    "Identity",
    "Lookup",
    "Options",
    "Receipt",
    "Recipient",
    "Request",
    "Submission",
    "Verify",
    "mechanism",
    "store",
]

__version__ = "0.1.0"


# Loaded when asked for: a mechanism of one's own, run by spawn(8), should not wait for what only others need.
_PLACES = {
    "AsyncClient": "ninsho.client.aio",
    "Client": "ninsho.client.sync",
    "Options": "ninsho.mail.message",
    "Receipt": "ninsho.client.receipt",
    "Recipient": "ninsho.mail.message",
    "Request": "ninsho.stores.accounts",
    "Submission": "ninsho.mail.message",
    "store": "ninsho.stores.hook",
}


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'ninsho' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
