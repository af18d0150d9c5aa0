"""The configuration: what may stand in it, and what is said of everything that may not."""

from pathlib import Path

import pytest

from ninsho.daemon.config import DEFAULT_SOCKET, decode, load
from ninsho.daemon.growing import wanted_forms
from ninsho.daemon.tables import Tables
from ninsho.errors import ConfigurationError
from ninsho.stores.wanted_forms import WantedForms

TABLES = sorted(field.alias or name for name, field in Tables.model_fields.items())


def problems(path: Path, text: str) -> list[str]:
    path.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(path)
    return [problem.removeprefix(f"{path}: ") for problem in caught.value.problems]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ninsho.toml"


def test_everything_is_optional(tmp_path):
    config = decode({}, source="nothing", folder=tmp_path)
    assert [listen.unix for listen in config.listen] == [DEFAULT_SOCKET]
    assert [type(recipe).__name__ for recipe in config.stores] == ["DatabaseStore"]
    assert config.failure.delay == 2.0
    assert config.passwords.remember == 3600.0


def test_a_whole_file(path):
    path.write_text("""
[failure]
delay = "500ms"
temporary = "fail"
[passwords]
scheme = "BLF-CRYPT"
remember = "10m"
[log]
format = "json"
decisions = "failures"
[[listen]]
unix = "auth.sock"
mode = "0600"
mechanisms = ["PLAIN"]
[[listen]]
tcp = "[::1]:12345"
[[listen]]
tcp = "0.0.0.0:12345"
allow = ["192.0.2.0/24", "2001:db8::/32"]
[[store]]
type = "passwd-file"
path = "users"
[[mechanism]]
file = "oreore.py"
""")
    config = load(path)
    assert config.listen[0].unix == path.parent / "auth.sock"
    assert config.listen[0].mode == 0o600
    assert config.listen[1].endpoint == ("::1", 12345)
    assert config.failure.delay == 0.5
    assert config.stores[0].path == path.parent / "users"
    assert config.mechanism_files == (path.parent / "oreore.py",)


def test_all_problems_are_told_at_once_each_with_its_place(path):
    assert problems(
        path,
        """
colour = "blue"
[failure]
delay = 2
temporary = "maybe"
[passwords]
remeber = "1h"
[[listen]]
unix = "auth.sock"
mode = 660
[[listen]]
unix = "auth.sock"
tcp = "127.0.0.1:1"
[[listen]]
tcp = "0.0.0.0:12345"
[[listen]]
tcp = "localhost:12345"
[[store]]
type = "passwd-fiel"
[[store]]
type = "passwd-file"
path = 3
[[store]]
type = "passwd-file"
pth = "users"
""",
    ) == [
        'listen[0].mode: expected an octal string such as "0660", got 660',
        "listen[1]: expected either unix or tcp",
        "listen[2]: expected allow, the networks that may connect, with the address 0.0.0.0, which is not loopback",
        "listen[3]: expected an IP address before the port, got 'localhost'",
        "passwords.remeber: unknown key; did you mean remember?",
        'failure.delay: expected a duration such as "2s", "10m" or "1h", got 2',
        "failure.temporary: expected 'close' or 'fail', got 'maybe'",
        f"colour: unknown key; known are {', '.join(TABLES)}",
        "store[0].type: expected one of database, environment, hook, htpasswd, passwd-file, got 'passwd-fiel'",
        "store[1].path: expected a path, got 3",
        "store[2].pth: unknown key; did you mean path?",
    ]


def test_a_delay_that_postfix_would_not_wait_for(path):
    (problem,) = problems(path, '[failure]\ndelay = "9s"\n')
    assert problem.startswith("failure.delay: ")
    assert "expected 6 at most, got " in problem


def test_what_is_not_toml(path):
    (problem,) = problems(path, "[failure\n")
    assert problem.startswith("not TOML: ")
    assert "line 1" in problem


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigurationError, match=r"missing.toml: cannot be read: No such file or directory"):
        load(tmp_path / "missing.toml")


def test_an_unknown_key_in_a_list_of_tables_is_told_with_its_number(path):
    assert problems(path, '[[listen]]\nunix = "a"\nownr = "x"\n') == [
        "listen[0].ownr: unknown key; did you mean owner?"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            'accounts.derive = ["ARGON2I", "cleartext"]',
            "accounts.derive[1]: expected a scheme that hides the password, got 'cleartext': a login must not make it",
        ),
        (
            'accounts.derive = ["SMD5"]',
            "accounts.derive[0]: scheme SMD5 is weak, and passwords.weak does not permit it",
        ),
        ('passwords.weak = ["SMD5"]\naccounts.derive = ["SMD5"]', "accounts.derive[0]: scheme SMD5 is weak"),
        ('accounts.derive = ["SCRAM-SHA-255"]', "accounts.derive[0]: scheme SCRAM-SHA-255 is not known; did you mean"),
        (
            'accounts.rehash = true\npasswords.scheme = "PLAIN"',
            "the file: expected accounts.rehash only with a passwords.scheme that is slow to guess from, got 'PLAIN'",
        ),
        *(
            (
                f'accounts.rehash = true\npasswords.scheme = "{scheme}"',
                f"the file: expected accounts.rehash only with a passwords.scheme that is slow to guess from, got '{scheme}'",
            )
            for scheme in ("SHA", "ssha", "SSHA512.hex", "CRAM-MD5", "DIGEST-MD5")
        ),
    ],
)
def test_a_login_makes_no_password_easier_to_read(path, text, problem):
    (told,) = problems(path, text)
    assert told.startswith(problem)


def test_what_accounts_are_to_hold(path):
    path.write_text('passwords.weak = ["SMD5"]\naccounts.derive = ["SCRAM-SHA-256"]\n')
    wanted = wanted_forms(load(path))
    assert wanted == WantedForms("ARGON2ID", ("SCRAM-SHA-256",), permitted=frozenset({"SMD5"}))
    path.write_text("accounts.rehash = true\n")
    assert wanted_forms(load(path)).rehash
    path.write_text("accounts.masters = true\n")
    assert wanted_forms(load(path)) is None
