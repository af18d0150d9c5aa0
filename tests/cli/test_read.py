"""``ninsho read``: what it shows, what it saves, and under which names."""

from email.message import EmailMessage
from pathlib import Path

import pytest
from command_line import Run
from loading import loaded_after

from ninsho.cli.read.saving import safe_name
from ninsho.mail.reading import Attached

BOUNCE = """\
Return-Path: <>
From: MAILER-DAEMON@mx.example.jp
To: bounces+alice=example.org@news.example.jp

This is the mail system at host mx.example.jp.

<alice@example.org>: host mail.example.org[192.0.2.1] said: 550 5.1.1 User unknown (in reply to RCPT TO command)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    message = EmailMessage()
    message["From"] = "山田 <taro@example.jp>"
    message["To"] = "a@b.example"
    message["Date"] = "Wed, 1 Apr 2026 10:00:00 +0900"
    message["Subject"] = "お知らせ"
    message["X-Y"] = "z"
    message.set_content("本文\x1b[2J\n二行目\n", charset="utf-8")
    message.add_alternative("<p>本文", subtype="html")
    message.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="../見積書.pdf")
    path = tmp_path / "message.eml"
    path.write_bytes(message.as_bytes())
    return path


def test_a_message_is_shown_decoded(ninsho: Run, file: Path) -> None:
    ended = ninsho("read", file)
    assert ended.status == 0
    assert ended.out.splitlines() == [
        'From: "山田" <taro@example.jp>',
        "To: a@b.example",
        "Date: 2026-04-01 10:00:00+09:00",
        "Subject: お知らせ",
        "",
        "本文\\x1b[2J",
        "二行目",
        "",
        "FILE        TYPE             SIZE",
        "見積書.pdf  application/pdf  4 octets",
    ]
    assert "X-Y: z" in ninsho("read", file, "--header").out
    assert "<p>本文" in ninsho("read", file, "--html").out


def test_standard_input_and_json(ninsho: Run, file: Path) -> None:
    told = ninsho("read", "-", "--json", stdin=file.read_bytes()).json
    assert (told["subject"], told["from"]) == ("お知らせ", [{"name": "山田", "address": "taro@example.jp"}])
    assert (told["date"], told["text"]) == ("2026-04-01T10:00:00+09:00", "本文\x1b[2J\n二行目\n")
    assert ["X-Y", "z"] in told["header"]
    assert told["attachments"][0]["filename"] == "見積書.pdf"
    assert (told["bounce"], told["complaint"], told["defects"]) == (None, None, [])


def test_files_are_saved_over_nothing(ninsho: Run, file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    assert f"saved: {folder}/見積書.pdf" in ninsho("read", file, "--save", folder).out
    assert ninsho("read", file, "--save", folder, "--json").json["attachments"][0]["saved"] == f"{folder}/見積書-2.pdf"
    (folder / "見積書-3.pdf").symlink_to(tmp_path / "elsewhere")
    ninsho("read", file, "--save", folder)
    assert sorted(path.name for path in folder.iterdir()) == [
        "見積書-2.pdf",
        "見積書-3.pdf",
        "見積書-4.pdf",
        "見積書.pdf",
    ]
    assert not (tmp_path / "elsewhere").exists()
    assert (folder / "見積書-4.pdf").read_bytes() == b"%PDF"


def test_a_bounce_is_told(ninsho: Run) -> None:
    ended = ninsho("read", "-", stdin=BOUNCE)
    assert "a bounce (postfix) about a message:" in ended.out
    assert "alice@example.org  failed  5.1.1   host mail.example.org" in ended.out
    told = ninsho("read", "-", "--json", "--verp", "bounces@news.example.jp", stdin=BOUNCE).json["bounce"]
    assert (told["verp"], told["reports"][0]["permanent"]) == ("alice@example.org", True)


def test_a_complaint_is_told(ninsho: Run) -> None:
    text = "Content-Type: message/feedback-report\n\nFeedback-Type: abuse\nOriginal-Rcpt-To: alice@example.org\n"
    assert "a complaint (abuse) of alice@example.org" in ninsho("read", "-", stdin=text).out


def test_defects_are_told_beside_it(ninsho: Run) -> None:
    ended = ninsho("read", "-", stdin="Subject: x\nDate: never\n\ny\n")
    assert (ended.err, ended.out) == ("defect: a date that cannot be read\n", "Subject: x\n\ny\n")


def test_what_cannot_be_read_or_written(ninsho: Run, file: Path, tmp_path: Path) -> None:
    missing = ninsho("read", tmp_path / "none")
    assert (missing.status, missing.err) == (2, f"ninsho: {tmp_path}/none: cannot be read: No such file or directory\n")
    refused = ninsho("read", file, "--save", file)
    assert (refused.status, refused.err) == (1, f"ninsho: --save: {file}: cannot be written: File exists\n")


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.txt", "a.txt"),
        (".bashrc", "bashrc"),
        ("..", "attachment-7.pdf"),
        ("", "attachment-7.pdf"),
        ("a/b\\c:d.txt", "a_b_c_d.txt"),
        ("con.txt", "_con.txt"),
        ("NUL", "_NUL"),
        ("console.txt", "console.txt"),
        ("a\u202egpj.exe", "agpj.exe"),
        ("a\0\n.txt", "a__.txt"),
        ("name. ", "name"),
        ("か\u3099.txt", "が.txt"),
        ("あ" * 100 + ".txt", "あ" * 65 + ".txt"),
        ("x." + "y" * 300, "x." + "y" * 198),
    ],
)
def test_names_that_harm_nobody(filename: str, expected: str) -> None:
    assert safe_name(Attached(filename, "application/pdf", b""), 7) == expected


def test_a_message_without_a_name_is_one() -> None:
    assert safe_name(Attached("", "message/rfc822", b""), 2) == "attachment-2.eml"
    assert safe_name(Attached("", "x/y", b""), 2) == "attachment-2"


def test_it_loads_nothing_that_it_does_not_need() -> None:
    assert not loaded_after("read", "/dev/null") & {
        "asyncio",
        "sqlalchemy",
        "pydantic",
        "lxml",
        "ninsho.client",
    }
