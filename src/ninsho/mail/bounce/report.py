"""What a bounce says: one report for each recipient."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Action: TypeAlias = Literal["failed", "delayed", "delivered", "relayed", "expanded"]
"""What became of the message (RFC 3464 §2.3.3)."""

# RFC 3463 §3.2 and RFC 7505 §4: nobody can be reached there, whatever is sent.
_NO_SUCH_ADDRESS: Final = frozenset(("5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the message for one *recipient*.

    *original_recipient* is whom the sender had named, where the message went on from there. *status* is an enhanced
    status code (RFC 3463), the most exact that was told; it may be one that the words told. *diagnosis* is what was
    said, in one line; *remote_mta* the host that said it. All but *recipient* and *action* may be empty.
    """

    recipient: str
    original_recipient: str = ""
    action: Action = "failed"
    status: str = ""
    diagnosis: str = ""
    remote_mta: str = ""

    @property
    def permanent(self) -> bool:
        """Whether the same will fail again: it failed, and not for a reason that may pass."""
        return self.action == "failed" and not self.status.startswith("4")

    @property
    def temporary(self) -> bool:
        """Whether the same may succeed later: it is still tried, or was given up for a reason that may pass."""
        return self.action == "delayed" or (self.action == "failed" and self.status.startswith("4"))

    @property
    def no_such_address(self) -> bool:
        """Whether the address itself is wrong: nothing should be sent there again."""
        return self.permanent and self.status in _NO_SUCH_ADDRESS


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A message about a message: *reports* on its recipients, and what is known of it.

    *message_id* and *original_sender* are the original's, *envelope_id* what ENVID said (RFC 3461 §4.4); *returned_to*
    is the address that the bounce came to, which may have been made by ``verp``: *verp* is then the recipient that it
    names. *reporting_mta* wrote it, in the *form* named: ``rfc3464``, ``postfix``, ``exim``, ``qmail`` and so on. All
    but *reports* and *form* may be empty.
    """

    reports: tuple[Report, ...]
    form: str
    message_id: str = ""
    original_sender: str = ""
    envelope_id: str = ""
    reporting_mta: str = ""
    returned_to: str = ""
    verp: str = ""

    @property
    def failed(self) -> tuple[Report, ...]:
        """The recipients who will not get it."""
        return tuple(report for report in self.reports if report.action == "failed")
