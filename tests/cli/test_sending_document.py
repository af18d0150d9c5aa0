"""The commands that docs/sending.md shows do what it says."""

import os
import re
import subprocess
import sys
from mailbox import Maildir, mbox
from pathlib import Path

import pytest

from ninsho.testing import MailServer

DOCUMENT = Path(__file__).parents[2] / "docs" / "sending.md"
BLOCKS = re.findall(r"```sh\n(.*?)```", DOCUMENT.read_text(), re.DOTALL)
MESSAGE = b"From: alice@example.com\nTo: bob@example.net\nSubject: there already\n\nText.\n"
ALICE, SECRET = "alice@example.com", "secret"

# A domain's key, and two people's certificates.
KEYS = """
openssl genrsa -out dkim.pem 2048
for who in me taro; do
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout $who.key -out $who.pem -subj /CN=$who
done
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the document takes for granted: programs, files, and a password in two places."""
    programs = {"ninsho": f'exec "{sys.executable}" -m ninsho "$@"', "pass": f"echo {SECRET}"}
    for name, text in programs.items():
        program = tmp_path / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    netrc = tmp_path / ".netrc"
    netrc.write_text(f"machine localhost login {ALICE} password {SECRET}\n")
    netrc.chmod(0o600)
    for name in ("report.pdf", "backup.log", "report.txt", "news.html"):
        (tmp_path / name).write_text(name)
    for name in ("text.txt", "page.html"):
        (tmp_path / name).write_text("<p>本文</p>", encoding="utf-8")
    (tmp_path / "images").mkdir()
    (tmp_path / "message.eml").write_bytes(MESSAGE)
    subprocess.run(["/bin/sh", "-eu"], input=KEYS, cwd=tmp_path, capture_output=True, text=True, check=True)
    for box in (mbox(tmp_path / "archive.mbox"), Maildir(tmp_path / "Maildir")):
        box.add(MESSAGE)
        box.close()
    return tmp_path


def test_all_commands_work_one_after_the_other(folder: Path) -> None:
    with MailServer(users={ALICE: SECRET}, tls="starttls", require_auth=True) as server:
        script = "".join(BLOCKS).replace("mail.example.com", f"localhost:{server.port}")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SMTP_")},
            "HOME": str(folder),
            "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
            "SSL_CERT_FILE": str(server.ca_file),
        }
        done = subprocess.run(
            ["/bin/sh", "-eu"], input=script, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr[: done.stderr.find("= connecting")]) == (0, ""), done.stderr
        subjects = [received.message["Subject"] for received in server.messages]
    assert subjects == [
        "Hello",
        "月次報告",
        "News",
        "Backup done",
        "新製品",
        "お知らせ",
        "見積",
        *["there already"] * 4,
        "Test",
        "Test",
    ]
    assert SECRET not in done.stdout + done.stderr
    assert "granted: PLAIN" in done.stdout
