"""ninsho's client for asyncio."""

import asyncio

from driving import RECIPIENT, SENDER, Order, drive

from ninsho import AsyncClient, Submission


async def send_all(order: Order) -> int:
    message = Submission(message=order.path.read_bytes(), sender=SENDER, recipients=[RECIPIENT])
    async with AsyncClient(f"smtp://127.0.0.1:{order.port}?tls=none", connections=order.connections) as client:
        receipts = [receipt async for receipt in client.send_many([message] * order.count)]
    return sum(receipt.ok for receipt in receipts)


def send(order: Order) -> int:
    """Count the messages that every recipient gets."""
    return asyncio.run(send_all(order))


if __name__ == "__main__":
    drive(send)
