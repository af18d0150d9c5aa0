"""ninsho's blocking client."""

from driving import RECIPIENT, SENDER, Order, drive

from ninsho import Client, Submission


def send(order: Order) -> int:
    """Count the messages that every recipient gets."""
    message = Submission(message=order.path.read_bytes(), sender=SENDER, recipients=[RECIPIENT])
    with Client(f"smtp://127.0.0.1:{order.port}?tls=none", connections=order.connections) as client:
        return sum(receipt.ok for receipt in client.send_many([message] * order.count))


if __name__ == "__main__":
    drive(send)
