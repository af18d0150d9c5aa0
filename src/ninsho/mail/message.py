"""Making a message ready to be submitted: its envelope, its options and its octets, fit for one server."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ninsho.mail.addresses import mailboxes, quoted, read, same
from ninsho.mail.attachment import Attachment
from ninsho.mail.attachments import StreamedMessage
from ninsho.mail.envelope import Envelope
from ninsho.mail.headers import message_id
from ninsho.mail.material import Material, from_octets
from ninsho.mail.options import (
    NO_OPTIONS,
    Dotted,
    Options,
    Recipient,
    mail_parameters,
    quotes_dotted,
    rcpt_parameters,
)
from ninsho.mail.sources import Source, refuse_what_is_none, taken
from ninsho.mail.terms import Terms
from ninsho.mail.unsendable import ContentChanged, Unsendable
from ninsho.wire.ehlo import Capabilities

if TYPE_CHECKING:
    from ninsho.mail.content import Content

__all__ = [
    "Attachment",
    "ContentChanged",
    "Options",
    "Prepared",
    "Preparer",
    "Recipient",
    "Source",
    "StreamedMessage",
    "Submission",
    "Unsendable",
    "prepare",
]


@dataclass(frozen=True, slots=True)
class Submission:
    """A message, and for whom it is; what is not given stands in the message.

    *sender* may be empty: the null sender ``<>`` of bounces. *recipients* are addresses, each alone, with or without a
    display name; one string is read as a To line is. A ``str`` is no *message*: encode it, or wrap a file's name in
    ``Path``. An open file is read from its beginning, perhaps several times, and must stay open until it is sent.
    Raises ``TypeError`` for what is no message.
    """

    message: Source = field(repr=False)
    sender: str | None = None
    recipients: Sequence[str | Recipient] | None = None
    options: Options = NO_OPTIONS

    def __post_init__(self) -> None:
        if type(self.message) is not bytes:
            refuse_what_is_none(self.message)


# What takes any message: 8-bit, binary, in UTF-8.
EVERYTHING = Capabilities("", dict.fromkeys(("8BITMIME", "BINARYMIME", "CHUNKING", "SMTPUTF8"), ()))


class Prepared:
    """A message ready for one server: whole command lines, and content."""

    __slots__ = ("content", "mail", "message_id", "rcpts", "recipients", "sender")

    def __init__(  # noqa: PLR0913 - one for each of its slots
        self,
        *,
        sender: str,
        recipients: tuple[str, ...],
        message_id: str,
        mail: bytes,
        rcpts: list[bytes],
        content: "Content",
    ) -> None:
        self.sender = sender
        self.recipients = recipients
        self.message_id = message_id
        self.mail = mail
        self.rcpts = rcpts
        self.content = content


def prepare(submission: Submission, capabilities: "Capabilities", *, chunking: bool) -> Prepared:
    """Make one message ready; raise ``Unsendable``. For many of them on one connection keep a ``Preparer``."""
    return Preparer(capabilities, chunking=chunking).prepare(submission)


def envelope(submission: Submission) -> tuple[str, tuple[str, ...]]:
    """Return who a message is from and for, whatever server it goes to; raise ``Unsendable``."""
    prepared = Preparer(EVERYTHING, chunking=True).prepare(submission)
    return prepared.sender, prepared.recipients


def addressed(submission: Submission) -> tuple[str, tuple[str, ...], str]:
    """Return who a message is from and for, and its Message-ID, as far as that can be told without a server."""
    try:
        prepared = Preparer(EVERYTHING, chunking=True).prepare(submission)
    except Exception:  # noqa: BLE001 - it is for a receipt, which has another reason already
        told = submission.recipients or ()
        names = (told,) if isinstance(told, str) else tuple(map(str, told))
        return str(submission.sender or ""), names, ""
    return prepared.sender, prepared.recipients, prepared.message_id


class Preparer:
    """Makes messages ready for one connection; *chunking* says whether their octets go by BDAT.

    *dotted* is how addresses with odd dots go where their options do not say it.
    """

    def __init__(self, capabilities: "Capabilities", *, chunking: bool, dotted: Dotted = "raw") -> None:
        self._terms = Terms.of(capabilities, chunking=chunking)
        self._quotes = quotes_dotted(dotted)
        # Many messages in a row are from one sender.
        self._sender: tuple[str, str, bytes] = ("", "", b"")

    def prepare(self, submission: Submission) -> Prepared:
        """Make a message ready; raise ``Unsendable`` with what stands against it."""
        message = submission.message
        # Bytes are what is sent by the thousand.
        material = from_octets(message, self._terms) if type(message) is bytes else taken(message, self._terms)
        sender, recipients = _envelope(submission, material.header)
        if sender != self._sender[0]:
            self._sender = (sender, *_reverse_path(sender))
        _, sender, reverse_path = self._sender
        quotes = self._quotes if submission.options is NO_OPTIONS else self._quotes_dotted(submission.options)
        if quotes:
            reverse_path = quoted(reverse_path)
        rcpts = self._rcpts(recipients, submission.options, quotes=quotes)
        utf8 = material.utf8 or not (reverse_path.isascii() and all(map(bytes.isascii, rcpts)))
        parameters = self._parameters(material, submission.options, utf8=utf8, quotes=quotes)
        return Prepared(
            sender=sender,
            recipients=tuple(rcpts.values()),
            message_id=message_id(material.header) if material.message_id is None else material.message_id,
            mail=b"MAIL FROM:<%b>%b\r\n" % (reverse_path, parameters),
            rcpts=list(rcpts),
            content=material.content,
        )

    def _quotes_dotted(self, options: Options) -> bool:
        return self._quotes if options.dotted is None else quotes_dotted(options.dotted)

    def _rcpts(self, recipients: Iterable[str | Recipient], options: Options, *, quotes: bool) -> dict[bytes, str]:
        """Return the lines of RCPT and the addresses that they are for, each address once."""
        if options is NO_OPTIONS and type(recipients) is tuple and len(recipients) == 1 and type(recipients[0]) is str:
            # Most messages: half the time that it takes below.
            address, forward_path = read(recipients[0], "recipient")
            return {b"RCPT TO:<%b>\r\n" % (quoted(forward_path) if quotes else forward_path): address}
        lines: dict[bytes, tuple[bytes, str]] = {}
        for recipient in recipients:
            given = recipient.address if isinstance(recipient, Recipient) else recipient
            if not isinstance(given, str):
                raise Unsendable(f"recipients: expected addresses, got {type(given).__name__}")
            address, forward_path = read(given, "recipient")
            if quotes:
                forward_path = quoted(forward_path)
            parameters = b""
            if options is not NO_OPTIONS or not isinstance(recipient, str):
                parameters = rcpt_parameters(recipient, options, self._terms).encode()
            lines.setdefault(same(forward_path), (b"RCPT TO:<%b>%b\r\n" % (forward_path, parameters), address))
        if not lines:
            raise Unsendable("expected recipients, got none")
        return dict(lines.values())

    def _parameters(self, material: Material, options: Options, *, utf8: bool, quotes: bool) -> bytes:
        parameters = material.body
        if self._terms.size:
            parameters = b" SIZE=%d" % self._size(material.content.size) + parameters
        if utf8:
            parameters += self._smtputf8()
        if options is not NO_OPTIONS:
            parameters += mail_parameters(options, self._terms, quotes=quotes).encode()
        return parameters

    def _size(self, size: int) -> int:
        limit = self._terms.size_limit
        if limit is not None and size > limit:
            raise Unsendable(f"expected a message of at most {limit} octets, as the server says, got one of {size}")
        return size

    def _smtputf8(self) -> bytes:
        if not self._terms.utf8:
            raise Unsendable("expected a server that offers SMTPUTF8 for an address that is not ASCII, got one without")
        return b" SMTPUTF8"


def _reverse_path(sender: str) -> tuple[str, bytes]:
    """Return the address of a sender, and its path."""
    if not isinstance(sender, str):
        raise Unsendable(f"sender: expected an address, got {type(sender).__name__}")
    return ("", b"") if sender in ("", "<>") else read(sender, "sender")


def _envelope(submission: Submission, header: bytes) -> tuple[str, Iterable[str | Recipient]]:
    """Return what is given, and what the header says where nothing is."""
    sender, recipients = submission.sender, submission.recipients
    if sender is not None and type(recipients) is tuple:
        return sender, recipients
    if sender is None or recipients is None:
        named = Envelope(header)
        sender = named.sender() if sender is None else sender
        recipients = named.recipients() if recipients is None else recipients
    if not hasattr(recipients, "__iter__"):
        raise Unsendable(f"recipients: expected addresses, got {type(recipients).__name__}")
    return sender, mailboxes(recipients, "recipients") if isinstance(recipients, str) else recipients
