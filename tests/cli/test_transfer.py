"""``ninsho user import`` and ``ninsho user export``."""

import json
from pathlib import Path
from stat import S_IMODE
from typing import Any

import pytest
from command_line import Run

from ninsho.cli.endings import WrongUsage
from ninsho.cli.user.guessing import guess
from ninsho.stores import hashing

BCRYPT = "$2y$12$ZBMUWmh7k6TEjI2E2YkS5eFaPGjPeqTaDn0eS7Vv0PK0Ffkvqe4bm"


def everything(ninsho: Run) -> list[dict[str, Any]]:
    return json.loads(ninsho("user", "export", "-", "--format", "json").out)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_everything_about_every_account_survives_a_round_trip(ninsho: Run, site: Path, form: str) -> None:
    ninsho(
        "user", "add", "田中@example.jp", "--generate", "--scheme", "SSHA", "--scheme", "CRAM-MD5", "--note", 'a, "b"'
    )
    ninsho("user", "add", "bob", "--generate", "--expires", "2099-01-01T10:00:00Z", "--network", "192.0.2.0/24")
    ninsho("user", "disable", "bob")
    before = everything(ninsho)
    file = site / f"accounts.{form}"
    assert ninsho("user", "export", file).err == "accounts written: 2\n"
    for account in before:
        ninsho("user", "remove", account["name"], "--yes")
    assert ninsho("user", "import", file).out == "2 added, 0 changed, 0 the same, 0 refused\n"
    assert everything(ninsho) == before


@pytest.mark.parametrize("form", ["passwd-file", "htpasswd"])
def test_what_an_older_format_can_hold_survives_it(ninsho: Run, site: Path, form: str) -> None:
    lines = f"alice:{BCRYPT}\nbob:{BCRYPT}\n"
    assert ninsho("user", "import", "-", "--format", form, stdin=lines).status == 0
    exported = ninsho("user", "export", "-", "--format", form)
    assert (exported.status, len(exported.out.splitlines())) == (0, 2)
    assert ninsho("user", "import", "-", "--format", form, stdin=exported.out).out.startswith(
        "0 added, 0 changed, 2 the"
    )


def test_what_a_format_cannot_hold_is_refused_and_no_file_is_left(ninsho: Run, site: Path) -> None:
    ninsho("user", "add", "alice", "--generate", "--expires", "2099-01-01")
    ended = ninsho("user", "export", site / "out.passwd")
    assert (ended.status, ended.out) == (1, "")
    assert "'alice'" in ended.err
    assert not (site / "out.passwd").exists()


def test_an_exported_file_is_its_owners_alone_and_overwrites_none(ninsho: Run, site: Path) -> None:
    file = site / "out.csv"
    assert ninsho("user", "export", file).status == 0
    assert S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("precious")
    ended = ninsho("user", "export", file)
    assert (ended.status, "left as it is" in ended.err) == (1, True)
    assert file.read_text() == "precious"


def test_a_dry_run_shows_a_difference_and_changes_nothing(ninsho: Run, site: Path) -> None:
    ninsho("user", "import", "-", "--format", "passwd-file", stdin="same:{PLAIN}p\nold:{PLAIN}p\n")
    lines = "new:{PLAIN}p\nold:{PLAIN}q:::a note\nsame:{PLAIN}p\n"
    (site / "in.passwd").write_text(lines)
    ended = ninsho("user", "import", site / "in.passwd", "--replace", "--dry-run")
    assert ended.status == 0
    assert ended.out.splitlines() == [
        "+ new",
        "~ old: secrets, note",
        "would be: 1 added, 1 changed, 1 the same, 0 refused",
    ]
    assert [account["name"] for account in everything(ninsho)] == ["old", "same"]


