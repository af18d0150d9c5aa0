"""What a server has received, and what it has to say against how that was sent."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from threading import Condition


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message that the server has taken, and its envelope.

    ``content`` is the message as the client meant it: without the dots of DATA. ``mail_parameters`` are those behind
    MAIL, ``rcpt_parameters`` those behind each RCPT, by its address; keywords in capitals, empty where there is no
    value. ``mechanism`` and ``username`` are None without a login, ``tls`` is None without TLS. ``connection`` counts
    from 1.
    """

    sender: str
    recipients: tuple[str, ...]
    content: bytes = field(repr=False)
    mail_parameters: Mapping[str, str] = field(default_factory=dict)
    rcpt_parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    mechanism: str | None = None
    username: str | None = None
    tls: str | None = None
    hello: str = ""
    connection: int = 0
    queue_id: str = ""

    @property
    def message(self) -> EmailMessage:
        """The message, parsed; its text has line feeds for line ends, as it had when it was composed."""
        binary = self.mail_parameters.get("BODY", "").upper() == "BINARYMIME"
        content = self.content if binary else self.content.replace(b"\r\n", b"\n")
        return message_from_bytes(content, EmailMessage, policy=default)


class Ledger:
    """What all connections have brought: ``messages``, ``violations`` by the clients, ``errors`` of our own."""

    def __init__(self) -> None:
        self.messages: list[Received] = []
        self.violations: list[str] = []
        self.errors: list[Exception] = []
        self._arrival = Condition()

    def keep(self, received: Received) -> None:
        """Take a message, and tell those who wait for it."""
        with self._arrival:
            self.messages.append(received)
            self._arrival.notify_all()

    def wait_for(self, count: int, timeout: float) -> list[Received]:
        """Return the messages once there are *count*; raise ``TimeoutError``, which says how many there are."""
        deadline = time.monotonic() + timeout
        with self._arrival:
            while len(self.messages) < count:
                if not self._arrival.wait(max(deadline - time.monotonic(), 0)):
                    raise TimeoutError(f"expected {count} messages within {timeout:g} s, got {len(self.messages)}")
            return list(self.messages)

    def clear(self) -> None:
        """Forget everything."""
        with self._arrival:
            self.messages.clear()
            self.violations.clear()
            self.errors.clear()
