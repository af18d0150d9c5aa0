"""Ledgers on database servers: the same counts, the same corrections, and connections that break."""

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import pytest
from bulk_stage import Stage, letter, listed
from sqlalchemy import text

from database_servers import PASSWORD, Server, mariadb, postgresql
from ninsho import Submission
from ninsho.bulk import runs
from ninsho.bulk.clock import moment
from ninsho.bulk.ledger import Ledger
from ninsho.bulk.loading import Loaded
from ninsho.bulk.processes import Process
from ninsho.bulk.run import Run
from ninsho.bulk.states import State
from ninsho.testing import MailServer

SERVERS: dict[str, Callable[[], AbstractContextManager[Server]]] = {"postgresql": postgresql, "mariadb": mariadb}
# The connections of all others.
BREAK = {
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE pid <> pg_backend_pid() AND datname = current_database()",
    "mariadb": "SELECT id FROM information_schema.processlist WHERE user = 'ninsho' AND id <> connection_id()",
}


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest) -> Iterator[tuple[str, Server]]:
    with SERVERS[request.param]() as running:
        yield request.param, running


@pytest.fixture
def on(server: tuple[str, Server], monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.setenv("NINSHO_DATABASE_PASSWORD", PASSWORD)
    with MailServer() as mail, Ledger(server[1].url) as ledger:
        stage = Stage(ledger, mail)
        yield stage
        for mailing in ledger.mailings():
            ledger.database.write(lambda connection: connection.execute(text("DELETE FROM recipients")))
            assert ledger.counts(mailing)[State.WAITING] == 0


def break_connections(on: Stage, server: tuple[str, Server]) -> None:
    """Do to all connections but one's own what a server does that is put out of service."""
    with Ledger(server[1].url) as another:

        def work(connection: Any) -> None:
            for (other,) in connection.execute(text(BREAK[server[0]])).all():
                if server[0] == "mariadb":
                    connection.execute(text(f"KILL {other}"))

        another.database.write(work)


def test_each_list_is_counted_as_it_is(on: Stage) -> None:
    rows = listed(700)
    assert on.ledger.load(on.mailing, [*rows, {"email": "bad"}, rows[1]]) == Loaded(new=700, duplicates=1, invalid=1)
    assert on.ledger.load(on.mailing, rows) == Loaded(known=700)
    assert on.counts() == {"waiting": 700}
    assert on.ledger.load(on.mailing, [*rows, *listed(3, "new")]) == Loaded(new=3, known=700)


def test_corrected_rows_take_the_place_of_the_old_ones(on: Stage) -> None:
    def only_corrected(row: Mapping[str, Any]) -> Submission:
        if row["name"] != "b\0\udc80":
            raise ValueError(f"line {row['name']}: expected b, got \0\udc80")
        return letter({**row, "name": "b"})

    on.ledger.load(on.mailing, listed(40))
    assert on.run(make=only_corrected)[State.INVALID] == 40
    rows = [{"email": row["email"], "name": "b\0\udc80"} for row in listed(40)]
    assert on.ledger.load(on.mailing, rows) == Loaded(known=40)
    assert on.counts() == {"waiting": 40}
    on.server.fail("RCPT", 550, "5.1.1 nobody", when=lambda address: address == "user7@example.test")
    on.run(make=only_corrected)
    assert on.counts() == {"accepted": 39, "refused": 1}
    assert {one.attempts for one in on.ledger.recipients(on.mailing)} == {1}


def test_runs_at_once_share_the_rows(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(300))
    with ThreadPoolExecutor() as pool:
        tallies = list(pool.map(lambda _: on.run(connections=2), range(3)))
    on.run()
    assert sum(tally[State.ACCEPTED] for tally in tallies) == 300
    assert len(set(on.arrived)) == len(on.arrived) == 300


def test_connections_that_break_are_made_anew(on: Stage, server: tuple[str, Server]) -> None:
    broken = []

    def make(row: Mapping[str, Any]) -> Submission:
        # In the midst of a transaction.
        if row["email"] == "user100@example.test" and not broken:
            broken.append(row)
            break_connections(on, server)
        return letter(row)

    on.ledger.load(on.mailing, listed(200))
    assert on.run(make=make)[State.ACCEPTED] == 200
    assert broken
    assert len(set(on.arrived)) == len(on.arrived) == 200


def test_a_commit_that_nobody_heard_of_may_have_been_done(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(100))
    write, count = on.ledger.database.write, 0

    def twice(work: Callable[[Any], Any]) -> Any:
        nonlocal count
        count += 1
        if count % 3 == 0:
            # Done, and nobody heard of it.
            write(work)
        return write(work)

    monkeypatch.setattr(on.ledger.database, "write", twice)
    assert on.run()[State.ACCEPTED] == 100
    assert on.counts() == {"accepted": 100}
    assert {one.attempts for one in on.ledger.recipients(on.mailing)} == {1}
    assert len(set(on.arrived)) == len(on.arrived) == 100


def test_a_server_that_is_started_anew_is_waited_for(on: Stage, server: tuple[str, Server]) -> None:
    def tell(tally: Any) -> None:
        if tally.done == 50:
            server[1].restart()

    on.ledger.load(on.mailing, listed(200))
    assert on.run(progress=tell)[State.ACCEPTED] == 200
    assert len(set(on.arrived)) == len(on.arrived) == 200


def test_a_machine_whose_clock_is_ahead_takes_nobody_for_dead(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(4))
    with Run(on.ledger.database, on.mailing.id, letter, limit=None) as one:
        next(one.submissions())
        monkeypatch.setattr(Process, "this", classmethod(lambda _: Process("other.example", "another pid:[1]", 1, "1")))
        later = time.time() + 3600
        monkeypatch.setattr(time, "time", lambda: later)
        runs.reap(on.ledger.database, on.mailing.id)
        assert on.counts() == {"sending": 4}
        runs.reap(on.ledger.database, on.mailing.id, lease=-1.0)
        assert on.counts() == {"unknown": 4}


def test_time_is_the_databases(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    now = on.ledger.database.read(moment)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert now <= on.ledger.database.read(moment) < now + 60
