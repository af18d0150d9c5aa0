"""``ninsho send``: what arrives, what is said about it, and the exit status."""

import os
import pty
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from mailbox import Maildir, mbox
from pathlib import Path
from typing import TypeAlias

import pytest
from command_line import Ended, Run
from loading import loaded_after

from ninsho.cli.send import hiding
from ninsho.cli.send.words import in_options
from ninsho.testing import MailServer, Received

ALICE = "alice@example.org"
SECRET = "tanstaaf§"
Send: TypeAlias = Callable[..., Ended]
WHOLE = b"From: alice@example.org\r\nTo: bob@example.net\r\nSubject: whole\r\n\r\n.dot\r\n"


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP_URL", "SMTP_HOST", "SMTP_USER", "SMTP_USERNAME", "SMTP_PASSWORD"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer(users={ALICE: SECRET}) as running:
        yield running
        assert running.violations == []


@pytest.fixture
def send(ninsho: Run, server: MailServer, monkeypatch: pytest.MonkeyPatch) -> Send:
    """Send as Alice to Bob through the server, which the environment names."""
    monkeypatch.setenv("SMTP_URL", server.url_for(ALICE))

    def command(*options: str | Path, stdin: str | bytes = b"") -> Ended:
        return ninsho("send", "--to", "bob@example.net", *options, stdin=stdin)

    return command


def only(server: MailServer) -> Received:
    (received,) = server.messages
    return received


# What arrives


def test_a_message_from_options_arrives_as_it_was_meant(send: Send, server: MailServer) -> None:
    options = ("--from", "田中 <alice@example.org>", "--subject", "こんにちは、世界", "--text", "本文です。\n.\n..dot")
    ended = send(*options, "--cc", '"Carol, C." <carol@example.net>', "--reply-to", "answers@example.org")
    assert (ended.status, ended.err) == (0, "")
    received = only(server)
    message = received.message
    assert received.recipients == ("bob@example.net", "carol@example.net")
    assert message["Subject"] == "こんにちは、世界"
    assert message["From"].addresses[0].display_name == "田中"
    assert message["Cc"].addresses[0].display_name == "Carol, C."
    assert message["Reply-To"] == "answers@example.org"
    assert message.get_content() == "本文です。\r\n.\r\n..dot\r\n"
    assert received.content.partition(b"\r\n\r\n")[0].isascii()


def test_date_and_message_id_are_the_senders(send: Send, server: MailServer) -> None:
    send("--text", "x")
    message = only(server).message
    assert message["Date"].datetime.tzinfo is not None
    assert message["Message-ID"].endswith("@example.org>")


def test_blind_copies_are_blind(send: Send, server: MailServer) -> None:
    send("--bcc", "secret@example.net", "--text", "x")
    assert only(server).recipients == ("bob@example.net", "secret@example.net")
    assert b"secret" not in only(server).content


@pytest.mark.parametrize("options", [(), ("--text", "-")])
def test_the_text_may_come_from_standard_input(send: Send, server: MailServer, options: tuple[str, ...]) -> None:
    send(*options, stdin="Grüße\n")
    assert only(server).message.get_content() == "Grüße\r\n"


def test_text_and_html_are_two_forms_of_one_message(send: Send, server: MailServer) -> None:
    send("--text", "- bold", "--html", "<b>bold</b>")
    message = only(server).message
    assert message.get_content_type() == "multipart/alternative"
    assert [part.get_content() for part in message.iter_parts()] == ["- bold\n", "<b>bold</b>\n"]


