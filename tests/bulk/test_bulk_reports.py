"""What became of a mailing, as people keep it: in their spreadsheet's charset, in their time, with all that they look for."""

import csv
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from bulk_stage import Stage, listed, stage

from ninsho.bulk.chart import over_time, states_bar
from ninsho.bulk.report import page, write_report
from ninsho.bulk.states import MEANINGS, State


@pytest.fixture
def on(tmp_path: Path) -> Iterator[Stage]:
    with stage(tmp_path) as running:
        running.server.fail("RCPT", 550, "5.1.1 nobody", when=lambda address: address == "user1@example.test")
        yield running


def test_a_csv_report_says_that_it_is_in_utf_8(on: Stage, tmp_path: Path) -> None:
    on.ledger.load(on.mailing, listed(1))
    report = tmp_path / "report.csv"
    write_report(report, on.ledger, on.mailing)
    assert report.read_bytes().startswith(b"\xef\xbb\xbfline,")
    (row,) = csv.DictReader(report.read_text(encoding="utf-8-sig").splitlines())
    assert row["name"] == "利用者0"


@pytest.mark.parametrize("form", ["csv", "json", "html"])
def test_a_report_holds_what_no_charset_can(on: Stage, tmp_path: Path, form: str) -> None:
    on.ledger.load(on.mailing, [{"email": "user0@example.test", "name": "a\udc80\x1b"}])
    report = tmp_path / f"report.{form}"
    write_report(report, on.ledger, on.mailing)
    text = report.read_bytes().decode("utf-8-sig")
    if form == "json":
        assert json.loads(text)[0]["fields"]["name"] == "a\udc80\x1b"
        assert "\x1b" not in text


def test_a_json_report_can_be_read_by_people(on: Stage, tmp_path: Path) -> None:
    on.ledger.load(on.mailing, listed(1))
    report = tmp_path / "report.json"
    write_report(report, on.ledger, on.mailing)
    assert "利用者0" in report.read_text(encoding="utf-8")


def test_a_page_tells_the_whole_its_parts_and_what_they_mean(on: Stage) -> None:
    on.ledger.load(on.mailing, listed(3))
    on.run()
    text = "".join(page(on.ledger, on.mailing))
    cells = [re.findall("<td>(.*?)</td>", row) for row in text.split("<tr>")]
    rows = {row[1]: row[2:] for row in cells if len(row) == 5}
    assert rows["accepted"] == ["2", "66.7 %", MEANINGS[State.ACCEPTED]]
    assert rows["waiting"] == ["0", "0 %", MEANINGS[State.WAITING]]
    assert rows["all"] == ["3", "100 %", ""]
    assert set(MEANINGS) == set(State)


def test_a_page_has_the_time_of_who_reads_it(on: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    on.ledger.load(on.mailing, listed(1))
    on.run()
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        text = "".join(page(on.ledger, on.mailing))
    finally:
        monkeypatch.undo()
        time.tzset()
    begin = (on.ledger.moments(on.mailing) or (0, 0))[0]
    there = time.strftime("%Y-%m-%d %H:%M:%S +0900", time.gmtime(begin + 9 * 3600))
    assert f"<h2>From {there} to" in text


def widths(drawing: str) -> list[float]:
    return [float(width) for width in re.findall(r'<rect [^>]*width="([\d.]+)"', drawing)]


def test_one_in_a_million_is_seen() -> None:
    bar = widths(states_bar({State.ACCEPTED: 1_000_000, State.REFUSED: 1, State.UNKNOWN: 1}))
    assert len(bar) == 3
    assert min(bar) >= 2
    assert sum(bar) == pytest.approx(720, abs=0.1)
    assert widths(states_bar(dict.fromkeys(State, 0))) == []
    heights = [float(one) for one in re.findall(r'height="([\d.]+)" fill', over_time([1_000_000, 0, 1]))]
    assert (len(heights), min(heights)) == (2, 2)


def test_those_who_went_wrong_come_in_the_order_of_the_list(on: Stage) -> None:
    people = listed(3)
    on.ledger.load(on.mailing, [people[0], people[1]])
    on.run()
    # The ledger hears of the first line last.
    on.ledger.load(on.mailing, [{"email": "no address", "name": "x"}, people[0], people[1]])
    wrong = on.ledger.first(on.mailing, [State.INVALID, State.REFUSED], 10)
    assert [(one.state, one.address) for one in wrong] == [
        (State.INVALID, "no address"),
        (State.REFUSED, "user1@example.test"),
    ]
    assert on.ledger.first(on.mailing, [State.INVALID, State.REFUSED], 1) == wrong[:1]
