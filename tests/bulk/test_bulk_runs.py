"""Runs of a mailing against a mail server that fails where it is told to: what the ledger says of each recipient."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bulk_stage import Stage, letter, listed, stage

from ninsho import Client, Submission
from ninsho.bulk.database import LedgerUnavailable
from ninsho.bulk.ledger import Ledger
from ninsho.bulk.states import State
from ninsho.errors import ClientError

USER1, USER2 = "user1@example.test", "user2@example.test"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running
        assert running.server.violations == []


def for_user(number: int) -> Any:
    return lambda address: address == f"user{number}@example.test"


def test_each_recipient_gets_one_message_and_a_second_run_sends_none(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(100))
    tally = on.run()
    assert (tally[State.ACCEPTED], tally.done, tally.remaining) == (100, 100, 0)
    assert sorted(on.arrived) == sorted(row["email"] for row in listed(100))
    on.ledger.load(on.mailing, listed(100))
    assert on.run().done == 0
    assert len(on.arrived) == 100


def test_a_row_tells_what_was_sent_and_what_the_server_said(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(1))
    on.run()
    (one,) = on.ledger.recipients(on.mailing)
    assert (one.state, one.attempts, one.code) == (State.ACCEPTED, 1, 250)
    assert one.message_id == "<user0.news@example.org>"
    assert one.sender == "news@example.org"
    assert one.fields == {"email": "user0@example.test", "name": "利用者0"}
    assert one.reply
    assert one.settled_at >= one.claimed_at


def test_several_connections_share_one_run(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(200))
    assert on.run(connections=4)[State.ACCEPTED] == 200
    assert sorted(on.arrived) == sorted(row["email"] for row in listed(200))


def test_what_is_refused_for_good_stays_refused(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(5))
    on.server.fail("RCPT", 550, "5.1.1 no such user", when=for_user(1))
    tally = on.run()
    assert (tally[State.ACCEPTED], tally[State.REFUSED]) == (4, 1)
    (refused,) = on.ledger.recipients(on.mailing, [State.REFUSED])
    assert (refused.address, refused.code, refused.enhanced_code) == (USER1, 550, "5.1.1")
    on.server.forgive()
    assert on.run().done == 0


def test_what_is_refused_for_now_is_tried_by_the_next_run_and_not_by_this_one(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(5))
    on.server.fail("RCPT", 450, "4.2.0 later", when=for_user(1))
    assert on.run()[State.DEFERRED] == 1
    on.server.forgive()
    assert on.run()[State.ACCEPTED] == 1
    assert on.counts() == {"accepted": 5}
    one = next(one for one in on.ledger.recipients(on.mailing) if one.address == USER1)
    assert one.attempts == 2


def test_a_cut_behind_the_dot_is_unknown_and_never_sent_again_by_itself(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(5))
    on.server.drop(at="dot", taken=True, times=1)
    tally = on.run()
    assert (tally[State.UNKNOWN], tally[State.ACCEPTED]) == (1, 4)
    assert on.run().done == 0
    assert len(on.arrived) == len(set(on.arrived)) == 5


def test_unknown_ones_are_sent_again_where_somebody_says_so(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(3))
    on.server.drop(at="dot", times=1)
    on.run()
    assert len(on.arrived) == 2
    assert on.ledger.retry(on.mailing, [State.UNKNOWN]) == 1
    assert on.run()[State.ACCEPTED] == 1
    assert len(set(on.arrived)) == len(on.arrived) == 3


def test_without_a_server_all_wait(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(50))
    with pytest.raises(ClientError):
        on.run("smtp://127.0.0.1:1")
    assert on.counts() == {"waiting": 50}
    assert on.run()[State.ACCEPTED] == 50


def test_a_server_that_breaks_off_leaves_nobody_out(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(40))
    on.server.drop(at="MAIL", skip=10, times=None)
    with pytest.raises(ClientError):
        on.run()
    # By BDAT some were on their way as a whole.
    counts = on.counts()
    assert (counts["accepted"], counts["waiting"] + counts["unknown"]) == (10, 30)
    on.server.forgive()
    on.run()
    assert on.counts() == {"accepted": 40 - counts["unknown"], "unknown": counts["unknown"]}
    assert len(set(on.arrived)) == len(on.arrived) == 40 - counts["unknown"]


def test_the_limit_is_what_one_run_sends(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(100))
    assert on.run(limit=40).done == 40
    assert on.run(limit=40).done == 40
    assert on.run(limit=40).done == 20


def test_a_run_that_is_stopped_ends_what_it_has_begun(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(100))
    with Client(on.server.url) as client:
        bulk = on.bulk(client, progress=lambda tally: bulk.stop() if tally.done == 10 else None)
        tally = bulk.run()
    assert tally[State.UNKNOWN] == 0
    assert tally[State.ACCEPTED] == len(on.arrived) < 100
    assert on.counts() == {"accepted": tally.done, "waiting": 100 - tally.done}


@pytest.mark.parametrize("connections", [1, 3])
def test_what_was_never_handed_over_waits_again_after_an_interrupt(on: Stage, connections: int) -> None:
    def interrupt(tally: Any) -> None:
        if tally.done == 10:
            raise KeyboardInterrupt

    on.ledger.load(on.mailing, listed(100))
    with pytest.raises(KeyboardInterrupt):
        on.run(connections=connections, progress=interrupt)
    counts = on.counts()
    assert counts["accepted"] >= 10
    assert "sending" not in counts
    # In flight, or behind the receipts that nobody has read.
    assert counts.get("unknown", 0) <= 40
    on.run()
    left = on.counts()
    assert left["accepted"] + left.get("unknown", 0) == 100
    assert len(set(on.arrived)) == len(on.arrived)


def test_rows_that_make_no_message_are_invalid_and_the_others_are_sent(on: Stage) -> None:
    rows = [*listed(3), {"email": "user3@example.test"}, {"email": "no address", "name": "x"}, {"name": "y"}]
    loaded = on.ledger.load(on.mailing, rows)
    assert (loaded.new, loaded.invalid, loaded.rows) == (4, 2, 6)
    tally = on.run()
    assert (tally[State.ACCEPTED], tally[State.INVALID]) == (3, 1)
    invalid = {one.line: one.reply for one in on.ledger.recipients(on.mailing, [State.INVALID])}
    assert invalid[4] == "expected a value for 'name', got none"
    assert invalid[5].startswith("email: expected ")
    assert invalid[6].startswith("email: expected ")


def test_a_row_that_was_corrected_takes_the_place_of_the_old_one(on: Stage) -> None:
    on.ledger.load(on.mailing, [{"email": "user0@example.test"}, {"email": "user1 at example.test", "name": "b"}])
    on.run()
    assert on.counts() == {"invalid": 2}
    on.ledger.load(on.mailing, [{"email": "user0@example.test", "name": "a"}, {"email": USER1, "name": "b"}])
    on.run()
    assert on.counts() == {"accepted": 2}


def test_duplicates_are_counted_and_mailed_once(on: Stage) -> None:
    rows = [*listed(3), {"email": "user1@EXAMPLE.TEST", "name": "again"}, {"email": "User1@example.test", "name": "z"}]
    for _ in range(2):
        loaded = on.ledger.load(on.mailing, rows)
        assert loaded.duplicates == 1
    assert loaded.known == 4
    on.run()
    # A local part's case may matter.
    assert sorted(on.arrived) == ["User1@example.test", "user0@example.test", USER1, USER2]


def test_a_key_of_ones_own_tells_recipients_apart(on: Stage) -> None:
    rows = [{"email": USER1, "name": "a", "id": "1"}, {"email": USER1, "name": "b", "id": "2"}, {"email": USER1}]
    loaded = on.ledger.load(on.mailing, rows, key="id")
    assert (loaded.new, loaded.invalid) == (2, 1)
    on.run()
    assert on.arrived == [USER1, USER1]


def test_a_message_for_several_is_not_sent_again_to_those_who_got_it(on: Stage) -> None:
    def both(row: Mapping[str, Any]) -> Submission:
        return Submission(letter(row).message, "news@example.org", [row["email"], USER2])

    on.ledger.load(on.mailing, listed(1))
    on.server.fail("RCPT", 450, "4.2.0 later", when=for_user(2))
    on.run(make=both)
    assert on.counts() == {"accepted": 1}


def test_one_and_the_same_message_may_be_made_for_several_rows(on: Stage) -> None:
    everybody = [row["email"] for row in listed(50)]
    same = Submission(letter(listed(1)[0]).message, "news@example.org", everybody)
    on.ledger.load(on.mailing, listed(50))
    assert on.run(make=lambda _: same)[State.ACCEPTED] == 50
    assert on.counts() == {"accepted": 50}


def test_a_ledger_that_fails_ends_the_run_and_loses_no_verdict(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(100))
    database, write, count = on.ledger.database, on.ledger.database.write, 0

    def sometimes(work: Any) -> Any:
        nonlocal count
        count += 1
        if count > 3:
            raise LedgerUnavailable("gone")
        return write(work)

    monkeypatch.setattr(database, "write", sometimes)
    with pytest.raises(LedgerUnavailable):
        on.run()
    sent = len(on.arrived)
    assert 0 < sent < 100
    monkeypatch.undo()
    # The notes had it all: the next run reads them first.
    assert on.run()[State.ACCEPTED] == 100 - sent
    assert on.counts() == {"accepted": 100}
    assert sorted(on.arrived) == sorted(row["email"] for row in listed(100))


def test_ledgers_keep_mailings_apart(on: Stage, tmp_path: Path) -> None:
    on.ledger.load(on.mailing, listed(3))
    on.run()
    with Ledger(tmp_path / "news.db") as again:
        other = again.mailing("other", fingerprint="f", subject="s")
        assert again.mailing("other") == other
        again.load(other, listed(2))
        assert again.counts(other)[State.WAITING] == 2
        assert [mailing.name for mailing in again.mailings()] == ["news", "other"]
    assert on.counts() == {"accepted": 3}