def test_files_are_attached(send: Send, server: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "報告.bin"
    file.write_bytes(octets := bytes(range(256)) * 8192)
    ended = send("--attach", file, "--attach", file, stdin="two files")
    assert ended.status == 0
    message = only(server).message
    assert message.get_body().get_content() == "two files\n"
    attachments = list(message.iter_attachments())
    assert [part.get_filename() for part in attachments] == ["報告.bin"] * 2
    assert [part.get_content() for part in attachments] == [octets] * 2


def test_further_fields_are_added(send: Send, server: MailServer) -> None:
    send("--header", "X-Job: sauvegarde terminée", "--header", "Date: Fri, 21 Nov 1997 09:55:06 -0600", "--text", "x")
    message = only(server).message
    assert message["X-Job"] == "sauvegarde terminée"
    assert message.get_all("Date") == ["Fri, 21 Nov 1997 09:55:06 -0600"]


def test_notifications_are_asked_for(send: Send, server: MailServer) -> None:
    send("--notify", "success", "--notify", "failure", "--text", "x")
    assert only(server).rcpt_parameters["bob@example.net"] == {"NOTIFY": "SUCCESS,FAILURE"}


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("bob@日本語.example", "bob@xn--wgv71a119e.example"),
        ('"b o b"@example.net', '"b o b"@example.net'),
        ("田中@example.net", "田中@example.net"),
    ],
)
def test_rare_addresses_are_sent_as_they_are(send: Send, server: MailServer, address: str, path: str) -> None:
    ended = send("--cc", f"Bob <{address}>", "--text", "x")
    assert (ended.status, ended.err) == (0, "")
    assert only(server).recipients == ("bob@example.net", path)
    assert f"Cc: Bob <{path}>\r\n".encode() in only(server).content


def test_dots_stay_where_docomo_had_them(ninsho: Run) -> None:
    options = ("--from", ALICE, "--to", "a..b.@docomo.ne.jp", "--text", "x", "--dry-run")
    lines = ninsho("send", *options).out.splitlines()
    assert {"RCPT TO:<a..b.@docomo.ne.jp>", "To: a..b.@docomo.ne.jp"} <= set(lines)


# Standard input is read once


@pytest.mark.parametrize(
    "options", [("--text", "-", "--html", "-"), ("--message", "-", "--message", "-")], ids=lambda options: options[0]
)
def test_two_options_cannot_both_have_standard_input(ninsho: Run, server: MailServer, options: tuple[str, ...]) -> None:
    author = ("--from", ALICE, "--to", "b@example.net") if "--text" in options else ()
    ended = ninsho("send", *author, *options, "--via", server.url, stdin=WHOLE)
    assert ended.status == 2
    assert "expected standard input for one of them" in ended.err
    assert server.talks == []


@pytest.mark.parametrize("author", [(), ("--from", ALICE)], ids=["from the login", "--from"])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["sent", "dry"])
def test_the_password_stands_in_front_of_the_text(
    ninsho: Run, without_password: str, author: tuple[str, ...], dry: tuple[str, ...], server: MailServer
) -> None:
    options = ("--to", "b@example.net", *author, "--via", without_password, "--password-file", "-", *dry)
    ended = ninsho("send", *options, stdin=f"{SECRET}\nthe text\n")
    assert (ended.status, ended.err) == (0, "")
    content = ended.out if dry else only(server).content.decode()
    assert "the text" in content
    assert SECRET not in content + ended.out


@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["sent", "dry"])
def test_the_password_stands_in_front_of_a_whole_message(
    ninsho: Run, without_password: str, dry: tuple[str, ...], server: MailServer
) -> None:
    options = ("--message", "-", "--via", without_password, "--password-file", "-", *dry)
    ended = ninsho("send", *options, stdin=SECRET.encode() + b"\n" + WHOLE)
    assert (ended.status, ended.err) == (0, "")
    assert SECRET not in ended.out
    assert "Subject: whole" in (ended.out if dry else only(server).content.decode())


@pytest.mark.parametrize("options", [(), ("--text", "-"), ("--text", "x", "--html", "-")])
@pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["sent", "dry"])
def test_behind_the_password_a_text_is_expected(
    ninsho: Run, without_password: str, options: tuple[str, ...], dry: tuple[str, ...], server: MailServer
) -> None:
    options = ("--to", "b@example.net", *options, "--via", without_password, "--password-file", "-", *dry)
    ended = ninsho("send", *options, stdin=f"{SECRET}\n")
    assert (ended.status, ended.out) == (2, "")
    assert f"{'--html' if '--html' in options else '--text'}: expected it behind the password" in ended.err
    assert server.talks == []


def test_with_a_file_there_need_be_no_text_behind_the_password(
    ninsho: Run, server: MailServer, without_password: str, tmp_path: Path
) -> None:
    (file := tmp_path / "file").write_text("content")
    options = ("--to", "b@example.net", "--attach", file, "--via", without_password, "--password-file", "-")
    assert ninsho("send", *options, stdin=f"{SECRET}\n").status == 0
    assert only(server).username == ALICE


# Messages that are given whole


