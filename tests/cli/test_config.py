"""``ninsho config check`` and ``ninsho config show``."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from command_line import Run

from ninsho.sasl.registry import BUILTIN

OREORE = """
from ninsho import Granted, Identity, mechanism

@mechanism("OREORE", plaintext=True)
def oreore(response):
    yield from ()
    return Granted(Identity("u"))
"""


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    """Write a configuration, and files beside it."""

    def write(text: str, **files: str) -> Path:
        for name, contents in files.items():
            (tmp_path / name).write_text(contents)
        path = tmp_path / "ninsho.toml"
        path.write_text(text)
        return path

    return write


def test_a_check_tells_what_would_be_served(ninsho: Run, config: Callable[..., Path], tmp_path: Path) -> None:
    path = config(
        """
[[listen]]
unix = "a.sock"
[[listen]]
tcp = "127.0.0.1:12345"
mechanisms = ["cram-md5", "PLAIN"]
[[store]]
type = "passwd-file"
path = "users"
[[store]]
type = "hook"
path = "hook"
[[mechanism]]
file = "oreore"
""",
        users="a:{PLAIN}p\nb:{SSHA}aqpvaR1vZ2pR1yZ3nYJ8bbWSUYFzYWx0\nc:{PLAIN}p\n",
        hook="from ninsho import store\n@store\ndef accounts(username, password, request): return None\n",
        oreore=OREORE,
    )
    ended = ninsho("config", "check", "--config", path, "--json")
    assert ended.status == 0
    assert ended.json["listen"] == [
        {"address": f"{tmp_path}/a.sock", "mechanisms": ["PLAIN", "LOGIN", "OREORE"]},
        {"address": "127.0.0.1:12345", "mechanisms": ["CRAM-MD5", "PLAIN"]},
    ]
    assert [(one["type"], one["path"], one["schemes"]) for one in ended.json["store"]] == [
        ("passwd-file", f"{tmp_path}/users", {"PLAIN": 2, "SSHA": 1}),
        ("hook", f"{tmp_path}/hook", None),
    ]
    assert ninsho("config", "check", "--config", path).out.splitlines() == [
        f"{path}: can work",
        f"listen {tmp_path}/a.sock: PLAIN LOGIN OREORE",
        "listen 127.0.0.1:12345: CRAM-MD5 PLAIN",
        f"store passwd-file {tmp_path}/users: 2 PLAIN, 1 SSHA",
        f"store hook {tmp_path}/hook",
    ]


def test_a_check_tells_all_problems_at_once_with_their_places(
    ninsho: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    path = config(
        """
[[listen]]
unix = "nowhere/a.sock"
owner = "no-such-user"
group = "no-such-group"
[[listen]]
tcp = "127.0.0.1:1"
mechanisms = ["NOPE"]
[[listen]]
tcp = "127.0.0.1:1"
[[store]]
type = "passwd-file"
path = "none"
[[store]]
type = "htpasswd"
path = "broken"
[[store]]
type = "database"
url = "sqlite:////none/accounts.db"
[[mechanism]]
file = "empty"
""",
        broken="nocolon\nu:\n",
        empty="",
    )
    ended = ninsho("config", "check", "--config", path)
    assert (ended.status, ended.out) == (78, "")
    problems = [line.removeprefix(f"ninsho: {path}: ") for line in ended.err.splitlines()]
    assert problems == [
        f"mechanism[0].file: {tmp_path}/empty: expected a mechanism made with @mechanism, found none",
        f"listen[0].unix: expected a path in a folder that exists, got {tmp_path}/nowhere/a.sock",
        "listen[0].owner: expected a name that the system knows, got 'no-such-user'",
        "listen[0].group: expected a name that the system knows, got 'no-such-group'",
        f"listen[1].mechanisms: expected one of {', '.join(BUILTIN)}, got 'NOPE'",
        "listen[2]: expected another address than listen[1], got the same",
        f"store[0]: {tmp_path}/none: cannot be read: No such file or directory",
        f"store[1]: {tmp_path}/broken:1: expected user:hash, got no hash",
        f"store[1]: {tmp_path}/broken:2: expected user:hash, got no hash",
        "store[2]: /none/accounts.db: expected the accounts database, found no file: run `ninsho init`",
    ]


def test_a_mechanism_that_can_never_work_is_a_problem(ninsho: Run, config: Callable[..., Path]) -> None:
    path = config(
        '[[listen]]\nunix = "a"\nmechanisms = ["CRAM-MD5"]\n[[store]]\ntype = "passwd-file"\npath = "users"\n',
        users="u:{SSHA}aqpvaR1vZ2pR1yZ3nYJ8bbWSUYFzYWx0\n",
    )
    ended = ninsho("config", "check", "--config", path)
    assert ended.status == 78
    assert f"{path}: listen[0].mechanisms: CRAM-MD5 can never work" in ended.err


def test_a_place_below_run_is_made_at_the_start(ninsho: Run, config: Callable[..., Path]) -> None:
    path = config(
        '[[listen]]\nunix = "/run/not-there-yet/a.sock"\n[[store]]\ntype = "passwd-file"\npath = "users"\n', users=""
    )
    assert ninsho("config", "check", "--config", path).status == 0


def test_what_is_shown_is_a_configuration_that_says_the_same(
    ninsho: Run, config: Callable[..., Path], tmp_path: Path
) -> None:
    path = config(
        """
[[listen]]
unix = "a.sock"
mode = "0600"
[[listen]]
tcp = "192.0.2.1:99"
allow = ["192.0.2.0/24"]
mechanisms = ["PLAIN"]
[[store]]
type = "passwd-file"
path = "users"
[failure]
delay = "500ms"
[passwords]
remember = "10m"
"""
    )
    shown = ninsho("config", "show", "--config", path)
    assert shown.status == 0
    again = tmp_path / "again.toml"
    again.write_text(shown.out)
    first, second = (ninsho("config", "show", "--json", "--config", one).json for one in (path, again))
    assert first | {"source": ""} == second | {"source": ""}
    assert {"source", "listen", "store", "mechanism", "accounts", "passwords", "digest-md5", "failure", "log"} <= {
        *first
    }
    assert first["listen"][0]["mode"] == "0600"
    assert (first["failure"]["delay"], first["passwords"]["remember"]) == ("0.5s", "600s")
    assert tomllib.loads(shown.out)["listen"][1]["allow"] == ["192.0.2.0/24"]


def test_the_defaults_are_shown_too(ninsho: Run, config: Callable[..., Path]) -> None:
    shown = ninsho("config", "show", "--json", "--config", config("")).json
    assert shown["listen"][0]["unix"] == "/run/ninsho/auth.sock"
    assert shown["store"] == [
        {"type": "database", "url": "sqlite:////var/lib/ninsho/accounts.db", "password_file": None},
    ]


def test_a_missing_file_is_a_problem(ninsho: Run, tmp_path: Path) -> None:
    ended = ninsho("config", "show", "--config", tmp_path / "none.toml")
    assert (ended.status, ended.err) == (
        78,
        f"ninsho: {tmp_path}/none.toml: cannot be read: No such file or directory\n",
    )
