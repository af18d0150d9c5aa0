"""``ninsho ledger``: what became of a mailing, shown, exported, tried again, and what came back of it."""

import csv
import errno
import io
import json
from pathlib import Path

import pytest
from bulk_command import NEWS, Send, here, send, server
from command_line import Run

from ninsho.testing import MailServer

__all__ = ["here", "send", "server"]


def test_unknown_ones_are_sent_again_only_where_somebody_agrees(send: Send, ninsho: Run, server: MailServer) -> None:
    server.drop(at="dot", taken=True, times=1)
    assert send().status == 1
    assert ninsho("ledger", "retry", "news.db", "--unknown").status == 2
    assert ninsho("ledger", "retry", "news.db").status == 2
    assert ninsho("ledger", "retry", "news.db", "--unknown", "--yes").status == 0
    assert send().status == 0
    assert len(server.messages) == 3


def test_recipients_are_exported_by_state(send: Send, ninsho: Run, server: MailServer) -> None:
    server.fail("RCPT", 450, "4.2.0 later", when=lambda address: "bob" in address)
    assert send().status == 75
    exported = ninsho("ledger", "export", "news.db", "-", "--deferred")
    (row,) = csv.DictReader(exported.out.splitlines())
    assert (row["address"], row["town"], row["code"]) == ("bob@example.net", "大阪", "450")
    assert ninsho("ledger", "export", "news.db", "all.json").status == 0
    assert len(json.loads(Path("all.json").read_text())) == 2
    assert ninsho("ledger", "export", "news.db", "all.html").status == 0


BOUNCE = """\
From: MAILER-DAEMON@example.net
To: {to}
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b
MIME-Version: 1.0

--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {status} no such user

--b
Content-Type: text/rfc822-headers

Message-ID: {message_id}

--b--
"""


def bounce(server: MailServer, recipient: str, **told: str) -> str:
    usual = {"to": NEWS, "recipient": recipient, "action": "failed", "status": "5.1.1", "message_id": ""}
    return BOUNCE.format(**{**usual, **told})


def test_bounces_are_noted_by_message_id_by_address_and_by_envelope_sender(
    send: Send, ninsho: Run, server: MailServer
) -> None:
    send()
    ids = {one.recipients[0]: one.message["Message-ID"] for one in server.messages}
    moved = bounce(server, "moved@example.com", message_id=ids["ann@example.net"])
    ended = ninsho("ledger", "bounces", "news.db", "-", stdin=moved)
    assert ended.out.startswith("ann@example.net failed 5.1.1")
    later = bounce(server, "bob@EXAMPLE.net", action="delayed", status="4.4.1")
    assert ninsho("ledger", "bounces", "news.db", "-", "--json", stdin=later).json["noted"][0]["action"] == "delayed"
    shown = ninsho("ledger", "show", "news.db").out
    assert shown.startswith("people: 1 accepted, 1 bounced")
    verp = bounce(server, "else@example.com", to="bounces+bob=example.net@example.org")
    Path("in").mkdir()
    Path("in/1").write_text(verp)
    Path("in/2").write_text("From: a@b\n\nhello\n")
    ended = ninsho("ledger", "bounces", "news.db", "in", "--verp", "bounces@example.org")
    assert "1 noted, 0 about mail that is not in the ledger, 1 no bounces" in ended.err
    assert ninsho("ledger", "show", "news.db").out.startswith("people: 2 bounced")


def test_reports_are_for_nobody_elses_eyes(send: Send, ninsho: Run) -> None:
    send("--report", "report.csv")
    ninsho("ledger", "export", "news.db", "all.json")
    assert [Path(name).stat().st_mode & 0o077 for name in ("report.csv", "all.json")] == [0, 0]


def test_a_csv_export_has_the_columns_of_all_and_nothing_to_run(send: Send, ninsho: Run, server: MailServer) -> None:
    send()
    Path("people.csv").write_text('email,name,town,note\ncarl@example.net,"\n=1+1",＝cmd,last\n', encoding="utf-8")
    send()
    exported = ninsho("ledger", "export", "news.db", "-")
    rows = {row["email"]: row for row in csv.DictReader(io.StringIO(exported.out))}
    assert rows["carl@example.net"]["note"] == "last"
    assert (rows["carl@example.net"]["name"], rows["carl@example.net"]["town"]) == ("'\n=1+1", "'＝cmd")
    assert rows["ann@example.net"]["note"] == ""


def test_a_ledger_that_may_not_be_read_is_said_so(ninsho: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    ended = ninsho("ledger", "show", "news.db")
    assert (ended.status, "cannot be read: Permission denied" in ended.err) == (78, True)


def test_a_ledger_that_is_not_there_is_not_made(ninsho: Run) -> None:
    ended = ninsho("ledger", "show", "other.db")
    assert ended.status == 78
    assert not Path("other.db").exists()
