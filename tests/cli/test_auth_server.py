"""``ninsho auth test`` against a running server."""

import hmac
import socket
import time
from base64 import b64encode
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from command_line import Ended, Run
from scripted import GREETING, ScriptedServer

from ninsho.cli.auth import server as asking
from running import Server

Ask: TypeAlias = Callable[..., tuple[Ended, list[str]]]

KEYS = ["user", "mechanism", "verdict", "reason", "cause", "milliseconds", "stores", "remark"]


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


@pytest.fixture
def ask(ninsho: Run, tmp_path: Path) -> Ask:
    """Ask a scripted server about the user u, whose password is typed as p."""

    def command(
        *replies: str, options: Sequence[str] = (), greeting: Sequence[str] = GREETING, given: str = "--password-stdin"
    ) -> tuple[Ended, list[str]]:
        with ScriptedServer(tmp_path / "auth.sock", replies, greeting=greeting) as server:
            ended = ninsho("auth", "test", "u", "--socket", server.address, given, *options, stdin="p\n")
        return ended, server.heard

    return command


def test_it_says_what_a_mail_server_would(ask: Ask) -> None:
    ended, heard = ask("OK 1 user=u", options=["--remote-ip", "192.0.2.1", "--service", "imap"])
    assert ended.status == 0
    assert heard[0] == "VERSION\t1\t2"
    assert heard[2].split("\t") == [
        "AUTH",
        "1",
        "PLAIN",
        "service=imap",
        "nologin",
        "rip=192.0.2.1",
        "secured",
        f"resp={encoded(chr(0) + 'u' + chr(0) + 'p')}",
    ]
    assert ended.out.startswith("granted: u by PLAIN (")


def test_each_round_is_answered(ask: Ask) -> None:
    challenge = "<1896.697170952@postoffice.example.net>"
    ended, heard = ask(f"CONT 1 {encoded(challenge)}", "OK 1 user=u", options=["--mechanism", "cram-md5"])
    assert ended.status == 0
    assert heard[2].startswith("AUTH\t1\tCRAM-MD5\t")
    verb, number, response = heard[3].split("\t")
    assert (verb, number) == ("CONT", "1")
    digest = hmac.new(b"p", challenge.encode(), "md5").hexdigest()
    assert response == encoded(f"u {digest}")


SCRAM = ("VERSION 1 2", "MECH SCRAM-SHA-256 mutual-auth", "SPID 7", "CUID 1", "COOKIE c00c1e", "DONE")


@pytest.mark.parametrize("words", ["", f" resp={encoded('v=aGVsbG8=')}"])
def test_success_counts_only_with_the_servers_proof(ask: Ask, words: str) -> None:
    ended, _ = ask(f"OK 1 user=u{words}", greeting=SCRAM)
    assert (ended.status, ended.out) == (1, "")


def test_last_words_may_be_asked_for_with_ok(ask: Ask) -> None:
    _, heard = ask("OK 1 user=u", options=["--final-resp-ok"])
    assert heard[2].split("\t")[3:-1] == ["service=smtp", "nologin", "secured", "final-resp-ok"]


OAUTH = (
    "VERSION 1 2",
    "MECH PLAIN plaintext",
    "MECH OAUTHBEARER plaintext",
    "SPID 7",
    "CUID 1",
    "COOKIE c00c1e",
    "DONE",
)
REFUSAL = encoded('{"status":"invalid_token","scope":"mail","openid-configuration":"https://id.example.org/o"}')
DENIED = "FAIL 1 user=u reason=Refused."


@pytest.mark.parametrize("replies", [[f"{DENIED} resp={REFUSAL}"], [f"CONT 1 {REFUSAL}", DENIED]])
def test_what_a_server_has_against_a_token_is_told(ask: Ask, replies: list[str]) -> None:
    ended, heard = ask(*replies, options=["--json", "--verbose"], greeting=OAUTH, given="--token-stdin")
    assert heard[2].endswith(f"resp={encoded('n,a=u,' + chr(1) + 'auth=Bearer p' + chr(1) * 2)}")
    assert heard[3:] == (["CONT\t1\tAQ=="] if len(replies) == 2 else [])
    assert ended.status == 1
    assert ended.json["reason"] == "Refused. (invalid_token, scope mail, see https://id.example.org/o)"
    assert "resp=(hidden)" in ended.err


def test_whom_to_act_as_is_said(ask: Ask) -> None:
    _, heard = ask("OK 1 user=v", options=["--authzid", "v"])
    assert heard[2].endswith(f"resp={encoded('v' + chr(0) + 'u' + chr(0) + 'p')}")


def test_lines_for_others_and_unknown_ones_are_passed_over(ask: Ask) -> None:
    ended, _ = ask("OK 2 user=other|NEWS of a later version|OK 1 user=u")
    assert ended.status == 0


def test_a_refusal_ends_with_1_and_its_reason(ask: Ask) -> None:
    ended, _ = ask("FAIL 1 user=u code=user_disabled reason=Disabled", options=["--json"])
    assert ended.status == 1
    assert list(ended.json) == KEYS
    assert {name: ended.json[name] for name in KEYS[:5]} == {
        "user": "u",
        "mechanism": "PLAIN",
        "verdict": "denied",
        "reason": "Disabled",
        "cause": "user_disabled",
    }


