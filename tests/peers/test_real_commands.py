"""``ninsho send`` and ``ninsho probe`` with mail servers that are not ours."""

import json
import subprocess
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from mail_server import MailServer

from running import NINSHO


def run(*arguments: str | Path, secret: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run([*NINSHO, *map(str, arguments)], input=secret, capture_output=True, text=True, check=False)


def login(server: MailServer) -> tuple[str | Path, ...]:
    return ("--ca", server.ca, "--username", server.username, "--password-file", "-")


def probed(*arguments: str | Path, secret: str = "") -> dict[str, Any]:
    done = run("probe", *arguments, "--json", secret=secret)
    (facts,) = json.loads(done.stdout)
    assert done.stderr == ""
    assert (done.returncode == 0) == facts["good"]
    return facts


@pytest.mark.parametrize("kind", ["starttls", "implicit"])
def test_each_mechanism_of_a_real_server_is_found_and_lets_us_in(mail_server: MailServer, kind: str) -> None:
    port = mail_server.port if kind == "starttls" else mail_server.tls_port
    place = (f"{mail_server.host}:{port}", "--tls", kind)
    facts = probed(*place, *login(mail_server), "--try-mechanisms", "--sneak", secret=mail_server.password)
    verdicts = {one["mechanism"]: one["verdict"] for one in facts["logins"]}
    assert {name: verdicts[name] for name in mail_server.mechanisms} == dict.fromkeys(mail_server.mechanisms, "granted")
    assert all(verdicts[name] == "not tried" for name in mail_server.with_tokens)
    assert facts["certificate"]["believed"] is True
    assert (facts["before_tls"] is None) == (kind == "implicit")
    assert not any("CVE-2011-0411" in fault["what"] for fault in facts["faults"])
    assert facts["good"]


def test_a_wrong_password_is_refused_in_the_servers_words(mail_server: MailServer) -> None:
    place = (f"{mail_server.host}:{mail_server.port}", *login(mail_server))
    facts = probed(*place, "--try-mechanisms", "--auth", "PLAIN", secret="wrong")
    (tried,) = [one for one in facts["logins"] if one["verdict"] != "not tried"]
    assert (tried["verdict"], tried["code"]) == ("denied", 535)
    assert tried["text"]


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        ("expired", "the server's certificate has expired"),
        ("wrong_name", "the server's certificate is for another name"),
        ("unknown_authority", "the server's certificate comes from an authority that is not known here"),
    ],
)
def test_bad_certificates_are_told_of_and_get_no_password(
    untrustworthy: Mapping[str, MailServer], fault: str, sentence: str
) -> None:
    server = untrustworthy[fault]
    for place in ((f"{server.host}:{server.port}",), (f"{server.host}:{server.tls_port}", "--tls", "implicit")):
        facts = probed(*place, *login(server), "--try-mechanisms", secret=server.password)
        assert sentence in [one["what"] for one in facts["faults"] if one["grave"]]
        assert facts["mechanisms"]
        assert {one["verdict"] for one in facts["logins"]} == {"not tried"}


def test_what_is_sent_arrives(mail_server: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "報告.bin"
    file.write_bytes(octets := bytes(range(256)) * 4096)
    recipient = mail_server.recipient()
    via = f"smtp://{mail_server.host}:{mail_server.port}"
    message = (
        "--from",
        f"田中 <{mail_server.username}>",
        "--to",
        recipient,
        "--subject",
        "月次報告",
        "--text",
        "本文。\n.",
    )
    done = run(
        "send", "--via", via, *login(mail_server), *message, "--attach", file, "--json", secret=mail_server.password
    )
    (receipt,) = json.loads(done.stdout)
    assert (done.returncode, done.stderr, receipt["accepted"]) == (0, "", True)
    (arrival,) = mail_server.arrived(recipient)
    read = message_from_bytes(arrival.message, policy=default)
    assert (read["Subject"], read["From"].addresses[0].display_name) == ("月次報告", "田中")
    assert read.get_body().get_content().replace("\r\n", "\n") == "本文。\n.\n"
    (attachment,) = read.iter_attachments()
    assert (attachment.get_filename(), attachment.get_content()) == ("報告.bin", octets)


def test_a_mailbox_of_several_goes_through(start_mail_server: Callable[[str], MailServer], tmp_path: Path) -> None:
    server = start_mail_server("postfix+ninsho")
    recipient = server.recipient()
    for number in range(20):
        (tmp_path / f"{number:02}.eml").write_bytes(f"Subject: {number}\n\nx\n".encode())
    envelope = ("--sender", server.username, "--recipient", recipient)
    via = f"smtps://{server.host}:{server.tls_port}"
    done = run("send", "--message", tmp_path, *envelope, "--via", via, *login(server), secret=server.password)
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "20 of 20 messages accepted\n")
    arrived = server.arrived(recipient, count=20)
    subjects = [message_from_bytes(arrival.message, policy=default)["Subject"] for arrival in arrived]
    assert sorted(map(int, subjects)) == list(range(20))