def test_a_whole_message_is_sent_as_it_is_but_for_what_it_lacks(
    ninsho: Run, server: MailServer, tmp_path: Path
) -> None:
    file = tmp_path / "message.eml"
    file.write_bytes(WHOLE)
    for message, stdin in (("-", WHOLE), (file, b"")):
        assert ninsho("send", "--message", message, "--via", server.url, stdin=stdin).status == 0
    for received in server.messages:
        added, _, rest = received.content.partition(b"From: ")
        assert b"From: " + rest == WHOLE
        assert [line.partition(b":")[0] for line in added.splitlines()] == [b"Date", b"Message-ID"]
        assert b"@example.org>" in added


def test_a_line_that_has_no_end_is_a_field_all_the_same(ninsho: Run, server: MailServer) -> None:
    header = (
        b"From: a@example.org\nTo: b@example.net\nDate: Fri, 21 Nov 1997 09:55:06 -0600\nMessage-ID: <1@example.org>"
    )
    assert ninsho("send", "--message", "-", "--via", server.url, stdin=header).status == 0
    assert only(server).message.get_all("Message-ID") == ["<1@example.org>"]


@pytest.mark.parametrize(
    "line",
    [
        b"From here on it is hostile",
        b"From: mallory@example.org",
        b"From mallory@example.org",
        b"From mallory@example.org 2024",
        b"From mallory@example.org at 12:00:00 in 2024",
    ],
)
def test_a_paragraph_that_begins_like_a_message_is_none(ninsho: Run, server: MailServer, line: bytes) -> None:
    piped = (
        b"From alice@example.org Fri Jul  8 12:08:34 2011\n" + WHOLE + b"\n\n" + line + b"\nTo: eve@example.net\n\nx\n"
    )
    assert ninsho("send", "--message", "-", "--via", server.url, stdin=piped).status == 0
    assert line in only(server).content


@pytest.mark.parametrize(
    "line",
    [
        b"From alice@example.org Fri Jul  8 12:08:34 2011",
        b'From "a b"@example.org Fri Jul 18 12:08:34 2011\r',
        b"From MAILER-DAEMON  Fri Jul  8 12:08 2011",
        b"From alice@example.org Fri Jul  8 12:08:34 CEST 2011",
        b"From alice@example.org Fri Jul 08 12:08:34 2011 +0200",
        b"From - Fri Jul 08 12:08:34 2011",
    ],
)
def test_a_line_that_begins_a_message(ninsho: Run, server: MailServer, line: bytes) -> None:
    box = (line + b"\n" + WHOLE + b"\n\n") * 2
    assert ninsho("send", "--message", "-", "--via", server.url, stdin=box).status == 0
    assert len(server.messages) == 2


def test_what_a_whole_message_has_is_left_alone(ninsho: Run, server: MailServer) -> None:
    complete = b"message-id: <1@example.org>\r\ndate : Fri, 21 Nov 1997 09:55:06 -0600\r\n" + WHOLE
    ninsho("send", "--message", "-", "--via", server.url, stdin=complete)
    assert only(server).content == complete


def test_the_envelope_can_be_another(ninsho: Run, server: MailServer) -> None:
    options = ("--sender", "<>", "--recipient", "x@example.net", "--recipient", "y@example.net")
    assert ninsho("send", "--message", "-", *options, "--via", server.url, stdin=WHOLE).status == 0
    assert (only(server).sender, only(server).recipients) == ("", ("x@example.net", "y@example.net"))


def test_a_large_message_is_streamed_and_completed(ninsho: Run, server: MailServer, tmp_path: Path) -> None:
    large = tmp_path / "large.eml"
    large.write_bytes(WHOLE + b"0123456789\r\n" * 200_000)
    assert ninsho("send", "--message", large, "--via", server.url).status == 0
    assert ninsho("send", "--message", "-", "--via", server.url, stdin=large.read_bytes()).status == 0
    for received in server.messages:
        assert received.content.endswith(large.read_bytes())
        assert received.message["Message-ID"].endswith("@example.org>")


