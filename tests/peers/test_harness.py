"""The programs that other tests run: each starts, does its work, and leaves nothing behind."""

import re
import signal
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingUnixStreamServer
from threading import Thread
from typing import Any

import pytest
import trustme
from dovecot import ThrowawayDovecot
from exim import PROGRAM, ThrowawayExim

from ninsho.cli.throwaway import DOMAIN, PostfixUnavailable, ThrowawayPostfix, ThrowawayProgram, reserved_port

Require = Callable[..., str]

TIM = f"tim@{DOMAIN}"
MESSAGE = "Subject: greetings\r\n\r\nhello\r\n"


class Constant(StreamRequestHandler):
    """An authentication server that lets in everybody, as ``tim``."""

    def handle(self) -> None:
        self.wfile.write(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nSPID\t1\nCUID\t1\nCOOKIE\t%032x\nDONE\n" % 1)
        for line in self.rfile:
            if line.startswith(b"AUTH\t"):
                self.wfile.write(b"OK\t%b\tuser=tim\n" % line.split(b"\t")[1])


@contextmanager
def constant(path: Path) -> Iterator[None]:
    with ThreadingUnixStreamServer(str(path), Constant) as server:
        server.daemon_threads = True
        path.chmod(0o666)
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def postfix(**settings: Any) -> Iterator[ThrowawayPostfix]:
    """A Postfix that lets in everybody."""
    with (
        ThrowawayPostfix(**settings) as postfix,
        constant(postfix.queue_directory / "private" / "auth"),
    ):
        yield postfix


def submit(server: ThrowawayProgram, *recipients: str) -> None:
    with smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        client.login("tim", "tanstaaftanstaaf")
        client.sendmail(TIM, recipients, MESSAGE)


def living(session: int, directory: Path) -> list[str]:
    """The processes of a program that have not ended: those of its session, and those whose environment names its directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            name, state, _, _, its_session = re.split(r"\) (\S+) (\S+) (\S+) (\S+)", (process / "stat").read_text())[:5]
            ours = int(its_session) == session or bytes(directory) in (process / "environ").read_bytes()
            if ours and state != "Z":
                found.append(name)
    return found


def gone(program: ThrowawayProgram) -> bool:
    return not living(program.pid, program.directory) and not program.directory.exists()


# Postfix


@pytest.mark.parametrize("chroot", [False, True])
def test_postfix_delivers_what_a_logged_in_client_sends(require: Require, *, chroot: bool) -> None:
    require("postconf", root=True)
    with postfix(chroot=chroot) as server:
        submit(server, TIM, f"Ann@{DOMAIN}")
        [message] = server.wait_for_mail("tim")
        assert b"Subject: greetings\n" in message
        assert len(server.wait_for_mail("ann")) == 1
        assert server.mailbox("nobody") == []
        assert server.wait_for_log(r"sasl_method=(\w+), sasl_username=(\w+)").groups() == ("PLAIN", "tim")
    assert gone(server)


def test_postfix_is_where_it_says(require: Require) -> None:
    require("postconf", root=True)
    with (
        postfix(chroot=True) as server,
        closing(socket.create_connection(("127.0.0.1", server.port))) as client,
    ):
        assert client.recv(1000) == b"220 mail.example.test ESMTP Postfix\r\n"
        smtpd = server.wait_for_log(r"smtpd\[(\d+)\]: connect")[1]
        assert Path(f"/proc/{smtpd}/root").readlink() == server.queue_directory
        assert Path(f"/proc/{server.pid}/comm").read_text() == "master\n"
        assert (server.config_directory / "main.cf").exists()


def test_postfix_takes_nothing_before_login_and_sends_nothing_away(require: Require) -> None:
    require("postconf", root=True)
    with postfix() as server, smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        client.ehlo()
        assert client.mail(TIM)[0] == 250
        assert client.rcpt(TIM)[0] == 554
        client.rset()
        client.login("tim", "tanstaaftanstaaf")
        assert client.mail(TIM)[0] == 250
        assert client.rcpt(TIM)[0] == 250
        assert client.rcpt("somebody@example.org")[0] == 550


def test_postfix_starts_and_ends_at_once(require: Require) -> None:
    require("postconf", root=True)
    spans = []
    for _ in range(3):
        before = time.monotonic()
        with ThrowawayPostfix():
            pass
        spans.append(time.monotonic() - before)
    # It takes a tenth of that; a Postfix that finds its main.cf too fresh waits longer.
    assert min(spans) < 1


def test_postfix_offers_starttls_with_a_certificate(require: Require, tmp_path: Path) -> None:
    require("postconf", root=True)
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(str(tmp_path / "server.pem"))
    context = ssl.create_default_context()
    authority.configure_trust(context)
    with (
        postfix(certificate=tmp_path / "server.pem", chroot=True) as server,
        smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client,
    ):
        client.starttls(context=context)
        client.login("tim", "tanstaaftanstaaf")
        assert client.rcpt(TIM)[0] == 503


def test_postfix_survives_the_restart_of_its_authentication_server(require: Require) -> None:
    require("postconf", root=True)
    with ThrowawayPostfix() as server:
        path = server.queue_directory / "private" / "auth"
        with pytest.raises(smtplib.SMTPServerDisconnected):
            submit(server, TIM)
        server.wait_for_log("fatal: no SASL authentication mechanisms")
        with constant(path):
            submit(server, TIM)
        path.unlink()
        with constant(path):
            submit(server, TIM)
        assert len(server.wait_for_mail("tim", count=2)) == 2


def test_postfix_ends_what_its_spawn_started_however_stubborn(
    require: Require, monkeypatch: pytest.MonkeyPatch
) -> None:
    require("postconf", root=True)
    monkeypatch.setattr("ninsho.cli.throwaway.child.GRACE", 0.2)
    stubborn = (
        "stubborn unix - n n - - spawn user=nobody argv=/bin/sh -c { trap '' TERM; echo up; while :; do sleep 9; done }"
    )
    with ThrowawayPostfix(extra_master=[stubborn]) as server, socket.socket(socket.AF_UNIX) as client:
        client.connect(str(server.queue_directory / "private" / "stubborn"))
        assert client.recv(10) == b"up\n"
        assert any(name.endswith("(sh") for name in living(server.pid, server.directory))
    assert gone(server)


def test_postfix_says_what_is_wrong_with_its_settings(require: Require) -> None:
    require("postconf", root=True)
    server = ThrowawayPostfix(extra_main={"inet_protocols": "ipv5"})
    with pytest.raises(
        PostfixUnavailable, match=r'postfix: ended with status 1: .* unknown inet_protocols value "ipv5"'
    ):
        server.__enter__()
    assert not server.directory.exists()


def test_postfix_says_that_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(PostfixUnavailable, match="Postfix is not installed: there is no postconf"), ThrowawayPostfix():
        pass


def test_postfix_says_that_it_takes_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(PostfixUnavailable, match="takes root to start, and this is user 1000"), ThrowawayPostfix():
        pass


def test_what_does_not_come_is_told_with_the_end_of_the_log(require: Require) -> None:
    require("postconf", root=True)
    with ThrowawayPostfix() as server:
        with pytest.raises(TimeoutError, match=r"postfix: no 'frost' in its log within 0.1 s: .*daemon started"):
            server.wait_for_log("frost", timeout=0.1)
        with pytest.raises(TimeoutError, match="no 1 messages for tim"):
            server.wait_for_mail("tim", timeout=0.1)


def test_an_interrupt_while_postfix_starts_leaves_nothing(require: Require, monkeypatch: pytest.MonkeyPatch) -> None:
    require("postconf", root=True)

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ThrowawayPostfix, "wait_for_log", interrupted)
    server = ThrowawayPostfix()
    with pytest.raises(KeyboardInterrupt):
        server.__enter__()
    assert gone(server)


@pytest.mark.parametrize("deadly", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda deadly: deadly.name)
@pytest.mark.parametrize(
    ("program", "made"),
    [
        ("postconf", "from ninsho.cli.throwaway import ThrowawayPostfix; program = ThrowawayPostfix()"),
        ("dovecot", "from dovecot import ThrowawayDovecot; program = ThrowawayDovecot('')"),
        (PROGRAM, "from exim import ThrowawayExim; program = ThrowawayExim()"),
    ],
    ids=["postfix", "dovecot", "exim"],
)
def test_nothing_outlives_us(require: Require, program: str, made: str, deadly: signal.Signals) -> None:
    require(program, root=True)
    script = f"""if True:
        {made}
        with program:
            print(program.pid, program.directory, flush=True)
            program.wait_for_log("never", timeout=60)
    """
    command = [sys.executable, "-c", script]
    with subprocess.Popen(
        command, cwd=Path(__file__).parent, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        pid, directory = process.stdout.readline().decode().split()
        assert living(int(pid), Path(directory))
        process.send_signal(deadly)
        assert process.wait(10) == -deadly
    deadline = time.monotonic() + 5
    while living(int(pid), Path(directory)) or Path(directory).exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


# Exim


def test_exim_delivers_what_a_logged_in_client_sends(require: Require) -> None:
    require(PROGRAM, root=True)
    with ThrowawayExim(mechanisms=["PLAIN"]) as server, constant(server.directory / "auth"):
        submit(server, TIM)
        [message] = server.wait_for_mail("tim")
        assert b"Subject: greetings\n" in message
        assert server.wait_for_log(r"A=(\S+)")[1] == "dovecot_plain:tim"
    assert gone(server)


def test_exim_takes_nothing_before_login(require: Require) -> None:
    require(PROGRAM, root=True)
    with ThrowawayExim() as server, smtplib.SMTP("127.0.0.1", server.port, timeout=5) as client:
        client.ehlo()
        assert client.esmtp_features["auth"].split() == ["PLAIN", "LOGIN", "CRAM-MD5"]
        client.mail(TIM)
        assert client.rcpt(TIM)[0] == 550
    assert gone(server)


# Dovecot


def test_dovecot_knows_its_users(require: Require) -> None:
    require("dovecot", root=True)
    with ThrowawayDovecot("tim:{PLAIN}tanstaaftanstaaf\n") as server:
        for answer in (over_unix(server.socket), over_tcp(server.port)):
            assert answer.startswith(b"VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tLOGIN\tplaintext\n")
            assert answer.endswith(b"\nOK\t1\tuser=tim\n")
    assert gone(server)


def test_dovecot_serves_postfix(require: Require) -> None:
    require("postconf", root=True)
    require("dovecot", root=True)
    with (
        ThrowawayPostfix() as server,
        ThrowawayDovecot("tim:{PLAIN}tanstaaftanstaaf\n", socket=server.queue_directory / "private" / "auth"),
    ):
        submit(server, TIM)
        assert server.wait_for_mail("tim")


def over_unix(path: Path) -> bytes:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(path))
        return conversation(client)


def over_tcp(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port)) as client:
        return conversation(client)


def conversation(client: socket.socket) -> bytes:
    client.settimeout(5)
    client.sendall(b"VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=AHRpbQB0YW5zdGFhZnRhbnN0YWFm\n")
    answer = b""
    while not re.search(b"\n(OK|FAIL)\t.*\n", answer):
        answer += client.recv(4096)
    return answer


# Ports


def test_a_reserved_port_is_for_one_server_alone(free_port: int) -> None:
    with socket.socket() as stranger, pytest.raises(OSError, match="Address already in use"):
        stranger.bind(("127.0.0.1", free_port))
    with socket.create_server(("127.0.0.1", free_port)), socket.create_connection(("127.0.0.1", free_port)):
        pass


def test_reserved_ports_differ() -> None:
    with reserved_port() as one, reserved_port() as other:
        assert one != other
