"""aiosmtplib, one client a connection, all kept open."""

import asyncio

from aiosmtplib import SMTP
from driving import EHLO_NAME, RECIPIENT, SENDER, Order, drive


async def send_share(port: int, count: int, message: bytes) -> int:
    async with SMTP(hostname="127.0.0.1", port=port, start_tls=False, local_hostname=EHLO_NAME) as client:
        answers = [await client.sendmail(SENDER, [RECIPIENT], message) for _ in range(count)]
    return sum(not refused for refused, _ in answers)


async def send_all(order: Order) -> int:
    message = order.path.read_bytes()
    return sum(await asyncio.gather(*(send_share(order.port, share, message) for share in order.shares())))


def send(order: Order) -> int:
    """Share the messages out among the connections."""
    return asyncio.run(send_all(order))


if __name__ == "__main__":
    drive(send)