@pytest.mark.parametrize("reply", ["FAIL 1 user=u temp", "FAIL 1 user=u code=temp_fail reason=Later"])
def test_a_temporary_failure_ends_with_75(ask: Ask, reply: str) -> None:
    ended, _ = ask(reply)
    assert (ended.status, ended.out.split(":")[0]) == (75, "cannot tell")


def test_a_closed_connection_is_a_temporary_failure(ask: Ask) -> None:
    ended, _ = ask()
    assert ended.status == 75
    assert ended.err.endswith("expected a verdict, got a closed connection\n")


def test_silence_is_one_too(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    client = asking.Client
    monkeypatch.setattr(asking, "Client", lambda *args, **options: client(*args, patience=0.2, **options))
    monkeypatch.setattr(asking, "PATIENCE", 0.2)
    ended, _ = ask("NEWS", "OK 1 user=u")
    assert ended.status == 75
    assert ended.err.endswith("expected a verdict, got nothing in 0.2 s\n")


def test_the_conversation_is_shown_without_its_secrets(ask: Ask) -> None:
    ended, heard = ask("OK 1 user=u", options=["--verbose"])
    assert ended.err.splitlines() == [
        "> VERSION 1 2",
        f"> {heard[1]}".replace("\t", " "),
        "< VERSION 1 2",
        "< MECH PLAIN plaintext",
        "< MECH CRAM-MD5 dictionary",
        "< SPID 7",
        "< CUID 1",
        "< COOKIE (hidden)",
        "< DONE",
        "> AUTH 1 PLAIN service=smtp nologin secured resp=(hidden)",
        "< OK 1 user=u",
    ]


def test_responses_are_hidden_too(ask: Ask) -> None:
    ended, heard = ask("CONT 1 PDE+", "OK 1 user=u", options=["--verbose", "--mechanism", "CRAM-MD5"])
    assert "> CONT 1 (hidden)" in ended.err
    assert heard[3].split("\t")[2] not in ended.err


@pytest.mark.parametrize(
    ("greeting", "sentence"),
    [
        (["VERSION 1 1", "SPID 7"], "expected MECH lines before SPID"),
        (["VERSION 2 0"], "expected protocol version 1.x"),
        (["220 mail.example.org ESMTP", "VERSION x"], "not an authentication server"),
        ([], "got a closed connection"),
    ],
)
def test_another_kind_of_server_ends_with_69(ask: Ask, greeting: list[str], sentence: str) -> None:
    ended, _ = ask(greeting=greeting)
    assert ended.status == 69
    assert sentence in ended.err


def test_a_mechanism_that_is_not_offered_ends_with_69(ask: Ask) -> None:
    ended, _ = ask(options=["--mechanism", "LOGIN"])
    assert (ended.status, "expected LOGIN to be offered, got PLAIN, CRAM-MD5" in ended.err) == (69, True)


def test_nobody_there_ends_with_69(ninsho: Run, tmp_path: Path) -> None:
    ended = ninsho("auth", "test", "u", "--socket", tmp_path / "none", "--password-stdin", stdin="p")
    assert (ended.status, ended.err) == (69, f"ninsho: {tmp_path}/none: cannot connect: No such file or directory\n")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        ended = ninsho("auth", "test", "u", "--host", address, "--password-stdin", stdin="p")
    assert (ended.status, ended.err) == (69, f"ninsho: {address}: cannot connect: Connection refused\n")


@pytest.mark.parametrize("host", ["localhost", ":12345", "127.0.0.1:0", "127.0.0.1:smtp", "127.0.0.1:65536"])
def test_an_address_that_is_none_is_wrong_usage(ninsho: Run, host: str) -> None:
    ended = ninsho("auth", "test", "u", "--host", host)
    assert (ended.status, "expected address:port" in ended.err) == (2, True)


def test_only_one_server_is_asked(ninsho: Run, tmp_path: Path) -> None:
    ended = ninsho("auth", "test", "u", "--host", "127.0.0.1:1", "--socket", tmp_path / "x")
    assert (ended.status, "got both" in ended.err) == (2, True)


def test_the_server_cannot_command_the_terminal(ask: Ask) -> None:
    ended, _ = ask("FAIL 1 user=u reason=\x1b[2J", options=["--verbose"])
    assert "\x1b" not in ended.out + ended.err


def test_the_real_server_grants_and_denies(ninsho: Run, tmp_path: Path) -> None:
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    config = (
        f'[failure]\ndelay = "0s"\n[[listen]]\nunix = "{tmp_path}/a.sock"\nmechanisms = ["LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-256", "DIGEST-MD5"]\n'
        '[[store]]\ntype = "passwd-file"\npath = "users"\n'
    )
    with Server(tmp_path, config):
        for mechanism in ("PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "DIGEST-MD5"):
            for password, status, *options in (
                ("p", 0),
                ("q", 1),
                ("p", 0, "--final-resp-ok"),
                ("q", 1, "--final-resp-ok"),
            ):
                ended = ninsho(
                    "auth", "test", "u", "--socket", tmp_path / "a.sock", "--mechanism", mechanism, "--password-stdin",
                    *options, stdin=password,
                )  # fmt: skip
                assert (ended.status, mechanism in ended.out) == (status, True)
        (tmp_path / "users").unlink()
        # By then it has looked.
        time.sleep(0.3)
        ended = ninsho("auth", "test", "u", "--socket", tmp_path / "a.sock", "--password-stdin", stdin="p")
        assert (ended.status, ended.out.split(":")[0]) == (75, "cannot tell")
