"""Reading what comes back: which recipients a server could not deliver to, and why; and addresses that say so.

``read`` takes a message apart that a mail server has sent, after RFC 3464 or in words; ``complaint`` one that says that
a recipient called a message spam (RFC 5965). ``verp`` makes an envelope sender for each recipient, so that whatever
comes back to it names them. None of it is proof: anybody can write such messages. Who acts on them makes the envelope
senders hard to guess (``token_sender``).
"""

from ninsho.mail.bounce.complaint import Complaint, complaint
from ninsho.mail.bounce.reader import read
from ninsho.mail.bounce.report import Action, Bounce, Report
from ninsho.mail.bounce.verp import recipient_of, token_of, token_sender, verp

__all__ = [
    "Action",
    "Bounce",
    "Complaint",
    "Report",
    "complaint",
    "read",
    "recipient_of",
    "token_of",
    "token_sender",
    "verp",
]
