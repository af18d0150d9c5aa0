"""Bounces into a ledger: whose they are, and whose they are not."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bulk_stage import SENDER, Stage, letter, listed, stage

from ninsho import Submission
from ninsho.bulk import bounces
from ninsho.bulk.states import State
from ninsho.mail.bounce import Bounce, Report

USER0, USER1 = "user0@example.test", "user1@example.test"
OF_USER0 = "<user0.news@example.org>"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        running.ledger.load(running.mailing, listed(2))
        yield running


def note(on: Stage, recipient: str, message_id: str = "", verp: str = "", **told: Any) -> list[str]:
    report = Report(recipient=recipient, **{"status": "5.1.1", **told})
    bounce = Bounce(form="rfc3464", reports=(report,), message_id=message_id, verp=verp)
    return bounces.note(on.ledger.database, bounce)


def test_a_bounce_of_other_mail_to_the_same_address_is_not_ours(on: Stage) -> None:
    on.run()
    assert note(on, USER0, "<private@example.org>") == []
    assert note(on, USER0, verp="somebody@example.net") == []
    assert on.counts() == {"accepted": 2}


@pytest.mark.parametrize(
    "told", [{"message_id": OF_USER0}, {"verp": USER0}, {"verp": USER0, "message_id": "<of a gateway@example.org>"}]
)
def test_a_bounce_of_where_mail_was_passed_on_to_is_ours(on: Stage, told: dict[str, str]) -> None:
    on.run()
    assert note(on, "else@example.net", **told) == [USER0]
    assert on.counts() == {"accepted": 1, "bounced": 1}


def test_without_either_it_is_the_latest_mail_to_the_address(on: Stage) -> None:
    on.run()
    assert note(on, "user1@EXAMPLE.test") == [USER1]


def test_a_bounce_of_a_copy_is_not_the_recipients(on: Stage) -> None:
    def with_a_copy(row: Mapping[str, Any]) -> Submission:
        return Submission(letter(row).message, SENDER, [row["email"], "archive@example.org"])

    on.run(make=with_a_copy)
    assert note(on, "archive@example.org", OF_USER0, USER0) == []
    assert note(on, USER0, OF_USER0, USER0) == [USER0]


def test_of_one_message_to_several_rows_it_is_the_one_that_is_named(on: Stage) -> None:
    same = letter(listed(1)[0]).message
    on.run(make=lambda row: Submission(same, SENDER, [row["email"]]))
    assert note(on, "else@example.net", OF_USER0) == []
    assert note(on, USER1, OF_USER0) == [USER1]
    assert note(on, "else@example.net", OF_USER0, USER0) == []


def test_whose_mail_is_late_has_a_server_that_has_it(on: Stage) -> None:
    on.server.drop(at="dot", taken=True, times=1)
    on.run()
    (one,) = on.ledger.recipients(on.mailing, [State.UNKNOWN])
    assert note(on, one.address, one.message_id, action="delayed", status="4.4.1") == [one.address]
    assert on.counts() == {"accepted": 2}


def test_an_address_is_the_same_in_the_dns_words(on: Stage) -> None:
    on.ledger.load(on.mailing, [{"email": "u@例え.jp", "name": "x", "id": "7"}], key="id")
    on.run()
    assert note(on, "u@XN--r8jz45g.jp") == ["u@例え.jp"]


def test_anything_may_stand_in_a_bounce(on: Stage) -> None:
    on.run()
    unkept = "a\0b\udcff"
    assert note(on, USER0, OF_USER0, status="5.1.1" * 9, diagnosis=unkept) == [USER0]
    assert note(on, unkept, unkept, unkept) == []
    (one,) = on.ledger.recipients(on.mailing, [State.BOUNCED])
    assert one.bounce_diagnosis == "a�b�"
