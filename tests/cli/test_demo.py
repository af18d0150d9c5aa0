"""``ninsho demo``: it shows what it says, it notices what goes wrong, and it leaves nothing behind."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NoReturn

import pytest
from command_line import Run

from ninsho.cli.demo import commands, over_smtp
from ninsho.cli.demo.stage import Stage
from ninsho.cli.throwaway import PostfixUnavailable, ThrowawayPostfix
from ninsho.client.errors import ConnectionLost

POSTFIX = os.geteuid() == 0 and any(Path(folder, "postconf").exists() for folder in ("/usr/sbin", "/usr/bin"))


@pytest.fixture
def _postfix() -> None:
    if not POSTFIX:
        if os.environ.get("CI"):
            pytest.fail("on CI nothing is skipped: Postfix is not installed, or this is not root")
        pytest.skip("it takes Postfix and root")


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for temporary files that Postfix's own user may pass through, as /tmp."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o711)
        yield Path(directory)


def processes_that_know(place: Path) -> list[bytes]:
    """Everything that the demo starts has a file in its temporary directory in its environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        # It may be gone by now.
        with suppress(OSError):
            if str(place).encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes())
    return found


@pytest.mark.usefixtures("_postfix")
def test_the_demo_shows_what_it_should_hides_secrets_and_leaves_nothing_behind(place: Path) -> None:
    command = [sys.executable, "-m", "ninsho", "demo"]
    environment = {**os.environ, "TMPDIR": str(place)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.splitlines()
    for mechanism in ("PLAIN", "LOGIN", "SCRAM-SHA-256", "DIGEST-MD5", "CRAM-MD5", "OREORE"):
        assert f"Subject: sent by {mechanism}" in done.stdout
    assert any(line.startswith("S: 535 5.7.8 ") for line in shown)
    assert any(line.startswith("S: 454 4.7.0 ") for line in shown)
    ehlo = max(place for place, line in enumerate(shown) if line.startswith("C: EHLO"))
    assert "S: 250-AUTH PLAIN LOGIN SCRAM-SHA-256 DIGEST-MD5 CRAM-MD5 OREORE" in shown[ehlo:]
    assert shown[-2:] == ["C: AUTH OREORE aG9nZWhvZ2U=", "S: 235 2.7.0 Authentication successful"]
    responses = [line for line in shown if re.match(r"C: (?:AUTH \S+ \S+|\S+)$", line) and "QUIT" not in line]
    assert set(responses) == {
        "C: AUTH PLAIN (hidden)",
        "C: AUTH SCRAM-SHA-256 (hidden)",
        "C: AUTH OREORE (hidden)",
        "C: (hidden)",
        "C: AUTH OREORE aG9nZWhvZ2U=",
    }
    assert {line for line in shown if line.startswith("S: 334")} == {"S: 334 (hidden)"}
    assert any(line.startswith("   200 receipts in ") for line in shown)
    assert list(place.iterdir()) == []
    assert processes_that_know(place) == []


def test_without_postfix_a_client_of_the_protocol_takes_its_part(ninsho: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def unavailable() -> NoReturn:
        raise PostfixUnavailable("Postfix is not installed: there is no postconf on the PATH")

    monkeypatch.setattr(commands, "postfix_for_demo", unavailable)
    ended = ninsho("demo")
    assert ended.status == 0
    assert ended.err.startswith("No Postfix for this: Postfix is not installed")
    shown = ended.out.splitlines()
    assert shown[-2].startswith("C: AUTH 1 OREORE service=smtp")
    assert shown[-2].endswith(" resp=aG9nZWhvZ2U=")
    assert shown[-1] == "S: OK 1 user=hogehoge"
    assert "S: FAIL 1 user=alice reason=Invalid credentials" in shown
    assert "S: (the connection is closed)" in shown


@pytest.mark.usefixtures("_postfix")
def test_a_step_that_goes_wrong_ends_with_1_and_is_named(ninsho: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    # A Postfix that asks at a socket where nobody listens.
    monkeypatch.setattr(commands, "postfix_for_demo", lambda: ThrowawayPostfix(sasl_path="private/nobody"))
    ended = ninsho("demo", "--quiet")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.startswith("ninsho: demo: ")


def test_a_surprise_is_shown_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(quiet=False)
    stage.expect("AUTH PLAIN", 235, 235)
    assert (stage.checks, stage.surprises) == (1, [])
    stage.expect("AUTH PLAIN", 235, 535)
    assert stage.surprises == ["AUTH PLAIN: expected 235, got 535"]
    assert capsys.readouterr().out == "!  expected 235, got 535\n"


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Stage(quiet=True)
    stage.heading("x")
    stage.sent("x")
    stage.received("x")
    stage.remark("x")
    stage.expect("x", 1, 2)
    assert capsys.readouterr().out == ""
    assert stage.surprises


@pytest.mark.parametrize("trouble", [ConnectionLost("gone"), TimeoutError("late"), OSError("no")])
def test_whatever_goes_wrong_on_the_way_is_a_surprise(
    ninsho: Run, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    def play(_self: object) -> NoReturn:
        raise trouble

    monkeypatch.setattr(commands.OverProtocol, "play", play)

    def unavailable() -> NoReturn:
        raise PostfixUnavailable("none")

    monkeypatch.setattr(commands, "postfix_for_demo", unavailable)
    ended = ninsho("demo")
    assert ended.status == 1
    assert f"{type(trouble).__name__}: {trouble}" in ended.err


def test_the_first_user_is_the_one_of_the_first_test() -> None:
    assert over_smtp.FIRST_USER == "hogehoge"