def test_mailboxes_and_folders_are_sent_in_their_order(ninsho: Run, server: MailServer, tmp_path: Path) -> None:
    folder, box, maildir = tmp_path / "folder", mbox(tmp_path / "box"), Maildir(tmp_path / "maildir")
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.eml").write_bytes(WHOLE.replace(b"whole", b"file %d" % number))
        box.add(WHOLE.replace(b"whole", b"box %d" % number).replace(b".dot", b"From the start") + b"\r\n")
    (folder / ".hidden").write_bytes(b"no message")
    maildir.add(WHOLE)
    box.close()
    messages = ("--message", folder, "--message", tmp_path / "box", "--message", tmp_path / "maildir")
    ended = ninsho("send", *messages, "--via", server.url)
    assert (ended.status, ended.out) == (0, "7 of 7 messages accepted\n")
    subjects = [received.message["Subject"] for received in server.messages]
    assert subjects == ["file 0", "file 1", "file 2", "box 0", "box 1", "box 2", "whole"]
    assert server.messages[3].message.get_content() == "From the start\n\n"


def test_a_pipe_may_stand_for_a_file(ninsho: Run, server: MailServer) -> None:
    reading, writing = os.pipe()
    os.write(writing, WHOLE)
    os.close(writing)
    assert ninsho("send", "--message", f"/dev/fd/{reading}", "--via", server.url).status == 0
    os.close(reading)
    assert only(server).message["Subject"] == "whole"


# What is said


def test_one_message_is_told_of_in_full(send: Send) -> None:
    first, second = send("--text", "x").out.splitlines()
    assert first.startswith("accepted: bob@example.net: 250 2.0.0 Ok: queued as ")
    assert "@example.org> through 127.0.0.1:" in second
    assert second.endswith(", logged in by SCRAM-SHA-512")


def test_nothing_is_said_if_nobody_wants_to_hear_it(send: Send) -> None:
    assert send("--text", "x", "--quiet") == Ended(0, "", "")


def test_json_tells_each_recipients_fate(send: Send, server: MailServer) -> None:
    server.fail("RCPT", 550, "5.1.1 unknown", when=lambda address: address.startswith("carol"))
    (told,) = (ended := send("--cc", "carol@example.net", "--text", "x", "--json")).json
    assert ended.status == 1
    assert (told["accepted"], told["sender"], told["error"]) == (False, ALICE, None)
    assert told["queue_id"] == only(server).queue_id
    assert told["via"]["mechanism"] == "SCRAM-SHA-512"
    assert [(one["address"], one["outcome"], one["code"]) for one in told["recipients"]] == [
        ("bob@example.net", "accepted", 250),
        ("carol@example.net", "refused", 550),
    ]
    assert told["recipients"][1]["enhanced_code"] == "5.1.1"


