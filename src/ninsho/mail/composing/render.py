"""``render``: a message as it leaves, without sending it."""

from dataclasses import replace
from typing import TYPE_CHECKING

from ninsho.mail.message import EVERYTHING
from ninsho.mail.sources import Source, taken
from ninsho.mail.terms import Terms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ninsho.mail.signing.signer import Signer


def render(message: Source, *, sign: "Sequence[Signer]" = ()) -> bytes:
    """Return the octets of *message* as a server gets them, with CRLF and without Bcc, signed by each of *sign*.

    All of it is ASCII, unless an address needs SMTPUTF8: so it may pass any server. Raises ``Unsendable``.
    """
    terms = replace(Terms.of(EVERYTHING, chunking=False), eight_bit=False)
    octets = b"".join(taken(message, terms).content.plain())
    if not sign:
        return octets
    from ninsho.mail.signing.signer import signed  # noqa: PLC0415 - only where something is signed

    return signed(octets, sign)
