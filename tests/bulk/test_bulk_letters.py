"""What letter functions return: messages of all kinds, for the row's address and nobody else instead."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from bulk_stage import SENDER, Stage, letter, listed, stage

from ninsho import Recipient, Submission, compose
from ninsho.bulk.letters import lettered
from ninsho.bulk.states import State
from ninsho.mail.unsendable import Unsendable

USER0, USER1 = "user0@example.test", "user1@example.test"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running
        assert running.server.violations == []


def composed(row: Mapping[str, Any], **words: Any) -> Any:
    return compose(**{"from_": SENDER, "to": row["email"], "subject": "News", "text": f"{row['name']}様", **words})


@pytest.mark.parametrize(
    "make",
    [
        composed,
        lambda row: bytes(composed(row)),
        lambda row: bytearray(letter(row).message),
        lambda row: Submission(composed(row)),
        lambda row: composed(row, to="news:;"),
    ],
    ids=["composed", "octets", "bytearray", "submission", "to nobody in the header"],
)
def test_a_letter_is_a_message_for_the_address_of_its_row(on: Stage, make: Callable[..., Any]) -> None:
    on.ledger.load(on.mailing, listed(3))
    assert on.run(make=make)[State.ACCEPTED] == 3
    assert sorted(on.arrived) == [USER0, USER1, "user2@example.test"]
    assert all(one.message_id for one in on.ledger.recipients(on.mailing))


def test_a_letter_that_goes_elsewhere_makes_its_row_invalid(on: Stage) -> None:
    def misled(row: Mapping[str, Any]) -> Submission:
        return Submission(letter(row).message, SENDER, [USER0])

    on.ledger.load(on.mailing, listed(2))
    tally = on.run(make=misled)
    assert (tally[State.ACCEPTED], tally[State.INVALID]) == (1, 1)
    assert on.arrived == [USER0]
    (one,) = on.ledger.recipients(on.mailing, [State.INVALID])
    assert one.reply == f"expected a message that goes to '{USER1}', got one that goes to '{USER0}'"


@pytest.mark.parametrize(
    "recipients",
    [
        ["Ann <u@例え.jp>"],
        ["u@xn--r8jz45g.jp"],
        ["u@XN--R8JZ45G.jp", USER1],
        [Recipient("u@例え.jp")],
        f"Bob <{USER1}>, u@例え.jp",
    ],
    ids=repr,
)
def test_an_address_is_the_same_however_it_is_written(recipients: Any) -> None:
    given = Submission(letter(listed(1)[0]).message, SENDER, recipients)
    assert lettered(given, "u@例え.jp") == (given, "<user0.news@example.org>")


def test_what_cannot_be_sent_says_why() -> None:
    with pytest.raises(Unsendable, match="goes to nobody"):
        lettered(Submission(letter(listed(1)[0]).message, SENDER, []), USER0)
    with pytest.raises(Unsendable, match="recipient"):
        lettered(Submission(letter(listed(1)[0]).message, SENDER, ["no address"]), USER0)
    with pytest.raises(TypeError, match="make: expected a message, bytes, a Path or an open file, got NoneType"):
        lettered(None, USER0)  # type: ignore[arg-type]
