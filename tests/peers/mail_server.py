"""A running mail server as a test sees it: where it is, who may log in and how, and what has arrived."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex

from mailboxes import Arrival, for_recipient

from ninsho.cli.throwaway import DOMAIN, ThrowawayProgram

USER = f"tim@{DOMAIN}"
# No program may stumble over these.
PASSWORD = 'tan"staaf=, \\%$'
# Whose mail fits nowhere.
FULL = f"full@{DOMAIN}"
# Machines that run tests are busy.
PATIENCE = 30.0


class _Receiver:
    """What has a mailbox, and a program behind it."""

    mailbox: Callable[[], list[Arrival]]
    program: ThrowawayProgram

    def arrived(self, recipient: str, *, count: int = 1) -> list[Arrival]:
        """Return what came for *recipient*, once that is at least *count* messages."""
        return self.program.wait_for(
            lambda: found if len(found := for_recipient(recipient, self.mailbox())) >= count else None,
            what=f"{count} messages for {recipient}",
            timeout=PATIENCE,
        )


@dataclass(frozen=True)
class MailServer(_Receiver):
    """A running server; ``port`` offers STARTTLS and ``tls_port`` speaks TLS from its first byte.

    Each of ``mechanisms`` takes the password, and each of ``with_tokens`` what ``token`` makes. With ``recipient`` a
    test has an address of its own, and with ``arrived`` what came there.
    """

    name: str
    port: int
    tls_port: int
    ca: Path
    mechanisms: tuple[str, ...]
    mailbox: Callable[[], list[Arrival]]
    program: ThrowawayProgram
    host: str = "localhost"
    username: str = USER
    password: str = field(default=PASSWORD, repr=False)
    with_tokens: tuple[str, ...] = ()
    token: Callable[[], str] | None = None

    def recipient(self) -> str:
        """Return an address that nobody else writes to."""
        return f"r{token_hex(6)}@{DOMAIN}"


@dataclass(frozen=True)
class LmtpServer(_Receiver):
    """A running LMTP server on ``port`` and on ``socket``: ``known`` has room, ``full`` has none, ``unknown`` is nobody."""

    port: int
    socket: Path
    ca: Path
    mailbox: Callable[[], list[Arrival]]
    program: ThrowawayProgram
    host: str = "localhost"
    known: tuple[str, ...] = (USER, f"ann@{DOMAIN}")
    full: str = FULL
    unknown: str = f"nobody@{DOMAIN}"
