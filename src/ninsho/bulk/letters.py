"""What a letter function has made of a row, as a message that goes to whom the row is about, and can be looked for."""

from collections.abc import Iterator

from ninsho.bulk.identified import identified
from ninsho.bulk.recipients import mailbox_of
from ninsho.client.office import Sendable, submission
from ninsho.mail.addresses import mailboxes, read
from ninsho.mail.message import Recipient, Submission, envelope
from ninsho.mail.unsendable import Unsendable, excerpt


def lettered(made: Sendable, address: str) -> tuple[Submission, str]:
    """Return *made* as a submission, and its Message-ID; what says nothing of an envelope is for *address*.

    Raises ``Unsendable`` for what goes elsewhere, and as ``identified`` does; ``TypeError`` for what is no message.
    """
    try:
        given = submission(made, None, [address])
    except TypeError as error:
        raise TypeError(f"make: {error}") from None
    found, message_id = identified(given)
    expect_for(found, address)
    return found, message_id


def expect_for(found: Submission, address: str) -> None:
    """Raise ``Unsendable`` where *address* is none of those whom *found* goes to: the ledger would say that it was."""
    if found.recipients and address in found.recipients:
        return
    addresses = list(_recipients(found))
    if mailbox_of(address) not in map(mailbox_of, addresses):
        others = ", ".join(map(excerpt, addresses[:3])) or "nobody"
        raise Unsendable(f"expected a message that goes to {excerpt(address)}, got one that goes to {others}")


def _recipients(found: Submission) -> Iterator[str]:
    told = found.recipients
    if told is None:
        yield from envelope(found)[1]
        return
    for one in mailboxes(told, "recipients") if isinstance(told, str) else told:
        given = one.address if isinstance(one, Recipient) else one
        yield read(given, "recipient")[0]
