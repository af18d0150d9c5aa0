"""A ledger, a few recipients and the message that each gets, for tests of runs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ninsho import Client, Submission
from ninsho.bulk.bulk import Bulk
from ninsho.bulk.ledger import Ledger
from ninsho.bulk.states import State
from ninsho.testing import MailServer

SENDER = "news@example.org"


def listed(count: int, prefix: str = "user") -> list[dict[str, str]]:
    return [{"email": f"{prefix}{number}@example.test", "name": f"利用者{number}"} for number in range(count)]


def letter(row: Mapping[str, Any]) -> Submission:
    """What everybody gets: a short message that names its recipient."""
    address = row["email"]
    octets = (
        f"From: {SENDER}\r\nTo: {address}\r\nSubject: News for {address}\r\n"
        f"Message-ID: <{address.partition('@')[0]}.news@example.org>\r\n"
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        f"{row['name']}様\r\n"
    ).encode()
    return Submission(octets, SENDER, [address])


class Stage:
    """A ledger in a file, and a mail server."""

    def __init__(self, ledger: Ledger, server: MailServer) -> None:
        self.ledger = ledger
        self.server = server
        self.mailing = ledger.mailing("news")

    def bulk(self, client: Client, **options: Any) -> Bulk:
        return Bulk(self.ledger, self.mailing, options.pop("make", letter), client, **options)

    def run(self, url: str | None = None, **options: Any) -> Any:
        with Client(url or self.server.url, connections=options.pop("connections", 1)) as client:
            return self.bulk(client, **options).run()

    def states(self) -> dict[str, State]:
        return {one.key: one.state for one in self.ledger.recipients(self.mailing)}

    def counts(self) -> dict[str, int]:
        return {state.value: count for state, count in self.ledger.counts(self.mailing).items() if count}

    @property
    def arrived(self) -> list[str]:
        return [recipient for message in self.server.messages for recipient in message.recipients]


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    with MailServer() as server, Ledger(folder / "news.db") as ledger:
        yield Stage(ledger, server)
