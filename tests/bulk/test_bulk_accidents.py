"""What is not a recipient's fault leaves the recipients waiting: passwords, quotas, full disks, accidents of programs."""

import errno
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from bulk_stage import SENDER, Stage, letter, listed, stage
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from ninsho import Client, Submission
from ninsho.bulk.database import LedgerUnavailable
from ninsho.bulk.ledger import Ledger
from ninsho.bulk.refusals import IN_A_ROW, RefusesAll
from ninsho.bulk.states import State
from ninsho.client.errors import AuthenticationFailed
from ninsho.testing import MailServer

USER1 = "user1@example.test"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running
        assert running.server.violations == []


# The server's


def with_password(server: MailServer, password: str) -> str:
    return server.url.replace("smtp://", f"smtp://alice:{password}@")


@pytest.mark.parametrize("connections", [1, 3])
def test_with_a_wrong_password_all_wait(tmp_path: Path, connections: int) -> None:
    with MailServer(users={"alice": "right"}, require_auth=True) as server, Ledger(tmp_path / "news.db") as ledger:
        on = Stage(ledger, server)
        ledger.load(on.mailing, listed(50))
        with pytest.raises(AuthenticationFailed):
            on.run(with_password(server, "wrong"), connections=connections)
        assert on.counts() == {"waiting": 50}
        assert on.run(with_password(server, "right"))[State.ACCEPTED] == 50


@pytest.mark.parametrize(("code", "text"), [(550, "5.4.5 daily quota exceeded"), (451, "4.7.1 slower, please")])
def test_a_refused_sender_ends_the_run_and_leaves_the_list(on: Stage, code: int, text: str) -> None:
    on.ledger.load(on.mailing, listed(200))
    on.server.fail("MAIL", code, text)
    with pytest.raises(RefusesAll, match=f"{IN_A_ROW} messages in a row .*MAIL FROM:<{SENDER}>: {code} {text}"):
        on.run()
    counts = on.counts()
    assert counts["waiting"] > 100
    assert counts["waiting"] + counts["deferred"] == 200
    on.server.forgive()
    assert on.run()[State.ACCEPTED] == 200


def test_a_text_that_is_refused_to_all_ends_the_run(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(200))
    on.server.fail("dot", 554, "5.7.1 spam")
    with pytest.raises(RefusesAll, match=r"the message: 554 5\.7\.1 spam"):
        on.run()
    counts = on.counts()
    assert IN_A_ROW <= counts["refused"] < 60
    on.server.forgive()
    on.ledger.retry(on.mailing, [State.REFUSED])
    assert on.run()[State.ACCEPTED] == 200


def test_senders_that_are_refused_each_time_keep_nobody_waiting(on: Stage) -> None:
    def each_its_own(row: Mapping[str, Any]) -> Submission:
        return Submission(letter(row).message, f"b+{row['email'].replace('@', '=')}@example.org", [row["email"]])

    on.ledger.load(on.mailing, [*listed(25, "bad"), *listed(15)])
    on.server.fail("MAIL", 553, "5.1.7 no such sender", when=lambda address: "bad" in address)
    for _ in range(4):
        with suppress(RefusesAll):
            on.run(make=each_its_own)
    assert len(on.arrived) == 15
    assert on.counts()["accepted"] == 15


def test_recipients_who_are_refused_end_no_run(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(20))
    on.server.fail("RCPT", 550, "5.1.1 nobody", when=lambda address: address != "user19@example.test")
    tally = on.run()
    assert (tally[State.REFUSED], tally[State.ACCEPTED]) == (19, 1)


# The disk's


def test_a_disk_that_is_full_doubles_nothing(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(100))
    write, room = os.pwrite, 300

    def pwrite(file: int, data: bytes, place: int) -> int:
        nonlocal room
        more = max(0, place + len(data) - os.fstat(file).st_size)
        if more > room:
            raise OSError(errno.ENOSPC, "no space left on device")
        room -= more
        return write(file, data, place)

    monkeypatch.setattr(os, "pwrite", pwrite)
    with pytest.raises(LedgerUnavailable, match="no space left"):
        on.run()
    sent = len(on.arrived)
    assert 0 < sent < 100
    assert on.counts() == {"accepted": sent, "waiting": 100 - sent}
    monkeypatch.undo()
    assert on.run()[State.ACCEPTED] == 100 - sent
    assert len(set(on.arrived)) == len(on.arrived) == 100


def test_whoever_was_in_the_way_is_given_time(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("ninsho.bulk.database.time.sleep", pauses.append)

    def deadlocked(_: Connection) -> str:
        if len(pauses) < 5:
            raise OperationalError("update", {}, Exception(1213, "Deadlock found"))
        return "done"

    assert on.ledger.database.write(deadlocked) == "done"
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] < 1