def test_accounts_that_differ_are_only_replaced_when_told_so(ninsho: Run, site: Path) -> None:
    ninsho("user", "import", "-", "--format", "passwd-file", stdin="old:{PLAIN}p\n")
    lines = "old:{PLAIN}q\nnew:{PLAIN}p\n"
    refused = ninsho("user", "import", "-", "--format", "passwd-file", stdin=lines)
    assert refused.status == 1
    assert "expected --replace" in refused.err
    assert refused.out.startswith("nothing is imported")
    assert [account["name"] for account in everything(ninsho)] == ["old"]
    assert ninsho("user", "import", "-", "--format", "passwd-file", "--replace", stdin=lines).status == 0
    assert [account["secrets"] for account in everything(ninsho)] == [["{PLAIN}p"], ["{PLAIN}q"]]


def test_all_bad_lines_are_told_with_their_numbers_and_nothing_is_imported(ninsho: Run, site: Path) -> None:
    lines = "# a comment\ngood:{PLAIN}p\nbad:{NONSENSE}secret\nnocolon\n"
    ended = ninsho("user", "import", "-", "--format", "passwd-file", stdin=lines)
    assert ended.status == 1
    problems = [line for line in ended.err.splitlines() if line.startswith("! line ")]
    assert [problem.split()[2] for problem in problems] == ["3:", "4:"]
    assert ended.out == "nothing is imported; would be: 1 added, 0 changed, 0 the same, 2 refused\n"
    assert "secret" not in ended.err
    assert everything(ninsho) == []


def test_an_import_says_in_json_what_it_did(ninsho: Run, site: Path) -> None:
    ninsho("user", "import", "-", "--format", "passwd-file", stdin="old:{PLAIN}p\nsame:{PLAIN}p\n")
    lines = "old:{PLAIN}q\nnew:{PLAIN}p\nsame:{PLAIN}p\n"
    ended = ninsho("user", "import", "-", "--format", "passwd-file", "--replace", "--json", stdin=lines)
    assert ended.json == {
        "imported": True,
        "added": ["new"],
        "changed": [{"name": "old", "fields": ["secrets"]}],
        "same": 1,
        "refused": [],
    }
    refused = ninsho("user", "import", "-", "--format", "passwd-file", "--json", stdin="x\n")
    assert (refused.status, refused.json["imported"], refused.json["refused"][0]["line"]) == (1, False, 1)


def test_octets_that_are_not_utf8_are_a_bad_line(ninsho: Run, site: Path) -> None:
    ended = ninsho("user", "import", "-", "--format", "passwd-file", stdin=b"a:{PLAIN}p\nb\xff:{PLAIN}p\n")
    assert ended.status == 1
    assert "! line 2: user name: expected UTF-8" in ended.err


def test_ten_thousand_accounts_are_taken_over_at_once(ninsho: Run, site: Path) -> None:
    form = hashing.make("p", "SSHA")
    lines = "".join(f"user{number}@example.org:{form}\n" for number in range(10_000))
    assert ninsho("user", "import", "-", "--format", "passwd-file", stdin=lines).out.startswith("10000 added")
    assert ninsho("user", "import", "-", "--format", "passwd-file", stdin=lines).out == (
        "0 added, 0 changed, 10000 the same, 0 refused\n"
    )


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("users.csv", "", "csv"),
        ("users.json", "", "json"),
        ("users.passwd", "", "passwd-file"),
        (".htpasswd", "", "htpasswd"),
        ("site.htpasswd", "", "htpasswd"),
        ("-", "name,secrets", "csv"),
        ("-", "\ufeffname,note", "csv"),
        ("-", '[{"name": "a"}]', "json"),
        ("users", "alice:{PLAIN}p", "passwd-file"),
    ],
)
def test_the_format_is_guessed_from_the_name_or_the_first_line(name: str, first: str, expected: str) -> None:
    assert guess(name, ["# a comment\n", "\n", f"{first}\n"]) == expected


@pytest.mark.parametrize("lines", [[], ["name;secrets"], ["alice"]])
def test_a_format_that_cannot_be_guessed_must_be_told(lines: list[str]) -> None:
    with pytest.raises(WrongUsage, match="expected --format"):
        guess("-", lines)


def test_a_file_that_is_not_there_is_told(ninsho: Run, site: Path) -> None:
    ended = ninsho("user", "import", site / "nothing.csv")
    assert (ended.status, ended.err) == (1, f"ninsho: {site}/nothing.csv: cannot be read: No such file or directory\n")
