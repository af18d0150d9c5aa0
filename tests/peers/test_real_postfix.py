"""A real Postfix logs its users in through ninsho."""

import shutil
import signal
import smtplib
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import ninsho
from ninsho.cli.throwaway import DOMAIN, ThrowawayPostfix
from running import Server

Require = Callable[..., str]

EXAMPLES = Path(__file__).parents[2] / "examples"
MESSAGE = f"From: u@{DOMAIN}\r\nTo: u@{DOMAIN}\r\nSubject: greetings\r\n\r\nhello\r\n"

CONFIG = """
[failure]
delay = "0s"
[[listen]]
unix = "{socket}"
owner = "postfix"
mechanisms = {mechanisms}
[[store]]
{store}
"""
PASSWD_FILE = 'type = "passwd-file"\npath = "users"'
HOOK = 'type = "hook"\npath = "hook.py"'
USERS = """\
u:{PLAIN}p
alice@example.org:{SSHA256}MBRFK6DH8Ce1PeBYB9M5hdCYF6m8lsIh/1J2f2DHOpRzYWx0c2FsdA==
tim:{CRAM-MD5}d06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b
sluggard:{PLAIN}p::::::nologin
"""


@contextmanager
def site(
    folder: Path,
    *,
    store: str = PASSWD_FILE,
    mechanisms: str = '["PLAIN", "LOGIN", "CRAM-MD5"]',
    extra: str = "",
    **settings: object,
) -> Iterator[tuple[ThrowawayPostfix, Server]]:
    """Postfix with ninsho behind it."""
    (folder / "users").write_text(USERS)
    with ThrowawayPostfix(**settings) as postfix:  # type: ignore[arg-type] - its own keywords
        socket = postfix.queue_directory / "private" / "auth"
        with Server(folder, CONFIG.format(socket=socket, mechanisms=mechanisms, store=store) + extra) as server:
            yield postfix, server


@contextmanager
def session(postfix: ThrowawayPostfix) -> Iterator[smtplib.SMTP]:
    with smtplib.SMTP("127.0.0.1", postfix.port, timeout=20) as client:
        client.ehlo("client.example")
        yield client


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def auth_plain(client: smtplib.SMTP, name: str, password: str) -> tuple[int, str]:
    code, text = client.docmd("AUTH", f"PLAIN {encoded(f'{chr(0)}{name}{chr(0)}{password}')}")
    return code, text.decode()


GOOD = (235, "2.7.0 Authentication successful")
WRONG = (535, "5.7.8 Error: authentication failed: Invalid credentials")
LOST = (454, "4.7.0 Temporary authentication failure: Connection lost to authentication server")


@pytest.fixture(autouse=True)
def _postfix(require: Require) -> None:
    require("postconf", root=True)


