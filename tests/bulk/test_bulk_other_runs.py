"""Runs beside each other, paused, killed, cut off from their notes: what becomes of their rows."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bulk_stage import Stage, letter, listed, stage
from sqlalchemy import select

from ninsho.bulk import claims, runs
from ninsho.bulk.processes import Process
from ninsho.bulk.run import Run
from ninsho.bulk.states import State

USER1, USER2, USER3 = "user1@example.test", "user2@example.test", "user3@example.test"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running
        assert running.server.violations == []


def another(on: Stage) -> Run:
    """A run of another process, which begins by claiming a batch."""
    return Run(on.ledger.database, on.mailing.id, letter, limit=None, batch=4)


def test_two_runs_share_the_rows(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(20))
    with another(on) as one:
        first = next(one.submissions())
        assert on.run()[State.ACCEPTED] == 16
        assert first.recipients[0] not in on.arrived
    # What it never said anything of may have been sent; the others it had only claimed.
    assert on.counts() == {"accepted": 16, "waiting": 3, "unknown": 1}


def test_a_row_that_is_somebody_elses_is_not_settled(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(1))
    with another(on) as one:
        next(one.submissions())
        write = on.ledger.database.write
        write(lambda connection: claims.give_up(connection, one._id, [1], "taken for dead"))
        on.ledger.retry(on.mailing, [State.UNKNOWN])
        write(lambda connection: claims.settle(connection, one._id, [(1, claims.Settled(State.REFUSED))]))
        assert on.counts() == {"waiting": 1}


def test_a_paused_run_may_still_say_what_became_of_its_rows(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(1))
    with another(on) as one:
        next(one.submissions())
        write = on.ledger.database.write
        write(lambda connection: claims.give_up(connection, one._id, [1], "taken for dead"))
        write(lambda connection: claims.settle(connection, one._id, [(1, claims.Settled(State.ACCEPTED))]))
        assert on.counts() == {"accepted": 1}


def test_a_paused_run_claims_again_what_others_have_given_up(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(4))
    with another(on) as one:
        submissions = one.submissions()
        next(submissions)
        on.ledger.database.write(lambda connection: claims.give_up(connection, one._id, [1, 2, 4], "taken for dead"))
        # Somebody wants this one sent, whatever became of it: it is nobody's until it is claimed.
        on.ledger.retry(on.mailing, [State.UNKNOWN], keys=[USER3])
        on.ledger.database.write(lambda connection: connection.execute(_by_another(one)))
        one._beaten -= runs.LEASE
        assert [submission.recipients[0] for submission in submissions] == [USER1, USER2]
        assert on.states()["user0@example.test"] is State.UNKNOWN
        assert on.states()[USER1] is State.SENDING


def _by_another(run: Run) -> Any:
    """What another run does to a row that waits."""
    table = claims.recipients
    return table.update().where(table.c.key == USER3).values(state=State.SENDING.value, run_id=run._id + 1)


def elsewhere(on: Stage, monkeypatch: pytest.MonkeyPatch, **which: str) -> None:
    """From now on this is another machine, as far as the ledger is told."""
    me = Process.this()
    other = Process(which.get("host", "other.example"), which.get("boot", "another pid:[1]"), me.pid, me.started)
    monkeypatch.setattr(Process, "this", classmethod(lambda _: other))


def kill(run: Run) -> None:
    """Let *run* go as SIGKILL would: it says nothing more, and the system takes its lock away."""
    run._ended.set()
    run._heart.join()
    os.close(run._notes._file)


def killed(on: Stage, *, taken: int = 1) -> Run:
    """A run that was killed when it had handed over so many messages of the four that it had claimed."""
    run = another(on).__enter__()
    submissions = run.submissions()
    for _ in range(taken):
        next(submissions)
    kill(run)
    return run


def test_of_a_killed_run_only_what_was_on_its_way_is_unknown(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(4))
    killed(on)
    assert on.run()[State.ACCEPTED] == 3
    assert on.counts() == {"accepted": 3, "unknown": 1}


def test_a_silent_run_of_another_machine_becomes_unknown_after_its_lease(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    on.ledger.load(on.mailing, listed(6))
    with another(on) as one:
        next(one.submissions())
        elsewhere(on, monkeypatch)
        runs.reap(on.ledger.database, on.mailing.id)
        assert on.counts() == {"sending": 4, "waiting": 2}
        runs.reap(on.ledger.database, on.mailing.id, lease=-1.0)
        # There nobody can read its notes.
        assert on.counts() == {"unknown": 4, "waiting": 2}
        # It is looked at again, and keeps nobody from going on.
        monkeypatch.setattr(runs, "LEASE", -1.0)
        assert on.run()[State.ACCEPTED] == 2
        monkeypatch.undo()
    # It lived: it knows which of them it never handed over.
    assert on.counts() == {"accepted": 2, "unknown": 1, "waiting": 3}


def test_beats_come_whoever_sets_the_clock(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(4))
    now = 100.0
    with Run(on.ledger.database, on.mailing.id, letter, limit=None, clock=lambda: now) as one:
        before = heartbeat(on, one)
        now += runs.BEAT + 1
        one._tick(now)
        assert heartbeat(on, one) > before


def heartbeat(on: Stage, run: Run) -> float:
    asking = select(runs.runs.c.heartbeat).where(runs.runs.c.id == run._id)
    return float(on.ledger.database.read(lambda connection: connection.execute(asking).scalar_one()))


def test_a_machine_that_was_started_anew_has_no_runs_of_before(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(6))
    killed(on)
    elsewhere(on, monkeypatch, host=Process.this().host)
    # What the notes say may not have reached the disk.
    assert on.run()[State.ACCEPTED] == 2
    assert on.counts() == {"unknown": 4, "accepted": 2}
    assert on.run().done == 0


def test_a_run_whose_process_has_ended_without_notes_leaves_all_unknown(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(6))
    one = killed(on)
    one._notes.path.unlink()
    # Its number and its start say that it lives.
    runs.reap(on.ledger.database, on.mailing.id)
    assert on.counts() == {"sending": 4, "waiting": 2}
    change(on, pid_started="before that")
    assert on.run()[State.ACCEPTED] == 2
    assert on.counts() == {"unknown": 4, "accepted": 2}
    assert on.run().done == 0


def change(on: Stage, **values: object) -> None:
    """Make the runs in the ledger others."""
    on.ledger.database.write(lambda connection: connection.execute(runs.runs.update().values(values)))


@pytest.mark.parametrize("left", [0, 3, 6])
def test_notes_that_somebody_has_shortened_prove_nothing(on: Stage, left: int) -> None:
    on.ledger.load(on.mailing, listed(4))
    one = another(on).__enter__()
    submissions = one.submissions()
    for _ in range(3):
        next(submissions)
    os.truncate(one._notes.path, left)
    next(submissions)
    kill(one)
    assert on.run().done == 0
    assert on.counts() == {"unknown": 4}


def test_a_child_that_a_dead_run_has_forked_keeps_nobody_from_going_on(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(6))
    one = another(on).__enter__()
    next(one.submissions())
    # As a child has it: the lock is on what it shares.
    childs = os.dup(one._notes._file)
    kill(one)
    change(on, pid_started="before that")
    assert on.run()[State.ACCEPTED] == 2
    assert on.counts() == {"unknown": 4, "accepted": 2}
    os.close(childs)
    # Now its notes can be read.
    assert on.run()[State.ACCEPTED] == 3
    assert on.counts() == {"unknown": 1, "accepted": 5}


def test_where_the_system_tells_nothing_of_processes_the_lock_alone_proves(
    on: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = Process(Process.this().host, "", 1, "")
    monkeypatch.setattr(Process, "this", classmethod(lambda _: silent))
    on.ledger.load(on.mailing, listed(6))
    with another(on) as one:
        next(one.submissions())
        assert on.run()[State.ACCEPTED] == 2
    killed(on)
    assert on.run().done == 0
    assert on.counts() == {"accepted": 2, "unknown": 4}


def test_a_claim_whose_commit_nobody_heard_of_is_undone(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(4))
    with another(on) as one:
        pass
    # PostgreSQL may carry out the COMMIT of a client that was killed, when others have buried it already.
    write = on.ledger.database.write
    write(lambda connection: claims.claim(connection, on.mailing.id, one._id, most=4, make=letter, tell=list))
    assert on.counts() == {"sending": 4}
    assert on.run()[State.ACCEPTED] == 4