def test_a_dry_run_shows_all_and_connects_nowhere(ninsho: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    file.write_bytes(b"\x00\xff")
    options = ("--from", ALICE, "--to", "bob@example.net", "--bcc", "c@example.net", "--notify", "never")
    ended = ninsho("send", *options, "--text", "Grüße", "--attach", file, "--dry-run")
    assert ended.status == 0
    lines = ended.out.splitlines()
    assert lines[:4] == [
        f"MAIL FROM:<{ALICE}>",
        "RCPT TO:<bob@example.net> NOTIFY=NEVER",
        "RCPT TO:<c@example.net> NOTIFY=NEVER",
        "DATA",
    ]
    assert {b64encode("Grüße\r\n".encode()).decode(), "AP8="} < set(lines)
    assert "Bcc" not in ended.out
    (told,) = ninsho("send", *options, "--text", "Grüße", "--dry-run", "--json").json
    assert told["recipients"] == ["bob@example.net", "c@example.net"]
    assert "\n\nR3LDvMOfZQ0K\n" in told["text"]


@pytest.mark.parametrize(
    "source",
    [(), ("--password-file", "nowhere"), ("--password-from", "ask"), ("--password-command", "false")],
    ids=["none", "file", "ask", "command"],
)
def test_a_dry_run_wants_no_secret(ninsho: Run, source: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "smtp://alice%40example.com@mail.example.com")
    ended = ninsho("send", "--to", "bob@example.net", "--text", "x", *source, "--dry-run")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("MAIL FROM:<alice@example.com>")


@pytest.mark.parametrize("name", ["SMTP_USER", "SMTP_USERNAME"])
def test_a_dry_run_knows_the_author_from_either_variable(
    ninsho: Run, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMTP_HOST", "mail.example.com")
    monkeypatch.setenv(name, ALICE)
    assert f"From: {ALICE}" in ninsho("send", "--to", "bob@example.net", "--text", "x", "--dry-run").out


def test_a_dry_run_tells_what_is_wrong_with_a_url(ninsho: Run) -> None:
    ended = ninsho("send", "--to", "bob@example.net", "--text", "x", "--dry-run", "--via", "localhost")
    assert ended.status == 2
    assert ended.err.startswith("ninsho: --via: expected smtp://, ")
    assert "password" not in ended.err


def test_the_transcript_hides_secrets(send: Send) -> None:
    ended = send("--text", "x", "--auth", "plain", "--transcript")
    assert "> AUTH PLAIN (hidden)" in ended.err.splitlines()
    assert "< 235 2.7.0 Authentication successful" in ended.err.splitlines()
    assert SECRET not in ended.err
    assert "\x1b" not in ended.err


def test_the_transcript_is_coloured_on_a_terminal(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(sys.stderr), "isatty", lambda self: self is sys.stderr)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[36m> QUIT\x1b[0m" in send("--text", "x", "--transcript").err.splitlines()


def test_nothing_of_the_server_half_is_loaded(server: MailServer) -> None:
    options = ("--from", ALICE, "--to", "b@example.net", "--text", "x", "--dry-run")
    loaded = loaded_after("send", *options) | loaded_after("probe", f"127.0.0.1:{server.port}")
    assert not loaded & {"asyncio", "pydantic", "sqlalchemy", "rich.progress", "ninsho.daemon", "ninsho.stores"}


def test_many_messages_have_a_bar_on_a_terminal(server: MailServer, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(WHOLE)
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "ninsho", "send", "--message", str(tmp_path), "--via", server.url]
    with subprocess.Popen(
        command, stderr=theirs, stdout=subprocess.PIPE, env={**os.environ, "TERM": "xterm", "COLUMNS": "80"}
    ) as child:
        os.close(theirs)
        drawn = b""
        while chunk := _read(ours):
            drawn += chunk
        assert child.stdout is not None
        assert child.stdout.read() == b"3 of 3 messages accepted\n"
    os.close(ours)
    assert b"sending" in drawn
    assert b"3/3" in drawn


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:
        # The other end is closed.
        return b""


# How it ends


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (("RCPT", 550, "5.1.1 unknown"), 1),
        (("RCPT", 450, "4.2.1 busy"), 75),
        (("MAIL", 552, "5.3.4 too large"), 1),
        (("dot", 451, "4.3.0 later"), 75),
        (("dot", 554, "5.7.1 spam"), 1),
        (("AUTH", 454, "4.7.0 cannot tell"), 75),
        (("AUTH", 535, "5.7.8 wrong"), 1),
        (("greeting", 554, "5.7.1 not you"), 1),
        (("greeting", 421, "4.3.2 too many"), 75),
    ],
)
def test_the_exit_status_says_whether_later_is_worth_a_try(
    send: Send, server: MailServer, fault: tuple[str, int, str], status: int
) -> None:
    server.fail(*fault)
    ended = send("--text", "x")
    assert ended.status == status
    assert f"{fault[1]} {fault[2]}" in ended.err
    assert ended.out == ""


def test_later_is_not_advised_where_somebody_would_get_it_twice(send: Send, server: MailServer) -> None:
    server.fail("RCPT", 450, "4.2.1 busy", when=lambda address: address.startswith("carol"))
    ended = send("--cc", "carol@example.net", "--text", "x")
    assert ended.status == 1
    assert "accepted: bob@example.net" in ended.err
    assert "refused: carol@example.net: 450 4.2.1 busy" in ended.err


def test_a_cut_behind_the_dot_is_told_as_what_it_is(send: Send, server: MailServer) -> None:
    server.drop(at="dot", taken=True)
    ended = send("--text", "x")
    assert ended.status == 1
    assert "unknown: bob@example.net" in ended.err
    assert f"it may have taken {only(server).message['Message-ID']}" in ended.err


def test_of_many_messages_the_failures_are_told(ninsho: Run, server: MailServer, tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.eml").write_bytes(WHOLE)
    (tmp_path / "1.eml").write_bytes(b"Subject: to nobody\r\n\r\n")
    ended = ninsho("send", "--message", tmp_path, "--via", server.url)
    assert (ended.status, ended.out) == (1, "2 of 3 messages accepted\n")
    (line,) = ended.err.splitlines()
    assert line.startswith(f"{tmp_path / '1.eml'}: not sent: expected ")


MARK = b"From a@example.org Fri Nov 21 09:55:06 1997\n"
MAILBOX = MARK + WHOLE + b"\r\n" + MARK + WHOLE.replace(b"whole", b"second").replace(b"bob", b"carol")


def test_of_messages_that_were_never_tried_is_told_as_well(ninsho: Run, tmp_path: Path) -> None:
    (box := tmp_path / "ok.mbox").write_bytes(MAILBOX)
    ended = ninsho("send", "--message", box, "--via", "smtp://127.0.0.1:1")
    assert (ended.status, ended.out) == (69, "0 of 2 messages accepted\n")
    first, second = ended.err.splitlines()
    assert first.startswith(f"{box}, message 1: ")
    assert "127.0.0.1:1: nothing listens there" in first
    assert second == f"{box}, message 2: unsent: never tried"


@pytest.mark.parametrize("more", [(), ("--recipient", "dave@example.net")], ids=["as they say", "others"])
def test_json_tells_whose_messages_were_never_tried(ninsho: Run, tmp_path: Path, more: tuple[str, ...]) -> None:
    (box := tmp_path / "ok.mbox").write_bytes(MAILBOX)
    ended = ninsho("send", "--message", box, "--via", "smtp://127.0.0.1:1", "--json", *more)
    assert ended.status == 69
    assert [one["message"] for one in ended.json] == [f"{box}, message 1", f"{box}, message 2"]
    for told, recipient in zip(ended.json, ("bob@example.net", "carol@example.net"), strict=True):
        assert (told["sender"], told["accepted"], told["attempts"]) == (ALICE, False, 0)
        assert told["message_id"].endswith("@example.org>")
        assert "nothing listens there" in told["error"]
        (fate,) = told["recipients"]
        assert (fate["address"], fate["outcome"]) == (more[1] if more else recipient, "unsent")


def test_what_is_never_tried_with_a_wrong_password_will_not_do_later(
    ninsho: Run, server: MailServer, without_password: str, tmp_path: Path
) -> None:
    (box := tmp_path / "ok.mbox").write_bytes(MAILBOX)
    options = ("--message", box, "--via", without_password, "--password-file", "-", "--json")
    ended = ninsho("send", *options, stdin="wrong\n")
    assert ended.status == 1
    fates = [told["recipients"][0] for told in ended.json]
    assert [(fate["outcome"], fate["temporary"]) for fate in fates] == [("unsent", False)] * 2


def test_a_message_that_nobody_could_send_is_told_as_that(ninsho: Run, tmp_path: Path) -> None:
    (box := tmp_path / "box").write_bytes(MAILBOX + b"\r\n" + MARK + b"Subject: to nobody\r\n\r\n")
    *_, told = ninsho("send", "--message", box, "--via", "smtp://127.0.0.1:1", "--json").json
    assert (told["recipients"], told["error"][:9]) == ([], "expected ")


def test_a_port_that_waits_for_tls_is_a_wrong_setting_and_no_matter_of_time(ninsho: Run) -> None:
    with MailServer(tls="implicit") as server:
        via = f"smtp://localhost:{server.port}?tls=none"
        ended = ninsho("send", "--message", "-", "--timeout", "300ms", "--via", via, stdin=WHOLE)
    assert ended.status == 69
    assert "use --tls implicit" in ended.err


def test_errors_name_options_as_they_are_called_here(ninsho: Run) -> None:
    with MailServer(tls="starttls") as server:
        via = f"smtp://localhost:{server.port}?tls=starttls"
        ended = ninsho("send", "--message", "-", "--via", via, stdin=WHOLE)
    assert ended.status == 69
    assert "name its certificate with --ca\n" in ended.err
    assert " ca=" not in ended.err


@pytest.mark.parametrize(
    ("sentence", "here"),
    [
        ("name it with ca=, or its fingerprint=", "name it with --ca, or its fingerprint= in the URL"),
        ("use tls=implicit (smtps://)", "use --tls implicit (smtps://)"),
        ("say it with server_name=", "say it with server_name= in the URL"),
        ("550 see https://example.org/?ca=1&tls=none", "550 see https://example.org/?ca=1&tls=none"),
    ],
)
def test_keywords_become_options(sentence: str, here: str) -> None:
    assert in_options(sentence) == here


def test_a_server_that_is_not_there_is_unavailable(ninsho: Run) -> None:
    ended = ninsho("send", "--message", "-", "--via", "smtp://127.0.0.1:1", stdin=WHOLE)
    assert ended.status == 69
    assert "127.0.0.1:1: nothing listens there" in ended.err


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--to", "no address"], "--to: expected addresses"),
        (["--to", ""], "--to: expected an address, got ''"),
        (["--subject", "one\nBcc: two@example.net"], "--subject: expected one line, got '\\n' at character 4"),
        (["--header", "no field"], "--header: expected a field such as"),
        (["--header", "Subject: a", "--header", "Subject: b"], "--header: "),
        (["--attach", "nowhere"], "--attach: nowhere: expected a file, got nothing"),
        (["--message", "nowhere"], "expected --message, or options that make one, got both"),
        (["--notify", "never", "--notify", "delay"], "--notify: expected never alone"),
        (["--via", "http://x"], "--via: expected smtp://"),
        (["--password-file", "nowhere"], "--password-file: nowhere: cannot be read"),
    ],
)
def test_options_that_make_no_sense_are_told_before_anything_is_sent(
    send: Send, server: MailServer, options: list[str], sentence: str
) -> None:
    ended = send("--from", ALICE, "--text", "x", *options)
    assert (ended.status, ended.out) == (2, "")
    assert sentence in ended.err
    assert server.talks == []


def test_recipients_are_needed(ninsho: Run, server: MailServer) -> None:
    options = ("--from", ALICE, "--text", "x", "--via", server.url)
    ended = ninsho("send", *options)
    assert ended.status == 2
    assert "expected --to, --cc, --bcc or --recipient, got none" in ended.err
    assert server.talks == []
    for named in (("--header", "To: b@example.net"), ("--recipient", "b@example.net"), ("--bcc", "b@example.net")):
        assert ninsho("send", *options, *named).status == 0


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("localhost", "smtp://localhost"),
        ("localhost:587", "smtp://localhost:587"),
        ("alice@localhost:587", "smtp://…@localhost:587"),
        ("alice:secret@localhost:587", "smtp://…@localhost:587"),
        ("[::1]:25", "smtp://[::1]:25"),
    ],
)
@pytest.mark.parametrize("more", [(), ("--password-command", "false")], ids=["alone", "with a password"])
def test_who_forgets_the_scheme_hears_only_of_that(ninsho: Run, url: str, meant: str, more: tuple[str, ...]) -> None:
    ended = ninsho("send", "--to", "b@example.net", "--text", "x", "--via", url, *more)
    assert ended.status == 2
    *warned, line = ended.err.splitlines()
    assert bool(warned) == ("secret" in url)
    assert line.startswith("ninsho: --via: expected smtp://, ")
    assert line.endswith(f"; did you mean {meant}?")
    assert line.count("did you mean") == 1
    assert "secret" not in ended.err


