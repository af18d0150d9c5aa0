"""What can go wrong while mail is submitted; each also one of smtplib's errors where one fits.

::

    ClientError                  .temporary, .permanent: whether the same may succeed later
    ├── ConnectionFailed         no server could be reached; every address tried, and why not
    ├── ConnectionLost           (SMTPServerDisconnected) closed, or silent for too long
    ├── Desynchronized           (SMTPServerDisconnected) the server said something that nobody asked for
    ├── TLSFailed                no TLS, or not with the right server: what to do stands in the message
    ├── NotOffered               (SMTPNotSupportedError) the server lacks what was asked for
    ├── ServerUnproven           the server let us in, and has not proved what the mechanism has it prove
    ├── Refused                  (SMTPResponseException) a reply that says no: .reply
    │   ├── GreetingRefused      (SMTPConnectError)
    │   ├── HelloRefused         (SMTPHeloError)
    │   ├── AuthenticationFailed (SMTPAuthenticationError) .refusal: what a server has against a token
    │   ├── SenderRefused        (SMTPSenderRefused)
    │   └── ContentRefused       (SMTPDataError)
    ├── RecipientsRefused        (SMTPRecipientsRefused) nobody may have it
    └── OutcomeUnknown           (SMTPServerDisconnected) cut after the whole message was sent: it may have been taken

The five that tell of a message have its ``receipt``. No text holds a password, a token or a SASL message.
"""

import smtplib
from typing import TYPE_CHECKING

from ninsho.errors import ClientError

if TYPE_CHECKING:
    from ninsho.sasl.oauth import Refusal
    from ninsho.wire.smtp import Reply


__all__ = [
    "AuthenticationFailed",
    "ClientError",
    "ConnectionFailed",
    "ConnectionLost",
    "ContentRefused",
    "Desynchronized",
    "GreetingRefused",
    "HelloRefused",
    "NotOffered",
    "OutcomeUnknown",
    "RecipientsRefused",
    "Refused",
    "SenderRefused",
    "ServerUnproven",
    "TLSFailed",
]


class ConnectionFailed(ClientError, OSError):
    """No server could be reached; ``attempts`` are the addresses tried, each with its reason."""

    def __init__(self, attempts: "list[tuple[str, str]]", *, temporary: bool = True) -> None:
        self.attempts = attempts
        self.temporary = temporary
        super().__init__("; ".join(f"{place}: {reason}" for place, reason in attempts) or "no server to connect to")


class ConnectionLost(ClientError, smtplib.SMTPServerDisconnected):
    """The connection was closed, or silent for too long, where a reply was expected."""


class Desynchronized(ClientError, smtplib.SMTPServerDisconnected):
    """The server said what nobody asked for, or what is no reply: nothing that it says can be trusted any more."""


class TLSFailed(ClientError, OSError):
    """TLS could not be had, or not with the right server."""

    def __init__(self, what: str, *, temporary: bool = False) -> None:
        self.temporary = temporary
        super().__init__(what)


class NotOffered(ClientError, smtplib.SMTPNotSupportedError):
    """The server does not offer what was asked for."""

    temporary = False


class ServerUnproven(ClientError, smtplib.SMTPException):
    """The mechanism is not satisfied with the server, as one that does not know the password: do not trust it."""

    temporary = False


class Refused(ClientError, smtplib.SMTPResponseException):
    """The server said no; ``reply`` is what it said."""

    def __init__(self, what: str, reply: "Reply") -> None:
        self.what = what
        self.reply = reply
        self.temporary = not reply.permanent
        # Not super(): between here and there stand classes of smtplib's which want something else.
        smtplib.SMTPResponseException.__init__(self, reply.code, reply.text.encode())

    @property
    def enhanced_code(self) -> str:
        """The enhanced status code (RFC 3463), such as ``5.7.8``; empty where there is none."""
        return self.reply.enhanced_code

    def __str__(self) -> str:
        return f"{self.what}: {self.reply}"


class GreetingRefused(Refused, smtplib.SMTPConnectError):
    """The server does not want to serve us now."""


class HelloRefused(Refused, smtplib.SMTPHeloError):
    """The server took neither EHLO nor HELO."""


class AuthenticationFailed(Refused, smtplib.SMTPAuthenticationError):
    """The server did not let us in; ``mechanism`` was tried last, ``refusal`` is what was said against a token."""

    def __init__(self, what: str, reply: "Reply", *, mechanism: str = "", refusal: "Refusal | None" = None) -> None:
        super().__init__(what, reply)
        self.mechanism = mechanism
        self.refusal = refusal

    def __str__(self) -> str:
        known = self.refusal._asdict() if self.refusal else {}
        said = ", ".join(f"{name} {value!r}" for name, value in known.items() if value)
        return f"{super().__str__()}{f' ({said})' if said else ''}"


class SenderRefused(Refused, smtplib.SMTPSenderRefused):
    """The server does not take mail from this sender."""

    def __init__(self, what: str, reply: "Reply", sender: str) -> None:
        super().__init__(what, reply)
        self.sender = sender


class ContentRefused(Refused, smtplib.SMTPDataError):
    """The server did not take the message itself."""


class RecipientsRefused(ClientError, smtplib.SMTPRecipientsRefused):
    """Nobody may have the message; ``recipients`` maps each address to code and text, as smtplib has it."""

    def __init__(self, replies: "dict[str, Reply]") -> None:
        self.replies = replies
        self.temporary = any(reply.temporary for reply in replies.values())
        smtplib.SMTPRecipientsRefused.__init__(
            self, {address: (reply.code, reply.text.encode()) for address, reply in replies.items()}
        )

    def __str__(self) -> str:
        return "; ".join(f"{address}: {reply}" for address, reply in self.replies.items())


class OutcomeUnknown(ClientError, smtplib.SMTPServerDisconnected):
    """The connection broke after the whole message had been sent: the server may have taken it, or not."""

    # Whether to send it again, and perhaps twice, is the caller's to decide.
    temporary = False
