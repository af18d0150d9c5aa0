"""Lists into a ledger: who is the same, what is corrected, what is counted."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_stage import Stage, listed, stage

from ninsho.bulk.ledger import Ledger
from ninsho.bulk.loading import Loaded
from ninsho.bulk.recipients import mailbox_of
from ninsho.bulk.states import State
from ninsho.errors import ConfigurationError

USER1 = "user1@example.test"


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        yield running


@pytest.mark.parametrize(
    "address",
    [
        "u@例え.jp",
        "u@xn--r8jz45g.jp",
        "u@XN--R8JZ45G.jp",
        "u@例え。jp",
        '"u"@例え.jp',
        "U <u@例え.jp>",
        '"\\u"@例え.jp',
    ],
)
def test_one_person_is_one_however_the_address_is_written(on: Stage, address: str) -> None:
    loaded = on.ledger.load(on.mailing, [{"email": "u@例え.jp"}, {"email": address}])
    assert (loaded.new, loaded.duplicates) == (1, 1)
    assert on.ledger.load(on.mailing, [{"email": address}]).known == 1


def test_a_local_part_keeps_its_case_and_the_quotes_that_it_needs() -> None:
    assert mailbox_of('"A b"@Example.TEST') == '"A b"@example.test'
    assert mailbox_of("Ab@[192.0.2.1]") == "Ab@[192.0.2.1]"
    assert mailbox_of("nobody") == "nobody"


def test_what_a_list_says_of_those_who_wait_is_what_counts(on: Stage) -> None:
    first = [{"id": str(number), "email": f"wrong{number}@example.test", "name": "old"} for number in range(3)]
    on.ledger.load(on.mailing, first, key="id")
    rows = [{"id": str(number), "email": f"right{number}@example.test", "name": "new"} for number in range(3)]
    loaded = on.ledger.load(on.mailing, [{"id": "new", "email": USER1, "name": "x"}, *rows], key="id")
    assert (loaded.new, loaded.known, loaded.duplicates) == (1, 3, 0)
    on.run()
    assert sorted(on.arrived) == ["right0@example.test", "right1@example.test", "right2@example.test", USER1]
    # What was sent was sent.
    on.ledger.load(on.mailing, first, key="id")
    assert {one.address for one in on.ledger.recipients(on.mailing)} == set(on.arrived)


def test_a_row_on_another_line_is_the_same_row(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(1000))
    loaded = on.ledger.load(on.mailing, [{"email": "first@example.test", "name": "x"}, *listed(1000)])
    assert loaded == Loaded(new=1, known=1000)
    assert on.ledger.load(on.mailing, [*listed(1000), *listed(1000)]) == Loaded(known=1000, duplicates=1000)


def test_rows_without_an_address_take_nobodys_key(on: Stage) -> None:
    rows = [{"id": "1", "email": "bad"}, {"id": "line 1", "email": USER1}, {"id": "nobody: line 1", "email": USER1}]
    loaded = on.ledger.load(on.mailing, rows, key="id")
    assert (loaded.new, loaded.invalid) == (1, 2)
    assert on.ledger.retry(on.mailing, [State.INVALID]) == 0
    assert on.ledger.load(on.mailing, rows, key="id").rows == 3
    assert on.counts() == {"invalid": 2, "waiting": 1}


@pytest.mark.parametrize("key", ["a\0b", "\udc80", "x" * 501, ""])
def test_a_key_is_text_that_every_database_keeps(on: Stage, key: str) -> None:
    assert on.ledger.load(on.mailing, [{"id": key, "email": USER1}], key="id").invalid == 1
    with pytest.raises(ConfigurationError):
        on.ledger.mailing(key)


def test_a_ledger_keeps_its_place_whatever_becomes_of_the_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("sqlite:///news.db", "sqlite+aiosqlite:///news.db"):
        with Ledger(place) as ledger:
            assert ledger.database.file == tmp_path / "news.db"
    with pytest.raises(ConfigurationError, match="got a URI"):
        Ledger("sqlite:///file:news.db?uri=true")
