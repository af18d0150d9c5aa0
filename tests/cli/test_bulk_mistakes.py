"""What people do who send mail to many for the first time, and what they are told."""

import webbrowser
from pathlib import Path

import pytest
from bulk_command import LIST, Send, here, send, server
from command_line import Run

from ninsho.testing import MailServer

__all__ = ["here", "send", "server"]

BOSS = "boss@example.jp"


@pytest.mark.parametrize(
    ("fields", "such"), [("braces", "{email}"), ("percent", "%email%"), ("jinja", "{{ email }}")], ids=str
)
def test_one_mailbox_for_all_is_refused(send: Send, server: MailServer, fields: str, such: str) -> None:
    Path("mail.html").write_text("<p>News</p>")
    for dry in ([], ["--dry-run"]):
        ended = send("--to", BOSS, "--fields", fields, *dry, subject="News")
        assert (ended.status, f"such as '{such}', got '{BOSS}'" in ended.err) == (2, True), ended.err
    assert server.messages == []
    assert send("--to", such, "--fields", fields, subject="News").status == 0
    assert len(server.messages) == 2


def test_a_message_that_goes_elsewhere_makes_its_row_invalid(send: Send, ninsho: Run, server: MailServer) -> None:
    Path("people.csv").write_text(
        "email,name,town,other\nann@example.net,a,b,zoe@example.net\nbob@example.net,c,d,bob@example.net\n"
    )
    fault = "expected a message that goes to 'ann@example.net', got one that goes to 'zoe@example.net'"
    dry = send("--to", "{name} <{other}>", "--dry-run")
    assert (dry.status, dry.err) == (1, f"line 2: {fault}\n")
    assert send("--to", "{name} <{other}>").status == 1
    assert [one.recipients for one in server.messages] == [("bob@example.net",)]
    assert fault in ninsho("ledger", "show", "news.db").out


def test_copies_of_all_are_remarked_upon(send: Send, server: MailServer) -> None:
    ended = send("--cc", BOSS)
    assert ended.status == 0
    assert f"{BOSS}: a copy of each message, 2 in all" in ended.err
    assert [one.recipients for one in server.messages] == [("ann@example.net", BOSS), ("bob@example.net", BOSS)]
    again = send("--cc", BOSS)
    assert "copy" not in again.err
    assert "copy" not in send("--cc", "{name} <{email}>", "--mailing", "other").err


@pytest.mark.parametrize("tab", ["tab", "TAB", r"\t", "\t"])
def test_columns_may_be_parted_by_tabs(send: Send, server: MailServer, tab: str) -> None:
    Path("people.csv").write_text(LIST.replace(",", "\t"), encoding="utf-8")
    ended = send("--delimiter", tab)
    assert ended.status == 0, ended.err
    assert len(server.messages) == 2


@pytest.mark.parametrize("delimiter", ["", ";;", '"', "\n"])
def test_what_parts_no_columns_is_said_so(send: Send, delimiter: str) -> None:
    ended = send("--delimiter", delimiter)
    assert ended.status == 2
    assert "--delimiter: expected one character such as ';', or tab, got " in ended.err


def test_a_list_is_no_ledger(send: Send, ninsho: Run, server: MailServer) -> None:
    for ended in (ninsho("ledger", "show", "people.csv"), send(ledger="people.csv")):
        assert ended.status == 78
        assert "people.csv: expected a ledger, got a file that is none" in ended.err
    assert Path("people.csv").read_text(encoding="utf-8") == LIST
    assert server.messages == []


def test_a_dry_run_opens_the_first_message(send: Send, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda page: bool(opened.append(page)) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ended = send("--dry-run", "--open")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "2 messages, 0 rows without"), ended.err
    (page,) = opened
    assert "安部様" in Path(page.removeprefix("file://")).read_text(encoding="utf-8")
    assert len(list(tmp_path.rglob("*.eml"))) == 1


@pytest.mark.parametrize("options", [["--open"], ["--open", "--dry-run", "--json"]])
def test_only_a_dry_run_opens_anything(send: Send, server: MailServer, options: list[str]) -> None:
    ended = send(*options)
    assert (ended.status, "--open: expected --dry-run alone" in ended.err) == (2, True)
    assert server.messages == []


def test_a_line_is_named_once(send: Send, ninsho: Run) -> None:
    Path("people.csv").write_text(f"{LIST}carl@example.net,c\ndora@example.net,d,e,f\n", encoding="utf-8")
    dry = send("--dry-run")
    lines = dry.err.splitlines()
    assert [line.partition(":")[0] for line in lines] == ["line 4", "line 5"]
    assert not any(line.count("line ") > 1 for line in lines)
    assert send().status == 1
    shown = ninsho("ledger", "show", "news.db").out
    assert "line 4" not in shown
    assert "line 5" not in shown
    assert [row.split()[0] for row in shown.splitlines()[2:]] == ["4", "5"]
