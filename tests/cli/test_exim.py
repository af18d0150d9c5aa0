"""``ninsho exim print``."""

from pathlib import Path

import pytest
from command_line import Run

from ninsho.cli.exim import choose
from ninsho.daemon.tables import Listen


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "users").write_text("u:{PLAIN}p\n")
    path = tmp_path / "ninsho.toml"
    path.write_text(
        f"""
[[listen]]
unix = "{tmp_path}/postfix/private/ninsho"
mechanisms = ["LOGIN"]
[[listen]]
unix = "{tmp_path}/exim.sock"
mechanisms = ["PLAIN", "CRAM-MD5"]
[[listen]]
tcp = "127.0.0.1:12345"
[[store]]
type = "passwd-file"
path = "users"
"""
    )
    return path


def test_there_is_an_authenticator_for_each_mechanism_that_is_offered(
    ninsho: Run, config: Path, tmp_path: Path
) -> None:
    ended = ninsho("exim", "print", "--config", config)
    assert ended.status == 0
    assert ended.out.split("\n\n", 1)[1] == (
        "dovecot_plain:\n"
        "  driver = dovecot\n"
        "  public_name = PLAIN\n"
        f"  server_socket = {tmp_path}/exim.sock\n"
        "  server_set_id = $auth1\n"
        "  server_advertise_condition = ${if def:tls_in_cipher}\n"
        "\n"
        # No password goes over the line: it may be offered without TLS.
        "dovecot_cram_md5:\n"
        "  driver = dovecot\n"
        "  public_name = CRAM-MD5\n"
        f"  server_socket = {tmp_path}/exim.sock\n"
        "  server_set_id = $auth1\n"
    )


def test_a_listener_can_be_chosen(ninsho: Run, config: Path) -> None:
    ended = ninsho("exim", "print", "--config", config, "--listen", "127.0.0.1:12345")
    assert ended.out.count("server_socket = 127.0.0.1 12345") == ended.out.count("driver = dovecot") >= 2


def test_a_listener_that_is_none_is_told(ninsho: Run, config: Path) -> None:
    ended = ninsho("exim", "print", "--config", config, "--listen", "nope")
    assert ended.status == 2
    assert "expected one of" in ended.err


@pytest.mark.parametrize(
    ("addresses", "chosen"),
    [
        (["/postfix/private/a", "/run/exim.sock", "/run/auth"], "/run/exim.sock"),
        (["/postfix/private/a", "127.0.0.1:1", "/run/auth"], "/run/auth"),
        (["/postfix/private/a", "127.0.0.1:1"], "127.0.0.1:1"),
        (["/postfix/private/a"], "/postfix/private/a"),
    ],
)
def test_the_listener_that_looks_made_for_exim_is_taken(addresses: list[str], chosen: str) -> None:
    listens = [Listen(unix=one) if one.startswith("/") else Listen(tcp=one) for one in addresses]
    assert choose(listens, None).address == chosen