@pytest.mark.parametrize("chroot", [False, True], ids=["unconfined", "chroot"])
def test_each_mechanism_logs_in_and_delivers(tmp_path: Path, *, chroot: bool) -> None:
    with site(tmp_path, chroot=chroot) as (postfix, _):
        for mechanism, (name, password) in {
            "PLAIN": ("u", "p"),
            "LOGIN": ("u", "p"),
            "CRAM-MD5": ("tim", "tanstaaftanstaaf"),
        }.items():
            with session(postfix) as client:
                assert mechanism in client.esmtp_features["auth"].split()
                client.user, client.password = name, password
                method = getattr(client, f"auth_{mechanism.lower().replace('-', '_')}")
                assert client.auth(mechanism, method)[0] == 235
                client.sendmail(f"u@{DOMAIN}", [f"u@{DOMAIN}"], MESSAGE)
            postfix.wait_for_log(f"sasl_method={mechanism}, sasl_username={name}")
        assert len(postfix.wait_for_mail("u", count=3)) == 3


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_swaks_logs_in(tmp_path: Path, require: Require, mechanism: str) -> None:
    swaks = require("swaks")
    with site(tmp_path) as (postfix, _):
        command = [swaks, "--server", f"127.0.0.1:{postfix.port}", "--to", f"u@{DOMAIN}", "--from", f"u@{DOMAIN}"]
        command += ["--auth", mechanism, "--auth-user", "u", "--auth-password", "p", "--helo", "client.example"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert "235 2.7.0 Authentication successful" in done.stdout
        assert postfix.wait_for_mail("u")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN", "CRAM-MD5"])
def test_curl_logs_in(tmp_path: Path, require: Require, mechanism: str) -> None:
    curl = require("curl")
    with site(tmp_path) as (postfix, _):
        message = tmp_path / "message"
        message.write_text(MESSAGE)
        command = [curl, "-sS", f"smtp://127.0.0.1:{postfix.port}", "--user", "u:p", "--login-options"]
        command += [f"AUTH={mechanism}", "--mail-from", f"u@{DOMAIN}", "--mail-rcpt", f"u@{DOMAIN}", "-T", message]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
        assert done.returncode == 0, done.stderr
        assert postfix.wait_for_mail("u")


def test_a_wrong_password_is_535_with_our_reason(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, server), session(postfix) as client:
        assert auth_plain(client, "u", "wrong") == WRONG
        assert auth_plain(client, "nobody", "wrong") == WRONG
        assert auth_plain(client, "alice@example.org", "wrong") == WRONG
        postfix.wait_for_log("SASL PLAIN authentication failed: Invalid credentials, sasl_username=u")
        server.wait_for("cause=baduser pid=")
        assert "rip=127.0.0.1 service=smtp mech=PLAIN cause=badpassword" in server.journal()


def test_a_disabled_account_is_told_so_only_with_its_password(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, _), session(postfix) as client:
        assert auth_plain(client, "sluggard", "wrong") == WRONG
        assert auth_plain(client, "sluggard", "p") == (
            535,
            "5.7.8 Error: authentication failed: The account is disabled",
        )


def test_no_initial_response_an_abort_and_bad_base64_then_a_good_login(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, _), session(postfix) as client:
        assert client.docmd("AUTH", "PLAIN") == (334, b"")
        assert client.docmd("*") == (501, b"5.7.0 Authentication aborted")
        assert client.docmd("AUTH", "LOGIN")[0] == 334
        assert client.docmd("*")[0] == 501
        code, text = client.docmd("AUTH", "PLAIN A=B")
        assert (code, text) == (535, b"5.7.8 Error: authentication failed: Invalid base64 data in initial response")
        assert client.docmd("AUTH", "PLAIN =")[0] == 535
        assert client.docmd("AUTH", "PLAIN") == (334, b"")
        assert client.docmd(encoded("\0u\0p"))[0] == 235


def test_the_spelling_of_the_mechanism_is_the_clients(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, _), session(postfix) as client:
        assert client.docmd("AUTH", f"plain {encoded(chr(0) + 'u' + chr(0) + 'p')}")[0] == 235


def test_a_store_that_fails_is_454_and_never_535(tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    (tmp_path / "hook.py").write_text(
        "from pathlib import Path\nfrom ninsho import store\n\n@store\nasync def accounts(username, password, request):\n"
        f"    if Path({str(broken)!r}).exists():\n        raise ConnectionRefusedError\n    return password == 'p'\n"
    )
    with site(tmp_path, store=HOOK, mechanisms='["PLAIN", "LOGIN"]') as (postfix, server), session(postfix) as client:
        assert auth_plain(client, "u", "wrong") == WRONG
        # An abandoned login of the same smtpd must not keep it from the truth.
        assert client.docmd("AUTH", "LOGIN")[0] == 334
        assert client.docmd("*")[0] == 501
        broken.touch()
        assert auth_plain(client, "u", "p") == LOST
        assert auth_plain(client, "u", "wrong") == LOST
        broken.unlink()
        assert auth_plain(client, "u", "p") == GOOD
        assert "result=temp" in server.journal()


def test_a_store_that_is_slow_is_454_before_postfix_gives_up(tmp_path: Path) -> None:
    (tmp_path / "hook.py").write_text(
        "import asyncio\nfrom ninsho import store\n\n@store\nasync def accounts(username, password, request):\n"
        "    await asyncio.sleep(60)\n    return True\n"
    )
    with site(tmp_path, store=HOOK, mechanisms='["PLAIN"]') as (postfix, server), session(postfix) as client:
        begun = time.monotonic()
        assert auth_plain(client, "u", "p") == LOST
        assert 7.5 < time.monotonic() - begun < 10
        assert 'detail="no answer from the store in time"' in server.journal()


def test_a_mechanism_that_needs_more_than_the_hook_can_do_is_refused_at_the_start(tmp_path: Path) -> None:
    shutil.copy(EXAMPLES / "accounts.py", tmp_path / "hook.py")
    config = CONFIG.format(socket=tmp_path / "auth", mechanisms='["CRAM-MD5"]', store=HOOK)
    server = Server(tmp_path, config).start(wait=False)
    assert server.process is not None
    assert server.process.wait(20) == 78
    assert "CRAM-MD5 can never work: it needs stored secrets, and the stores only verify passwords" in server.journal()


def test_the_server_restarts_while_sessions_are_open(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, server), session(postfix) as first, session(postfix) as second:
        assert auth_plain(first, "u", "wrong") == WRONG
        assert server.stop() == 0
        server.start()
        assert auth_plain(first, "u", "p") == GOOD
        assert auth_plain(second, "u", "p") == GOOD


def test_the_server_is_killed_in_the_middle_of_a_login(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, server), session(postfix) as client:
        assert client.docmd("AUTH", "LOGIN")[0] == 334
        server.stop(signal.SIGKILL)
        code, text = client.docmd(encoded("u"))
        assert (code, text.decode()) == LOST
        # A stale socket is in the way, and is replaced.
        server.start()
        assert auth_plain(client, "u", "p") == GOOD


def test_ten_users_at_once(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, _):

        def log_in(number: int) -> tuple[int, str]:
            with session(postfix) as client:
                return auth_plain(client, "u", "p" if number % 2 else "wrong")

        with ThreadPoolExecutor(10) as pool:
            outcomes = list(pool.map(log_in, range(10)))
        assert outcomes == [WRONG, GOOD] * 5


def test_a_name_cannot_forge_a_line_of_the_log(tmp_path: Path) -> None:
    with site(tmp_path) as (postfix, server), session(postfix) as client:
        assert auth_plain(client, 'x" auth: result=ok user="root', "p")[0] == 535
        assert auth_plain(client, "x\nauth: result=ok", "p")[0] == 535
        server.wait_for("cause=badprotocol")
        lines = [line for line in server.journal().splitlines() if " mech=" in line]
        assert len(lines) == 2
        assert all(" auth: result=fail rip=127.0.0.1 " in line for line in lines)
        assert lines[0].endswith(' user="x\\" auth: result=ok user=\\"root"')


OREORE_LOGIN = (235, b"2.7.0 Authentication successful")


def try_oreore(postfix: ThrowawayPostfix) -> None:
    with session(postfix) as client:
        assert "OREORE" in client.esmtp_features["auth"].split()
        assert client.docmd("AUTH", "OREORE aG9nZWhvZ2U=") == OREORE_LOGIN
        client.sendmail(f"u@{DOMAIN}", [f"u@{DOMAIN}"], MESSAGE)
    postfix.wait_for_log("sasl_method=OREORE, sasl_username=hogehoge")
    with session(postfix) as client:
        # Where the 30-line script failed with "parameter required", this one asks.
        assert client.docmd("AUTH", "OREORE") == (334, b"")
        assert client.docmd("aG9nZWhvZ2U=") == OREORE_LOGIN


def test_oreore_run_by_spawn(require: Require) -> None:
    with for_everybody() as folder:
        line = (
            "saslauth unix - n n - - spawn user=nobody "
            f"argv=/usr/bin/env PYTHONPATH={folder} {interpreter(require)} -m ninsho serve --stdio "
            f"--mechanism {folder}/oreore.py"
        )
        with ThrowawayPostfix(sasl_path="private/saslauth", extra_master=[line]) as postfix:
            try_oreore(postfix)


def test_oreore_served_on_a_socket(tmp_path: Path) -> None:
    with site(tmp_path, mechanisms='["OREORE", "PLAIN"]', extra=f'[[mechanism]]\nfile = "{EXAMPLES}/oreore.py"\n') as (
        postfix,
        _,
    ):
        try_oreore(postfix)
        with session(postfix) as client:
            assert auth_plain(client, "u", "p") == GOOD


@contextmanager
def for_everybody() -> Iterator[Path]:
    """The package and the example, where the user nobody can read them: spawn(8) refuses to run anything as root."""
    with TemporaryDirectory(prefix="ninsho-spawn-") as name:
        folder = Path(name)
        shutil.copytree(Path(ninsho.__file__).parent, folder / "ninsho", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(EXAMPLES / "oreore.py", folder)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield folder


def interpreter(require: Require) -> str:
    """A Python that the user nobody may run. The mechanism alone needs no library, so Debian's will do."""
    for python in (sys.executable, "/usr/bin/python3"):
        recent = [
            require("runuser"),
            "-u",
            "nobody",
            "--",
            python,
            "-c",
            "import sys; sys.exit(sys.version_info < (3, 11))",
        ]
        if subprocess.run(recent, check=False, capture_output=True).returncode == 0:
            return python
    return require("python3 that the user nobody may run")
