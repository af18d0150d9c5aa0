"""Messages that can be looked for: each has a Message-ID before it goes anywhere."""

from dataclasses import replace
from email.message import Message

from ninsho.mail.composing.identifiers import message_id as new_message_id
from ninsho.mail.headers import header_end, message_id
from ninsho.mail.message import EVERYTHING, Submission, addressed, prepare
from ninsho.mail.unsendable import Unsendable


def identified(submission: Submission) -> tuple[Submission, str]:
    """Return *submission* and its Message-ID; one of octets, or of the library's, that has none is given one.

    Raises ``Unsendable`` for a message of another kind that has none.
    """
    message = submission.message
    if isinstance(message, bytes):
        return _of_octets(submission, message)
    if isinstance(message, Message):
        if not message.get("Message-ID"):
            message["Message-ID"] = _new(submission)
        return submission, str(message["Message-ID"]).strip()
    # What is only written when it is sent, such as a merge's, is written once before: it may be none.
    if not (found := prepare(submission, EVERYTHING, chunking=True).message_id):
        raise Unsendable("expected a Message-ID, by which the message can be looked for, got none")
    return submission, found


def _of_octets(submission: Submission, octets: bytes) -> tuple[Submission, str]:
    end = header_end(octets)
    header = octets if end is None else octets[:end]
    # As its lines may end with LF alone.
    if found := message_id(header.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")):
        return submission, found
    new = _new(submission)
    return replace(submission, message=b"Message-ID: %b\r\n%b" % (new.encode(), octets)), new


def _new(submission: Submission) -> str:
    sender, recipients, _ = addressed(submission)
    return new_message_id(sender or next(iter(recipients), ""))
