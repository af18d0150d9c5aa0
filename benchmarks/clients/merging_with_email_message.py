"""An ``EmailMessage`` built for each row, and its octets."""

from driving import Order, drive
from letter import Letter, rows
from with_email_message import Writer


def send(order: Order) -> int:
    """Count the messages that have octets, instead of sending them."""
    letter = Letter.read(order.path)
    writer = Writer(letter)
    return sum(len(writer.message(row).as_bytes()) > len(letter.file) for row in rows(order.count))


if __name__ == "__main__":
    drive(send)
