"""``ninsho postfix print`` and ``ninsho postfix setup``, with Postfix's own postconf on a configuration of the test's."""

import os
import re
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Ended, Run

from ninsho.cli.endings import CommandError, WrongUsage
from ninsho.cli.postfix import commands, preview
from ninsho.cli.postfix.changes import Changes
from ninsho.cli.postfix.listener import choose, sasl_path
from ninsho.cli.postfix.postconf import Postconf
from ninsho.daemon.tables import Listen

QUEUE = Path("/var/spool/postfix")
MAIN = f"""\
# The site's own remarks stay.
compatibility_level = 3.6
queue_directory = {QUEUE}
smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/ssl/certs/site.pem
"""
SMTP = "smtp inet n - y - - smtpd\n"
SUBMISSION = "submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n"
SUBMISSIONS = "127.0.0.1:465 inet n - y - - smtpd\n  -o smtpd_tls_wrappermode=yes\n"
PICKUP = "pickup unix n - y 60 1 pickup\n"


@pytest.fixture(autouse=True)
def _postconf() -> None:
    if shutil.which("postconf", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") is None:
        if os.environ.get("CI"):
            pytest.fail("on CI nothing is skipped: Postfix is not installed")
        pytest.skip("Postfix is not installed")


@pytest.fixture
def postfix(tmp_path: Path) -> Callable[..., Path]:
    """Write main.cf and master.cf; they are old, as a site's are, or Postfix's programs would wait for them to be."""

    def write(*services: str, main: str = MAIN) -> Path:
        directory = tmp_path / "postfix"
        directory.mkdir(exist_ok=True)
        for name, text in (("main.cf", main), ("master.cf", "".join(services) + PICKUP)):
            (directory / name).write_text(text)
            os.utime(directory / name, (0, 0))
        return directory

    return write


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "ninsho.toml"
    path.write_text(
        f"""
[[listen]]
tcp = "127.0.0.1:12345"
[[listen]]
unix = "/run/ninsho/auth.sock"
[[listen]]
unix = "{QUEUE}/private/ninsho"
[[store]]
type = "environment"
"""
    )
    return path


@pytest.fixture
def setup(ninsho: Run, config: Path) -> Run:
    def command(directory: Path, *options: str) -> Ended:
        return ninsho("postfix", "setup", "--config", config, "--config-directory", directory, *options)

    return command


def postconf(directory: Path, *arguments: str) -> str:
    command = [shutil.which("postconf", path="/usr/sbin:/usr/bin"), "-c", str(directory), *arguments]
    for name in preview.FILES:
        os.utime(directory / name, (0, 0))
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_setup_makes_the_submission_ports_ask_ninsho(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP, SUBMISSION, SUBMISSIONS)
    ended = setup(directory, "--yes")
    assert (ended.status, ended.err) == (0, "")
    assert postconf(directory, "-h", "smtpd_sasl_type", "smtpd_sasl_path", "smtpd_tls_auth_only").split() == [
        "dovecot",
        "private/ninsho",
        "yes",
    ]
    enabled = {line.split("/")[0] for line in postconf(directory, "-P").splitlines() if "auth_enable = yes" in line}
    assert enabled == {"submission", "127.0.0.1:465"}
    assert "# The site's own remarks stay." in (directory / "main.cf").read_text()
    assert ended.out.endswith(f"\nNow have Postfix read its configuration:\n  postfix -c {directory} reload\n")


def test_what_is_shown_is_what_is_done_and_the_old_files_are_kept(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP, SUBMISSION)
    old = preview.read(directory)
    shown = setup(directory, "--dry-run")
    assert shown.status == 1
    assert preview.read(directory) == old
    done = setup(directory, "--yes")
    assert done.out.startswith(shown.out)
    copies = {path.name.split(".cf.")[0]: path for path in directory.glob("*.cf.*")}
    assert {name: path.read_text() for name, path in copies.items()} == {
        "main": old["main.cf"],
        "master": old["master.cf"],
    }
    assert all(re.fullmatch(r"\d{8}T\d{6}", path.suffix[1:]) for path in copies.values())


def test_setup_twice_changes_nothing_the_second_time(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP, SUBMISSION)
    setup(directory, "--yes")
    for name in preview.FILES:
        os.utime(directory / name, (0, 0))
    first = preview.read(directory)
    ended = setup(directory, "--yes")
    assert (ended.status, ended.out) == (0, f"{directory}: nothing to change\n")
    assert setup(directory, "--dry-run").status == 0
    assert preview.read(directory) == first
    assert len(list(directory.glob("*.cf.*"))) == 2


def test_port_25_is_left_alone_unless_it_is_named(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP, SUBMISSION)
    assert "+smtp " not in setup(directory, "--dry-run").out
    assert setup(directory, "--yes", "--port-25").status == 0
    assert "smtp/inet/smtpd_sasl_auth_enable = yes" in postconf(directory, "-P")


def test_where_there_is_no_submission_it_is_added(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP)
    ended = setup(directory, "--yes")
    assert ended.status == 0
    assert "neither submission nor submissions is in master.cf: submission/inet is added" in ended.err
    assert postconf(directory, "-M", "submission/inet").split()[:8] == [
        "submission",
        "inet",
        "n",
        "-",
        "y",
        "-",
        "-",
        "smtpd",
    ]
    assert postconf(directory, "-P").splitlines() == [
        "submission/inet/smtpd_client_restrictions = permit_sasl_authenticated,reject",
        "submission/inet/smtpd_sasl_auth_enable = yes",
        "submission/inet/smtpd_tls_security_level = encrypt",
        "submission/inet/syslog_name = postfix/submission",
    ]
    assert setup(directory, "--dry-run").status == 0


def test_port_25_alone_adds_no_submission(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SMTP)
    assert setup(directory, "--yes", "--port-25", "--no-tls").status == 0
    assert "submission" not in postconf(directory, "-M")


def test_a_service_that_has_its_own_settings_gets_ours_there(setup: Run, postfix: Callable[..., Path]) -> None:
    dovecot = "  -o smtpd_sasl_type=dovecot\n  -o smtpd_sasl_path=private/auth\n  -o smtpd_sasl_auth_enable=yes\n"
    directory = postfix(SMTP, SUBMISSION, dovecot)
    setup(directory, "--yes")
    overrides = postconf(directory, "-P")
    assert "submission/inet/smtpd_sasl_path = private/ninsho\n" in overrides
    assert "smtpd_tls_auth_only" not in overrides


def test_without_tls_nobody_waits_for_it(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SUBMISSION, main="compatibility_level = 3.6\n")
    ended = setup(directory, "--yes", "--no-tls")
    assert (ended.status, ended.err) == (0, "")
    assert postconf(directory, "-h", "smtpd_tls_auth_only").strip() == "no"


def test_tls_that_cannot_start_is_remarked(setup: Run, postfix: Callable[..., Path]) -> None:
    ended = setup(postfix(SUBMISSION, main="compatibility_level = 3.6\n"), "--dry-run")
    assert "submission: passwords wait for TLS, and TLS cannot start" in ended.err


def test_users_who_may_not_relay_are_remarked(setup: Run, postfix: Callable[..., Path]) -> None:
    main = MAIN.replace("permit_sasl_authenticated, ", "")
    ended = setup(postfix(SUBMISSION, main=main), "--dry-run")
    assert "submission: smtpd_relay_restrictions and smtpd_recipient_restrictions lack" in ended.err
    own = SUBMISSION + "  -o smtpd_relay_restrictions=permit_sasl_authenticated,reject\n"
    assert setup(postfix(own, main=main), "--dry-run").err == ""


def test_a_socket_outside_is_refused_for_a_chrooted_smtpd(setup: Run, postfix: Callable[..., Path]) -> None:
    ended = setup(postfix(SUBMISSION), "--listen", "/run/ninsho/auth.sock", "--yes")
    assert ended.status == 1
    assert f"runs in the chroot {QUEUE}: expected a listener in there" in ended.err
    free = postfix(SUBMISSION.replace("n - y", "n - n"))
    assert setup(free, "--listen", "/run/ninsho/auth.sock", "--yes").status == 0
    assert postconf(free, "-h", "smtpd_sasl_path").strip() == "/run/ninsho/auth.sock"


def test_tcp_serves_the_chroot_too(setup: Run, postfix: Callable[..., Path]) -> None:
    directory = postfix(SUBMISSION)
    assert setup(directory, "--listen", "127.0.0.1:12345", "--yes").status == 0
    assert postconf(directory, "-h", "smtpd_sasl_path").strip() == "inet:127.0.0.1:12345"


def test_nothing_is_changed_without_a_yes(
    setup: Run, postfix: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = postfix(SUBMISSION)
    old = preview.read(directory)
    assert setup(directory).status == 2
    monkeypatch.setattr(commands, "confirmed", lambda _: False)
    ended = setup(directory)
    assert (ended.status, ended.out.splitlines()[-1]) == (1, "nothing is changed")
    assert preview.read(directory) == old
    assert sorted(path.name for path in directory.iterdir()) == ["main.cf", "master.cf"]


def test_reload_is_done_only_when_told(
    setup: Run, postfix: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    reloaded = []
    monkeypatch.setattr(commands, "reload_postfix", reloaded.append)
    directory = postfix(SUBMISSION)
    setup(directory, "--yes")
    assert reloaded == []
    ended = setup(directory, "--yes", "--listen", "127.0.0.1:12345", "--reload")
    assert reloaded == [directory]
    assert ended.out.endswith("Postfix reads its configuration again\n")


def test_where_it_goes_wrong_everything_is_as_it_was(
    postfix: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = postfix(SUBMISSION)
    (directory / "main.cf").chmod(0o640)
    old = preview.read(directory)
    broken = Changes({"smtpd_sasl_type": "dovecot"}, {}, {"no such service": "x"})
    with pytest.raises(CommandError):
        preview.apply(broken, directory, {}, now=commands.datetime(2030, 1, 2))
    assert preview.read(directory) == old
    assert stat.S_IMODE((directory / "main.cf").stat().st_mode) == 0o640
    assert sorted(path.name for path in directory.iterdir()) == ["main.cf", "master.cf"]


def test_a_directory_that_is_none_is_told(setup: Run, tmp_path: Path) -> None:
    ended = setup(tmp_path / "none", "--yes")
    assert ended.status == 1
    assert "No such file or directory" in ended.err


def test_postfix_that_is_not_there_ends_with_69(
    setup: Run, postfix: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ninsho.cli.postfix.postconf.shutil.which", lambda *_, **__: None)
    ended = setup(postfix(SUBMISSION), "--yes")
    assert (ended.status, "Postfix is not installed" in ended.err) == (69, True)


def test_the_lines_are_printed_for_the_socket_in_the_queue_directory(ninsho: Run, config: Path) -> None:
    ended = ninsho("postfix", "print", "--config", config)
    assert ended.out.splitlines()[:5] == [
        "# main.cf",
        "smtpd_sasl_type = dovecot",
        "smtpd_sasl_path = private/ninsho",
        "smtpd_sasl_security_options = noanonymous",
        "smtpd_tls_auth_only = yes",
    ]
    assert "submission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n" in ended.out
    assert "smtpd_tls_auth_only" not in ninsho("postfix", "print", "--config", config, "--no-tls").out


def test_the_lines_that_are_printed_are_lines_of_master_cf(
    ninsho: Run, config: Path, postfix: Callable[..., Path]
) -> None:
    for options in ([], ["--spawn"], ["--listen", "/run/ninsho/auth.sock"]):
        printed = ninsho("postfix", "print", "--config", config, *options).out
        main = [line for line in printed.splitlines() if re.match(r"[a-z_-]+ = ", line)]
        services = "".join(
            f"{line}\n" for line in printed.splitlines() if line and line not in main and not line.startswith("#")
        )
        directory = postfix(SMTP, services, main=MAIN + "\n".join(main) + "\n")
        assert "smtpd_sasl_auth_enable = yes" in postconf(directory, "-P")
        for line in main:
            name, _, value = line.partition(" = ")
            assert postconf(directory, "-h", name).strip() == value


def test_spawn_runs_ninsho_on_standard_input(ninsho: Run, config: Path) -> None:
    printed = ninsho("postfix", "print", "--config", config, "--spawn").out
    assert "ninsho-spawn unix - n n - 0 spawn\n" in printed
    assert f"serve --stdio --config {config}\n" in printed
    assert "smtpd_sasl_path = private/ninsho-spawn\n" in printed
    assert "ninsho-spawn_time_limit = 1d\n" in printed


UNIX, TCP, OUTSIDE = Listen(unix=QUEUE / "private/a"), Listen(tcp="127.0.0.1:1"), Listen(unix=Path("/run/a"))


def test_the_best_listener_for_postfix_is_chosen() -> None:
    assert choose([TCP, OUTSIDE, UNIX], QUEUE) is UNIX
    assert choose([OUTSIDE, TCP], QUEUE) is TCP
    assert choose([OUTSIDE, TCP], QUEUE, "/run/a") is OUTSIDE
    with pytest.raises(WrongUsage, match=r"--listen: expected one of /run/a, got /run/b"):
        choose([OUTSIDE], QUEUE, "/run/b")


@pytest.mark.parametrize(
    ("listen", "path"),
    [
        (UNIX, "private/a"),
        (OUTSIDE, "/run/a"),
        (TCP, "inet:127.0.0.1:1"),
        (Listen(tcp="[::1]:99"), "inet:[::1]:99"),
        (Listen(tcp="0.0.0.0:99", allow=["192.0.2.0/24"]), "inet:127.0.0.1:99"),
        (Listen(tcp="[::]:99", allow=["192.0.2.0/24"]), "inet:[::1]:99"),
    ],
)
def test_main_cf_names_each_kind_of_listener(listen: Listen, path: str) -> None:
    assert sasl_path(listen, QUEUE) == path


def test_services_are_read_with_their_addresses_and_chroots(postfix: Callable[..., Path]) -> None:
    services = Postconf(postfix(SMTP, SUBMISSIONS, "tlsproxy unix - - n - 0 tlsproxy\n")).services()
    assert [(one.name, one.port, one.kind, one.chroot, one.command) for one in services] == [
        ("smtp", "smtp", "inet", True, "smtpd"),
        ("127.0.0.1:465", "465", "inet", True, "smtpd"),
        ("tlsproxy", "tlsproxy", "unix", False, "tlsproxy"),
        ("pickup", "pickup", "unix", True, "pickup"),
    ]
