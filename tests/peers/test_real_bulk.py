"""A mailing through a real Postfix, its processes killed at random moments: everybody gets one message, nobody two.

``NINSHO_BULK_RECIPIENTS=10000`` makes it as large as that; ``NINSHO_BULK_SEED`` repeats the moments of an earlier run,
``NINSHO_BULK_IN_FLIGHT`` is how many messages may be on their way at once: so many are unknown after a kill.
"""

import os
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from killed_mailing import KilledMailing, expect_one_each, unburied
from mail_server import MailServer

from database_servers import PASSWORD, postgresql

COUNT = int(os.environ.get("NINSHO_BULK_RECIPIENTS", "1000"))
IN_FLIGHT = os.environ.get("NINSHO_BULK_IN_FLIGHT")
KILLS = 20
CONNECTIONS, IN_FLIGHT_OF_ITSELF = 1, 16
QUEUES = ("maildrop", "incoming", "active", "deferred")


@pytest.fixture
def postfix(start_mail_server: Callable[[str], MailServer]) -> MailServer:
    return start_mail_server("postfix+cyrus")


@contextmanager
def killed(ledger: str, postfix: MailServer, prefix: str, processes: int) -> Iterator[KilledMailing]:
    client = {
        "host": postfix.host,
        "port": postfix.port,
        "tls": "starttls",
        "ca": str(postfix.ca),
        "username": postfix.username,
        "password": postfix.password,
        "connections": CONNECTIONS,
        "in_flight": None if IN_FLIGHT is None else int(IN_FLIGHT),
    }
    seed = int(os.environ.get("NINSHO_BULK_SEED") or random.SystemRandom().randrange(1 << 32))
    mailing = KilledMailing(ledger, client, COUNT, seed, prefix, processes)
    try:
        yield mailing
    finally:
        mailing.stop()


def expect_all(mailing: KilledMailing, postfix: MailServer) -> None:
    queue = postfix.program.queue_directory

    def arrived() -> list[str]:
        return [one.recipient for one in postfix.mailbox() if one.recipient.startswith(mailing.prefix)]

    def resting() -> bool:
        return not any(path.is_file() for name in QUEUES for path in (queue / name).rglob("*"))

    unknown = expect_one_each(mailing.ledger, COUNT, arrived, resting)
    # Only what was on its way at the moment of a kill.
    assert unknown <= mailing.killed * CONNECTIONS * int(IN_FLIGHT or IN_FLIGHT_OF_ITSELF)
    print(
        f"{COUNT} recipients, {mailing.killed} kills ({mailing.amid} amid), seed {mailing.seed}: {unknown} unknown,",
        end=" ",
    )
    print(f"{unknown / mailing.killed:.2f} a kill; {len(arrived())} arrived")


def test_killed_twenty_times_everybody_has_one_message_or_is_listed(postfix: MailServer, tmp_path: Path) -> None:
    with killed(str(tmp_path / "news.db"), postfix, "one", 1) as mailing:
        mailing.send(KILLS)
        expect_all(mailing, postfix)
    assert unburied(mailing.ledger) == []
    # Nothing knows of notes that were begun, and of those that were to be removed, at the very moment of a kill.
    assert len([path.name for path in tmp_path.iterdir() if "-run-" in path.name]) <= KILLS // 5


def test_two_processes_on_one_postgresql_are_killed_twenty_times(
    postfix: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NINSHO_DATABASE_PASSWORD", PASSWORD)
    with postgresql() as server, killed(server.url, postfix, "two", 2) as mailing:
        mailing.send(KILLS)
        expect_all(mailing, postfix)
