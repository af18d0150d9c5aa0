"""The standard library's smtplib, its connection kept open."""

from smtplib import SMTP

from driving import EHLO_NAME, RECIPIENT, SENDER, Order, drive


def send(order: Order) -> int:
    """Send by ``sendmail``; it raises where nobody gets the message."""
    message = order.path.read_bytes()
    with SMTP("127.0.0.1", order.port, local_hostname=EHLO_NAME) as client:
        return sum(not client.sendmail(SENDER, [RECIPIENT], message) for _ in range(order.count))


if __name__ == "__main__":
    drive(send)
