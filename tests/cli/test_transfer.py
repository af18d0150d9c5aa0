"""``ninsho user import`` and ``ninsho user export``."""

import json
import os
import pty
import subprocess
from pathlib import Path
from stat import S_IMODE
from typing import Any, BinaryIO, get_args

import pytest
from command_line import Run

from ninsho.cli.endings import WrongUsage
from ninsho.cli.user.guessing import FormatName, guess
from ninsho.stores import hashing
from ninsho.stores.interchange.formats import FORMATS
from running import NINSHO, PATIENCE

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


def test_each_account_that_a_format_cannot_hold_is_named(ninsho: Run, site: Path) -> None:
    ninsho("user", "add", "alice", "--generate", "--scheme", "SSHA", "--scheme", "CRAM-MD5")
    ninsho("user", "add", "bob", "--generate", "--scheme", "SSHA")
    ninsho("user", "add", "carol", "--generate", "--note", "a:b")
    ended = ninsho("user", "export", "-", "--format", "passwd-file")
    assert (ended.status, ended.out) == (1, "")
    assert ended.err.splitlines() == [
        "ninsho: 'alice': a passwd-file holds one form of the password, got {SSHA} {CRAM-MD5}; csv and json hold them all",
        "'carol': expected no : and no line feed in any field",
    ]


def test_a_broken_form_is_refused_with_its_line(ninsho: Run, site: Path) -> None:
    lines = f"alice:{BCRYPT}\nbob:$2y$12$hunter2\n"
    ended = ninsho("user", "import", "-", "--format", "htpasswd", stdin=lines)
    assert ended.status == 1
    assert ended.err == "! line 2: password: {BLF-CRYPT}: expected $2y$, two digits, $ and 53 characters\n"
    assert everything(ninsho) == []


def test_a_sasldb2_is_imported_and_exported_again(ninsho: Run, site: Path) -> None:
    header = "VERSION=3\nformat=print\ntype=hash\n"
    items = (" alice\\00mail.example.org\\00userPassword\n hunter2\n bob\\00example.net\\00userPassword\n p\n",)
    dump = f"{header}h_nelem=2\ndb_pagesize=4096\nHEADER=END\n{''.join(items)}DATA=END\n"
    options = "--realm", "mail.example.org"
    assert ninsho("user", "import", "-", *options, stdin=dump).out == "2 added, 0 changed, 0 the same, 0 refused\n"
    assert [(account["name"], account["secrets"]) for account in everything(ninsho)] == [
        ("alice", ["{PLAIN}hunter2"]),
        ("bob@example.net", ["{PLAIN}p"]),
    ]
    assert ninsho("user", "export", site / "sasldb2", *options).status == 0
    assert (site / "sasldb2").read_text() == f"{header}HEADER=END\n{''.join(items)}DATA=END\n"
    assert "'alice': expected a name with a realm" in ninsho("user", "export", "-", "--format", "sasldb2").err


def test_a_realm_is_one_of_sasldb2_alone(ninsho: Run, site: Path) -> None:
    ended = ninsho("user", "import", "-", "--realm", "example.org", stdin="alice:{PLAIN}p\n")
    assert (ended.status, ended.err) == (2, "ninsho: --realm: expected the format sasldb2, got passwd-file\n")


def test_the_accounts_of_docker_mailserver_are_imported_and_exported_again(ninsho: Run, site: Path) -> None:
    file = site / "postfix-accounts.cf"
    lines = f"alice@example.org|{{BLF-CRYPT}}{BCRYPT}\nbob@example.org|{{PLAIN}}p|nologin\n"
    file.write_text(lines)
    assert ninsho("user", "import", file).out.startswith("2 added")
    assert ninsho("user", "export", "-", "--format", "docker-mailserver").out == lines


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
        "~ old: secrets {PLAIN} → another {PLAIN}, note",
        "would be: 1 added, 1 changed, 1 the same, 0 refused",
    ]
    assert [account["name"] for account in everything(ninsho)] == ["old", "same"]


