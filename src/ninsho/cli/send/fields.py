"""The header fields that every message has: who did not give them gets them made."""

from ninsho.mail.addresses import single
from ninsho.mail.composing.header import date
from ninsho.mail.composing.identifiers import message_id_for
from ninsho.mail.content import crlf
from ninsho.mail.envelope import Envelope
from ninsho.mail.headers import fields
from ninsho.mail.unsendable import Unsendable


def lacking(header: bytes, sender: str | None) -> bytes:
    """Return the lines that *header* lacks: Date, and Message-ID where a sender gives it a domain."""
    # A last line without an end is one all the same.
    header = crlf(header.removesuffix(b"\n") + b"\n")
    names = {field.name for field in fields(header)}
    dated = b"" if "date" in names else f"Date: {date(None)}\r\n".encode()
    if "message-id" in names:
        return dated
    try:
        author = single(sender, "sender") if sender else Envelope(header).sender()
        return dated + f"Message-ID: {message_id_for(author)}\r\n".encode()
    except Unsendable:
        # The server makes one, or refuses the message for the sender that it lacks.
        return dated
