"""What ninsho's client does with a row until the message could leave: envelope and octets."""

from driving import Order, drive
from letter import Letter, rows

from ninsho import Attachment
from ninsho.mail.merging.merge import merge
from ninsho.mail.message import EVERYTHING, Preparer


def send(order: Order) -> int:
    """Count the messages that have octets, instead of sending them."""
    letter = Letter.read(order.path)
    messages = merge(
        rows(order.count),
        from_=[(letter.author, letter.sender)],
        to="{name}様 <{email}>",
        subject=letter.subject,
        text=letter.text,
        attach=[Attachment(filename=letter.filename, data=letter.file)] if letter.file else [],
    )
    preparer = Preparer(EVERYTHING, chunking=True)
    prepared = map(preparer.prepare, messages)
    return sum(len(b"".join(each.content.plain())) > len(letter.file) for each in prepared)


if __name__ == "__main__":
    drive(send)
