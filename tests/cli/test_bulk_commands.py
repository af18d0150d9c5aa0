"""``ninsho send --bulk``: lists, templates, what arrives, what is told."""

import csv
import json
import os
import signal
import sqlite3
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from bulk_command import LIST, NEWS, Send, here, send, server
from command_line import Run

from ninsho.bulk.bulk import Bulk
from ninsho.bulk.progress import Tally
from ninsho.testing import MailServer

__all__ = ["here", "send", "server"]


def arrived(server: MailServer) -> dict[str, str]:
    return {one.recipients[0]: one.message["Subject"] for one in server.messages}


def test_each_row_of_a_list_gets_a_message_of_its_own_and_once(send: Send, server: MailServer) -> None:
    ended = send()
    assert (ended.status, ended.out) == (0, "2 accepted\n"), ended.err
    assert arrived(server) == {"ann@example.net": "安部様へ", "bob@example.net": "馬場様へ"}
    html = server.messages[0].message.get_body(("html",)).get_content()
    assert "安部様、東京のお知らせです。" in html
    again = send()
    assert again.status == 0
    assert "2 rows: 2 known" in again.err
    assert len(server.messages) == 2


@pytest.mark.parametrize("charset", ["utf-8-sig", "cp932"])
def test_lists_are_in_utf_8_or_shift_jis(send: Send, server: MailServer, charset: str) -> None:
    Path("people.csv").write_text(LIST, encoding=charset)
    assert send().status == 0
    assert sorted(arrived(server).values()) == ["安部様へ", "馬場様へ"]


def test_html_and_text_come_from_two_templates(send: Send, server: MailServer) -> None:
    Path("mail.txt").write_text("{name}様 <b>", encoding="utf-8")
    Path("people.csv").write_text("email,name,town\nann@example.net,<i>,x\n", encoding="utf-8")
    assert send("--template", "mail.txt").status == 0
    message = server.messages[0].message
    assert "<i>様 <b>" in message.get_body(("plain",)).get_content()
    assert "&lt;i&gt;様" in message.get_body(("html",)).get_content()


