"""ninsho (認証, authentication): SMTP authentication, both ends."""

from typing import TYPE_CHECKING

from ninsho.sasl.dialogue import Await, Challenge, Denial, Denied, Dialogue, Granted, Identity, Lookup, Verify
from ninsho.sasl.mechanism import mechanism

if TYPE_CHECKING:
    from ninsho.stores.accounts import Request
    from ninsho.stores.hook import store

__all__ = [
    "Await",
    "Challenge",
    "Denial",
    "Denied",
    "Dialogue",
    "Granted",
    "Identity",
    "Lookup",
    "Request",
    "Verify",
    "mechanism",
    "store",
]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # Loaded when asked for: a mechanism of one's own, run by spawn(8), should not wait for what only stores need.
    match name:
        case "Request":
            from ninsho.stores.accounts import Request  # noqa: PLC0415

            return Request
        case "store":
            from ninsho.stores.hook import store  # noqa: PLC0415

            return store
    raise AttributeError(f"module 'ninsho' has no attribute {name!r}")
