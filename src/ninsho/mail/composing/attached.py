"""The files of ``attach``, in each shape in which they may be told; nothing is read before it is needed."""

import os
from collections.abc import Iterable, Mapping
from email.message import Message
from typing import Any

from ninsho.mail.attachment import Attachment

_OCTETS = (bytes, bytearray, memoryview)


def attached(given: object) -> list[Attachment]:
    """Return the files to send along; raise ``TypeError`` for what names none, ``Unsendable`` for an unfit message.

    One of them or several: a path, an ``Attachment``, a pair of name and octets, a message. A mapping has octets, or
    text, by their names.
    """
    if isinstance(given, Mapping):
        return [Attachment(filename=name, data=data) for name, data in given.items()]
    # Of these some can be gone through, and hold something else than files.
    alone = isinstance(given, (str, *_OCTETS, os.PathLike, Attachment, Message)) or hasattr(given, "read")
    if alone or _is_pair(given) or not isinstance(given, Iterable):
        return [_one(given)]
    return [_one(each) for each in given]


def _is_pair(given: object) -> bool:
    """Tell whether it is a name and what has it; of two texts, both are paths."""
    match given:
        case (str(), bytes() | bytearray() | memoryview()):
            return isinstance(given, tuple)
        case _:
            return False


def _one(given: Any) -> Attachment:  # noqa: ANN401 - whatever was given
    match given:
        case Attachment():
            return given
        case str() | os.PathLike():
            return Attachment(given)
        case Message():
            return _forwarded(given)
        case (name, data) if _is_pair(given):
            return Attachment(filename=name, data=data)
        case _:
            found = "an open file" if hasattr(given, "read") else type(given).__name__
            raise TypeError(f"attach: expected a path, an Attachment, or {{name: octets}}, got {found}")


def _forwarded(message: "Message[Any, Any]") -> Attachment:
    from ninsho.mail.composing.render import render  # noqa: PLC0415 - few messages hold others

    return Attachment(filename="message.eml", content_type="message/rfc822", data=render(message))