# The program's


def no_disk(_: Mapping[str, Any]) -> Submission:
    raise OSError(errno.EIO, "the attachment cannot be read")


def no_message(row: Mapping[str, Any]) -> Any:
    return f"To: {row['email']}"


@pytest.mark.parametrize(("make", "error"), [(no_disk, OSError), (no_message, TypeError)])
def test_a_function_that_fails_for_all_makes_nobody_invalid(
    on: Stage, make: Callable[..., Any], error: type[Exception]
) -> None:
    on.ledger.load(on.mailing, listed(50))
    with pytest.raises(error):
        on.run(make=make)
    assert on.counts() == {"waiting": 50}
    assert on.run()[State.ACCEPTED] == 50


def test_progress_that_cannot_be_told_is_no_reason_to_stop(on: Stage) -> None:
    told = []

    def tell(tally: Any) -> None:
        told.append(tally.done)
        raise BrokenPipeError

    on.ledger.load(on.mailing, listed(50))
    with pytest.raises(BrokenPipeError):
        on.run(progress=tell)
    assert on.counts() == {"accepted": 50}
    assert told == [1]


def test_a_run_may_be_stopped_while_rows_are_invalid(on: Stage) -> None:
    def make(_: Mapping[str, Any]) -> Submission:
        bulk.stop()
        raise ValueError("no value")

    on.ledger.load(on.mailing, listed(100))
    with Client(on.server.url) as client:
        bulk = on.bulk(client, make=make, batch=10)
        assert bulk.run()[State.INVALID] == 10
    assert on.counts() == {"invalid": 10, "waiting": 90}


@pytest.mark.parametrize("limit", [0, -5])
def test_a_limit_is_one_or_more(on: Stage, limit: int) -> None:
    with pytest.raises(ValueError, match=f"limit: expected 1 or more, got {limit}"):
        on.run(limit=limit)


# Texts, and messages


UNKEPT = "a\0b\udc80c"


def test_a_fault_of_any_text_is_kept(on: Stage) -> None:
    def make(_: Mapping[str, Any]) -> Submission:
        raise ValueError(UNKEPT)

    on.ledger.load(on.mailing, [{"email": USER1, "name": UNKEPT}])
    on.run(make=make)
    (one,) = on.ledger.recipients(on.mailing)
    assert (one.state, one.reply, one.fields["name"]) == (State.INVALID, "a�b�c", UNKEPT)


def test_a_template_that_has_changed_is_tried_for_rows_that_made_no_message(on: Stage) -> None:
    def make(_: Mapping[str, Any]) -> Submission:
        raise KeyError("surname")

    on.ledger.load(on.mailing, [*listed(3), {"email": "nobody"}])
    on.run(make=make)
    assert on.counts() == {"invalid": 4}
    on.ledger.change(on.mailing, fingerprint="another", subject="")
    assert on.run()[State.ACCEPTED] == 3
    assert on.counts() == {"accepted": 3, "invalid": 1}


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("own", ["", "<own@example.org>"])
def test_each_message_can_be_looked_for(on: Stage, end: str, own: str) -> None:
    def make(row: Mapping[str, Any]) -> Submission:
        fields = [f"From: {SENDER}", f"To: {row['email']}", *([f"Message-ID: {own}"] if own else []), "Subject: x"]
        return Submission(end.join([*fields, "", "hello", ""]).encode())

    on.ledger.load(on.mailing, listed(1))
    on.server.drop(at="dot", taken=True)
    on.run(make=make)
    (one,) = on.ledger.recipients(on.mailing)
    assert one.state is State.UNKNOWN
    assert one.message_id == on.server.messages[0].message["Message-ID"]
    assert one.message_id == own if own else one.message_id.endswith("@example.org>")


def test_a_message_of_the_library_can_be_looked_for_as_well(on: Stage) -> None:
    message = EmailMessage()
    message["From"] = SENDER
    message.set_content("hello")
    on.ledger.load(on.mailing, listed(2))
    on.run(make=lambda row: Submission(message, recipients=[row["email"]]))
    (named,) = {one.message_id for one in on.ledger.recipients(on.mailing)}
    assert {received.message["Message-ID"] for received in on.server.messages} == {named}


def test_each_attempt_is_counted_once(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(1))
    on.server.fail("RCPT", 450, "4.2.0 later")
    for _ in range(3):
        on.run()
    (one,) = on.ledger.recipients(on.mailing)
    assert (one.state, one.attempts) == (State.DEFERRED, 3)
