"""The header fields that every message has: who did not give them gets them made."""

from datetime import UTC, datetime
from email.utils import format_datetime
from secrets import token_hex

from ninsho.mail.addresses import a_labels, single
from ninsho.mail.content import crlf
from ninsho.mail.envelope import Envelope
from ninsho.mail.headers import fields
from ninsho.mail.unsendable import Unsendable


def date() -> str:
    """Return the time now (RFC 5322 §3.3), in the zone of this machine."""
    return format_datetime(datetime.now(UTC).astimezone())


def message_id(sender: str) -> str:
    """Make a Message-ID, unique in the domain of *sender*: the name of this machine concerns nobody."""
    return f"<{token_hex(16)}@{a_labels(sender.rpartition('@')[2])}>"


def lacking(header: bytes, sender: str | None) -> bytes:
    """Return the lines that *header* lacks: Date, and Message-ID where a sender gives it a domain."""
    # A last line without an end is one all the same.
    header = crlf(header.removesuffix(b"\n") + b"\n")
    names = {field.name for field in fields(header)}
    dated = b"" if "date" in names else f"Date: {date()}\r\n".encode()
    if "message-id" in names:
        return dated
    try:
        author = single(sender, "sender") if sender else Envelope(header).sender()
        return dated + f"Message-ID: {message_id(author)}\r\n".encode()
    except Unsendable:
        # The server makes one, or refuses the message for the sender that it lacks.
        return dated
