"""ninsho's blocking client, given recipients and a template."""

from driving import Order, drive
from letter import Letter, rows

from ninsho import AtHand, Attachment, Client
from ninsho.mail.merging.merge import merge


def send(order: Order) -> int:
    """Count the messages that their recipients get."""
    letter = Letter.read(order.path)
    files = [Attachment(filename=letter.filename, data=letter.file, content_type="application/pdf")]
    messages = merge(
        AtHand(rows(order.count)),
        from_=[(letter.author, letter.sender)],
        to="{name}様 <{email}>",
        subject=letter.subject,
        text=letter.text,
        attach=files,
    )
    with Client(f"smtp://127.0.0.1:{order.port}?tls=none", connections=order.connections) as client:
        return sum(receipt.ok for receipt in client.send_many(messages))


if __name__ == "__main__":
    drive(send)
