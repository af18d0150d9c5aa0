"""Taking a message from whatever holds it."""

import os
from email.message import Message
from typing import Any, BinaryIO, TypeAlias

from ninsho.mail.attachments import StreamedMessage, from_streamed
from ninsho.mail.material import Draft, Material, from_octets
from ninsho.mail.streamed import from_file, from_path
from ninsho.mail.terms import Terms

Source: TypeAlias = (
    "Message[Any, Any] | StreamedMessage | Draft | bytes | bytearray | memoryview | os.PathLike[str] | BinaryIO"
)

# In one place, as it is asked for each message: 1 µs less than a union that is made anew.
_KNOWN = (Draft, bytes, bytearray, memoryview, Message, StreamedMessage, os.PathLike)


def refuse_what_is_none(message: object) -> None:
    """Raise ``TypeError`` for what holds no message."""
    if not isinstance(message, _KNOWN) and not hasattr(message, "read"):
        raise TypeError(f"expected a message, bytes, a Path or an open file, got {type(message).__name__}")


def taken(message: Source, terms: Terms) -> Material:
    """Return what *message* comes to; raise ``Unsendable``."""
    # Asked first, and not by a pattern: of these there are the most.
    if isinstance(message, Draft):
        return message.material(terms)
    match message:
        case bytes() | bytearray() | memoryview():
            return from_octets(bytes(message), terms)
        case Message():
            # The standard library's policies take 20 ms to import.
            from ninsho.mail.written import written  # noqa: PLC0415

            return from_octets(written(message, terms), terms)
        case StreamedMessage():
            return from_streamed(message, terms)
        case os.PathLike():
            return from_path(message, terms)
        case _:
            return from_file(message, terms)