def test_what_may_be_a_password_is_not_suggested(ninsho: Run) -> None:
    for url in ("http://localhost", "alice:sec@ret/@x", "alice@sec_ret"):
        ended = ninsho("send", "--to", "b@example.net", "--text", "x", "--via", url)
        assert ended.status == 2
        assert "did you mean" not in ended.err


def test_of_a_wrong_url_in_the_environment_no_more_is_said(ninsho: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMTP_URL", "alice@localhost:587")
    ended = ninsho("send", "--to", "b@example.net", "--text", "x", "--password-command", "false")
    assert ended.status == 78
    (line,) = ended.err.splitlines()
    assert line.startswith("ninsho: SMTP_URL: expected smtp://, ")


def test_an_author_is_needed(ninsho: Run, server: MailServer) -> None:
    ended = ninsho("send", "--to", "b@example.net", "--text", "x", "--via", server.url)
    assert ended.status == 2
    assert "expected --from" in ended.err


def test_a_server_is_needed(ninsho: Run) -> None:
    ended = ninsho("send", "--message", "-", stdin=WHOLE)
    assert ended.status == 2
    assert "--via: expected one" in ended.err


# Passwords


@pytest.fixture
def without_password(server: MailServer) -> str:
    return f"smtp://alice%40example.org@127.0.0.1:{server.port}?tls=none"


@pytest.mark.parametrize("source", ["file", "standard input", "command", "netrc", "environment"])
def test_the_password_may_stand_elsewhere(  # noqa: PLR0913, PLR0917 - what each source needs
    ninsho: Run,
    server: MailServer,
    without_password: str,
    source: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "password"
    file.write_text(f"{SECRET}\nnot this\n")
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login {ALICE} password {SECRET}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    options: dict[str, tuple[str | Path, ...]] = {
        "file": ("--password-file", file),
        "standard input": ("--password-file", "-"),
        "command": ("--password-command", f"head -1 '{file}'"),
        "netrc": ("--password-from", "netrc"),
        "environment": (),
    }
    via: tuple[str, ...] = ("--via", without_password)
    if source == "environment":
        via = ()
        monkeypatch.setenv("SMTP_URL", server.url_for(ALICE))
    ended = ninsho("send", "--to", "b@example.net", "--text", "x", *via, *options[source], stdin=f"{SECRET}\n")
    assert (ended.status, ended.err) == (0, "")
    assert only(server).username == ALICE


def test_a_password_is_asked_for_where_somebody_can_answer(ninsho: Run, without_password: str) -> None:
    ended = ninsho("send", "--to", "b@example.net", "--text", "x", "--via", without_password, "--password-from", "ask")
    assert ended.status == 2
    assert "expected a terminal to ask for the password" in ended.err


def test_a_password_that_cannot_be_had_is_a_matter_of_configuration(ninsho: Run, without_password: str) -> None:
    options = ("--to", "b@example.net", "--text", "x", "--via", without_password, "--password-command", "false")
    ended = ninsho("send", *options)
    assert ended.status == 78
    assert "password command false: expected success, got exit status 1" in ended.err


def test_a_password_in_the_url_is_warned_of(ninsho: Run, server: MailServer) -> None:
    options = ("--to", "b@example.net", "--text", "x", "--via", server.url_for(ALICE))
    assert "a password on the command line can be seen" in ninsho("send", *options).err
    assert ninsho("send", *options, "--quiet").err == ""
    assert "can be seen by others" not in ninsho("send", "--message", "-", "--via", server.url, stdin=WHOLE).err


def test_ps_does_not_show_it(server: MailServer) -> None:
    server.silence("MAIL")
    url = server.url_for(ALICE)
    command = [sys.executable, "-m", "ninsho", "send", "--to", "b@example.net", "--text", "x", f"--via={url}"]
    with subprocess.Popen([*command, "--transcript"], stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        try:
            for line in child.stderr:
                if "MAIL FROM" in line:
                    break
            arguments = Path(f"/proc/{child.pid}/cmdline").read_bytes()
        finally:
            child.kill()
    assert b"--text\0x\0--via=****" in arguments
    assert url.encode() not in arguments
    assert b"alice" not in arguments


@pytest.mark.parametrize(
    ("url", "hidden"),
    [
        ("smtp://alice:secret@mail.example.org", True),
        ("smtp://mail.example.org?token=secret", True),
        ("smtp://alice:sec#ret@mail.example.org", True),
        ("smtp://alice@mail.example.org?tls=starttls", False),
        ("alice@mail.example.org:587", False),
        ("alice:secret@mail.example.org", True),
        ("alice:sec://ret@mail.example.org", True),
        ("mail.example.org?token=secret", True),
        ("http://alice@mail.example.org", False),
        ("http://alice:secret@mail.example.org", True),
    ],
)
def test_what_may_hold_a_password_is_hidden(url: str, *, hidden: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    overwritten: list[str] = []
    monkeypatch.setattr(hiding, "overwrite", overwritten.append)
    hiding.hide(url, quiet=True)
    assert overwritten == ([url] if hidden else [])


@pytest.mark.parametrize("tokens", [["smtp://alice:secret@mail.example.org"], ["--vai", "smtp://a:secret@b"]])
def test_no_error_quotes_a_password_that_stands_in_the_wrong_place(ninsho: Run, tokens: list[str]) -> None:
    ended = ninsho("send", *tokens)
    assert ended.status == 2
    assert "secret" not in ended.err


def test_a_wrong_password_is_not_shown(send: Send, server: MailServer, without_password: str) -> None:
    server.fail("AUTH", 535, "5.7.8 wrong: AGFsaWNlQGV4YW1wbGUub3JnAGdlaGVpbQ==")
    ended = send("--text", "x", "--via", without_password, "--auth", "plain", "--password-file", "-", stdin="geheim\n")
    assert ended.status == 1
    assert "geheim" not in ended.err
    assert "AGFsaWNl" not in ended.err
