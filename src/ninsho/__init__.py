"""ninsho (認証, authentication): SMTP authentication, both ends."""

from importlib import import_module

# What type checkers take for typing's; that takes longer to import than all the rest.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from ninsho.client.aio import AsyncClient
    from ninsho.client.one_call import send
    from ninsho.client.receipt import Receipt
    from ninsho.client.sync import Client
    from ninsho.mail.at_hand import AtHand
    from ninsho.mail.attachment import Attachment
    from ninsho.mail.composing.compose import compose
    from ninsho.mail.composing.render import render
    from ninsho.mail.composing.words import Charsets, Unsubscribe
    from ninsho.mail.merging.merge import merge
    from ninsho.mail.message import Options, Recipient, Submission
    from ninsho.mail.wrapping import Wrapping
    from ninsho.sasl.dialogue import Await, Challenge, Denial, Denied, Dialogue, Granted, Identity, Lookup, Verify
    from ninsho.sasl.mechanism import mechanism
    from ninsho.stores.accounts import Request
    from ninsho.stores.hook import store

__all__ = [
    "AsyncClient",
    "AtHand",
    "Attachment",
    "Await",
    "Challenge",
    "Charsets",
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
    "Unsubscribe",
    "Verify",
    "Wrapping",
    "compose",
    "mechanism",
    "merge",
    "render",
    "send",
    "store",
]

__version__ = "0.1.0"


# Loaded when asked for: who sends mail needs no mechanism of a site's own, and who has one needs no client.
_PLACES = {
    **dict.fromkeys(("Submission", "Options", "Recipient"), "ninsho.mail.message"),
    **dict.fromkeys(("Charsets", "Unsubscribe"), "ninsho.mail.composing.words"),
    **dict.fromkeys(
        ("Await", "Challenge", "Denial", "Denied", "Dialogue", "Granted", "Identity", "Lookup", "Verify"),
        "ninsho.sasl.dialogue",
    ),
    "AsyncClient": "ninsho.client.aio",
    "AtHand": "ninsho.mail.at_hand",
    "Attachment": "ninsho.mail.attachment",
    "Client": "ninsho.client.sync",
    "Receipt": "ninsho.client.receipt",
    "Request": "ninsho.stores.accounts",
    "Wrapping": "ninsho.mail.wrapping",
    "compose": "ninsho.mail.composing.compose",
    "mechanism": "ninsho.sasl.mechanism",
    "merge": "ninsho.mail.merging.merge",
    "render": "ninsho.mail.composing.render",
    "send": "ninsho.client.one_call",
    "store": "ninsho.stores.hook",
}


def __dir__() -> list[str]:
    # What is not loaded yet is there all the same.
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    if name not in _PLACES:
        raise AttributeError(f"module 'ninsho' has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)