def test_the_address_may_stand_in_another_column_and_the_key_too(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text("id,box,name,town\n1,ann@example.net,a,b\n2,ann@example.net,c,d\n", encoding="utf-8")
    assert send("--to-column", "box", "--key", "id").status == 0
    assert [one.message["To"] for one in server.messages] == ["ann@example.net"] * 2


def test_the_column_that_is_told_is_whom_mail_goes_to(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text("email,mail,name,town\nann@example.net,bob@example.net,a,b\n", encoding="utf-8")
    assert send("--to-column", "mail").status == 0
    assert list(arrived(server)) == ["bob@example.net"]


def test_a_line_with_a_value_too_many_is_invalid_and_the_others_go_out(send: Send, server: MailServer) -> None:
    lines = "name,town,メールアドレス\n安部,東京,ann@example.net\nx,y,z,zoe@example.net\n馬場,大阪,bob@example.net\n"
    Path("people.csv").write_text(lines, encoding="utf-8")
    ended = send("--report", "sent.csv")
    assert (ended.status, ended.out.splitlines()[0]) == (1, "2 accepted, 1 invalid"), ended.err
    assert "expected at most 3 values, got 4" in Path("sent.csv").read_text(encoding="utf-8")
    assert [one.message["To"] for one in server.messages] == ["安部 <ann@example.net>", "馬場 <bob@example.net>"]
    ended = send("--dry-run", "--json")
    assert json.loads(ended.out)["invalid"] == [{"line": 3, "fault": "expected at most 3 values, got 4"}]


def test_rows_come_from_a_database_as_well(send: Send, server: MailServer) -> None:
    with sqlite3.connect("crm.db") as database:
        database.execute("create table people (email, name, town)")
        database.execute("insert into people values ('ann@example.net', '安部', '東京')")
    database.close()
    assert send("--bulk-sql", "select * from people", bulk="crm.db").status == 0
    assert arrived(server) == {"ann@example.net": "安部様へ"}


def test_envelope_senders_may_name_their_recipients(send: Send, server: MailServer) -> None:
    assert send("--verp", "bounces@example.org").status == 0
    assert {one.sender for one in server.messages} == {
        "bounces+ann=example.net@example.org",
        "bounces+bob=example.net@example.org",
    }


def test_a_dry_run_sends_nothing_and_finds_what_is_wrong(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text(f"{LIST}no address,x,y\n,,z\ncarl@example.net\n", encoding="utf-8")
    ended = send("--dry-run")
    assert ended.status == 1
    assert ended.out.startswith("MAIL FROM:<news@example.org>")
    assert ended.out.endswith("2 messages, 3 rows without\n")
    assert [line.partition(":")[0] for line in ended.err.splitlines()] == ["line 4", "line 5", "line 6"]
    assert server.messages == []
    assert not Path("news.db").exists()


def test_defaults_stand_for_what_is_missing(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text("email,name,town\ncarl@example.net,,z\n", encoding="utf-8")
    assert send("--default", "name=お客").status == 0
    assert arrived(server) == {"carl@example.net": "お客様へ"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--template", "other.html"], "expected one for the html, got two"),
        (["--template", "no.txt"], "no.txt: cannot be read"),
        (["--to-column", "address"], "--to-column: expected one of email, name, town, got address"),
        (["--default", "name"], "--default: expected a name and a value"),
        (["--report", "report.pdf"], "expected a name that ends with .csv, .json or .html"),
        (["--report", "no/report.csv"], "no/report.csv: cannot be written: No such file or directory"),
        (["--limit", "0"], "--limit: expected 1 or more, got 0"),
        (["--limit=-5"], "--limit: expected 1 or more, got -5"),
        (["--message", "x"], "expected --bulk or --message, got both"),
        (["--text", "{surname}"], "surname"),
    ],
)
def test_what_cannot_work_is_said_before_anything_is_sent(
    send: Send, server: MailServer, options: list[str], said: str
) -> None:
    ended = send(*options)
    assert ended.status in {2, 78}
    assert said in ended.err
    assert server.messages == []


def test_a_ledger_is_expected(ninsho: Run) -> None:
    ended = ninsho("send", "--bulk", "people.csv", "--template", "mail.html", "--from", NEWS, "--via", "smtp://x")
    assert (ended.status, "--ledger" in ended.err) == (2, True)


def test_another_template_under_the_same_name_is_refused_unless_told(send: Send, server: MailServer) -> None:
    send()
    Path("mail.html").write_text("<p>corrected</p>", encoding="utf-8")
    ended = send()
    assert ended.status == 2
    assert "--mailing" in ended.err
    assert send("--changed").status == 0
    assert len(server.messages) == 2
    assert send("--mailing", "second").status == 0
    assert len(server.messages) == 4


@pytest.mark.parametrize(
    "options",
    [
        ["--default", "name=x"],
        ["--reply-to", "other@example.org"],
        ["--cc", "other@example.org"],
        ["--unsubscribe", "leave@example.org"],
        ["--charset", "iso-2022-jp"],
        ["--verp", "bounces@example.org"],
        ["--sender", "bounces@example.org"],
        ["--header", "X-Job: news"],
        ["--images", "images"],
        ["--priority", "high"],
    ],
    ids=lambda options: options[0],
)
def test_other_options_under_the_same_name_are_refused_as_well(
    send: Send, server: MailServer, options: list[str]
) -> None:
    Path("images").mkdir()
    Path("images/logo.png").write_bytes(b"PNG")
    send()
    assert send(*options).status == 2
    assert len(server.messages) == 2


def test_an_image_that_has_changed_is_another_mailing(send: Send) -> None:
    Path("images").mkdir()
    for octets, status in ((b"old", 0), (b"old", 0), (b"new", 2)):
        Path("images/logo.png").write_bytes(octets)
        assert send("--images", "images").status == status


def test_a_template_that_was_at_fault_heals_its_rows(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text(f"{LIST}carl@example.net,c\n", encoding="utf-8")
    assert send().status == 1
    Path("mail.html").write_text("<p>{email}</p>", encoding="utf-8")
    assert send("--changed", subject="News").status == 0
    assert len(server.messages) == 3


def test_who_waits_says_more_than_who_was_refused(send: Send, server: MailServer) -> None:
    server.fail("RCPT", 550, "5.1.1 nobody", when=lambda address: "ann" in address)
    assert send("--limit", "1").status == 75
    assert send("--via", "smtp://127.0.0.1:1").status == 69
    assert send().status == 1


def test_a_refused_sender_is_for_later(send: Send, server: MailServer) -> None:
    Path("people.csv").write_text("email,name,town\n" + "".join(f"u{n}@example.net,a,b\n" for n in range(50)))
    server.fail("MAIL", 550, "5.4.5 daily quota exceeded")
    ended = send()
    assert ended.status == 75
    assert "daily quota exceeded" in ended.err
    server.forgive()
    assert send().status == 0


def test_a_ledger_that_does_not_answer_is_for_later(send: Send, server: MailServer) -> None:
    Path("news.db").write_bytes(b"SQLite format 3\0 and then nothing of it" * 100)
    assert send().status == 75
    assert send(ledger="postgresql://127.0.0.1:1/news").status == 75
    assert server.messages == []


def test_no_password_of_a_ledger_or_a_list_is_shown(send: Send, ninsho: Run) -> None:
    url = "postgresql://alice:hunter2@127.0.0.1:1/news?password=hunter2&user=alice"
    for ended in (send(ledger=url), ninsho("ledger", "show", url), send("--bulk-sql", "select 1", bulk=url)):
        assert ended.status in {75, 78}
        assert "hunter2" not in ended.out + ended.err


def test_what_went_wrong_is_told_in_words_and_in_json(send: Send, ninsho: Run, server: MailServer) -> None:
    server.fail("RCPT", 550, "5.1.1 nobody", when=lambda address: "bob" in address)
    ended = send("--json")
    assert ended.status == 1
    assert ended.json["run"]["refused"] == 1
    assert ended.json["recipients"]["accepted"] == 1
    shown = ninsho("ledger", "show", "news.db")
    assert shown.status == 0
    assert shown.out.startswith("people: 1 accepted, 1 refused\n")
    assert "bob@example.net  refused  550 5.1.1 nobody" in shown.out
    (facts,) = ninsho("ledger", "show", "news.db", "--json").json
    assert facts["wrong"][0]["line"] == 3
    server.forgive()
    assert ninsho("ledger", "retry", "news.db", "--refused").out.startswith("1 wait again")
    assert send().status == 0


def test_a_server_that_is_not_there_leaves_all_for_later(send: Send, server: MailServer) -> None:
    ended = send("--via", "smtp://127.0.0.1:1")
    assert ended.status == 69
    assert "2 waiting" in ended.out
    assert send().status == 0
    assert len(server.messages) == 2


def test_a_signal_ends_a_run_in_good_order(send: Send, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("people.csv").write_text("email,name,town\n" + "".join(f"u{n}@example.net,a,b\n" for n in range(100)))
    run = Bulk.run

    def interrupted(bulk: Bulk) -> object:
        told = bulk._progress

        def tell(tally: Tally) -> None:
            told(tally)
            if tally.done == 10:
                os.kill(os.getpid(), signal.SIGINT)

        bulk._progress = tell
        return run(bulk)

    monkeypatch.setattr(Bulk, "run", interrupted)
    ended = send()
    assert ended.status == 130
    assert "stopping" in ended.err
    assert "unknown" not in ended.out
    assert "sending" not in ended.out
    monkeypatch.undo()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.mark.parametrize("form", ["csv", "json", "html"])
def test_a_report_is_written_that_nobody_can_smuggle_anything_into(send: Send, server: MailServer, form: str) -> None:
    Path("people.csv").write_text(
        "email,name,town\nann@example.net,\"=cmd|' /C calc'!A0\",<script>alert(1)</script>\nx<script>@,n,t\n"
    )
    server.fail("RCPT", 550, "5.1.1 <script>alert(2)</script>")
    send("--report", f"report.{form}")
    text = Path(f"report.{form}").read_text(encoding="utf-8")
    if form == "csv":
        rows = list(csv.DictReader(text.splitlines()))
        assert {row["state"] for row in rows} == {"refused", "invalid"}
        assert rows[0]["name"].startswith("'=")
    elif form == "json":
        assert {one["state"] for one in json.loads(text)} == {"refused", "invalid"}
    else:
        assert "<script" not in text
        assert "&lt;script&gt;alert(2)" in text
        for drawing in text.split("<svg")[1:]:
            ET.fromstring(f"<svg{drawing.partition('</svg>')[0]}</svg>")