def test_a_dry_run_says_which_schemes_change_and_no_secret(ninsho: Run, site: Path) -> None:
    forms = hashing.make("hunter2", "SSHA"), hashing.make("hunter2", "CRAM-MD5")
    accounts = [
        {"name": "alice", "secrets": [forms[0]]},
        {"name": "bob", "secrets": ["{PLAIN}hunter2", forms[1]]},
        {"name": "carol"},
    ]
    ninsho("user", "import", "-", stdin=json.dumps(accounts))
    lines = f"alice:{BCRYPT}\nbob:{forms[0]}\ncarol:{{PLAIN}}hunter2\n"
    ended = ninsho("user", "import", "-", "--replace", "--dry-run", stdin=lines)
    assert ended.out.splitlines()[:3] == [
        "~ alice: secrets {SSHA} → {BLF-CRYPT}",
        "~ bob: secrets {PLAIN} {CRAM-MD5} → {SSHA}",
        "~ carol: secrets none → {PLAIN}",
    ]
    assert "hunter2" not in ended.out
    told = ninsho("user", "import", "-", "--replace", "--dry-run", "--json", stdin=lines)
    assert told.json["changed"][1]["schemes"] == {"before": ["PLAIN", "CRAM-MD5"], "after": ["SSHA"]}


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
        "changed": [{"name": "old", "fields": ["secrets"], "schemes": {"before": ["PLAIN"], "after": ["PLAIN"]}}],
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


def test_whoever_looks_sees_how_far_reading_and_writing_are(ninsho: Run, site: Path) -> None:
    (site / "in.passwd").write_text("".join(f"user{number}:{{PLAIN}}p\n" for number in range(500)))
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        command = [*NINSHO, "user", "import", site / "in.passwd"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs) as process:
            os.close(theirs)
            shown = b"".join(iter(lambda: _read(terminal), b""))
            out, _ = process.communicate(timeout=PATIENCE)
    assert out == b"500 added, 0 changed, 0 the same, 0 refused\n"
    assert shown.index(b"Reading") < shown.index(b"Importing")
    assert b"100%" in shown


def _read(terminal: BinaryIO) -> bytes:
    try:
        return terminal.read(65_536)
    except OSError:
        # What Linux says where the last one has closed the other side.
        return b""


@pytest.mark.parametrize(
    ("name", "first", "expected"),
    [
        ("users.csv", "", "csv"),
        ("users.json", "", "json"),
        ("users.passwd", "", "passwd-file"),
        (".htpasswd", "", "htpasswd"),
        ("postfix-accounts.cf", "", "docker-mailserver"),
        ("/etc/sasldb2", "", "sasldb2"),
        ("users.sasldb2", "", "sasldb2"),
        ("site.htpasswd", "", "htpasswd"),
        ("-", "name,secrets", "csv"),
        ("-", "\ufeffname,note", "csv"),
        ("-", '[{"name": "a"}]', "json"),
        ("users", "alice:{PLAIN}p", "passwd-file"),
        ("users", "alice:{PLAIN}p@a|b", "passwd-file"),
        ("-", "alice@example.org|{PLAIN}p", "docker-mailserver"),
        ("-", "VERSION=3", "sasldb2"),
        ("-", "#:version=1.1", "sasldb2"),
    ],
)
def test_the_format_is_guessed_from_the_name_or_the_first_line(name: str, first: str, expected: str) -> None:
    assert guess(name, ["# a comment\n", "\n", f"{first}\n"]) == expected


def test_every_format_can_be_named() -> None:
    assert get_args(FormatName) == tuple(FORMATS)


@pytest.mark.parametrize("lines", [[], ["name;secrets"], ["alice"]])
def test_a_format_that_cannot_be_guessed_must_be_told(lines: list[str]) -> None:
    with pytest.raises(WrongUsage, match="expected --format"):
        guess("-", lines)


def test_a_file_that_is_not_there_is_told(ninsho: Run, site: Path) -> None:
    ended = ninsho("user", "import", site / "nothing.csv")
    assert (ended.status, ended.err) == (1, f"ninsho: {site}/nothing.csv: cannot be read: No such file or directory\n")
