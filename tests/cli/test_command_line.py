"""The command line as a whole: its help, its exit statuses, and what it loads."""

import io
import json
import subprocess
import sys

import pytest
from command_line import Run
from loading import loaded_after

import ninsho as package
from ninsho.cli.commands import COMMANDS, NOUNS, Command
from ninsho.cli.terminal import coloured, confirmed, say_json, say_table, visible

HEAVY = ("asyncio", "pydantic", "sqlalchemy", "uvloop", "bcrypt", "ninsho.daemon", "ninsho.stores", "ninsho.sasl.plain")


def test_the_help_names_every_command_in_the_order_of_a_first_day(ninsho: Run) -> None:
    ended = ninsho("--help")
    assert ended.status == 0
    nouns = list(dict.fromkeys(command.words.split()[0] for command in COMMANDS))
    places = [ended.out.index(f"│ {noun} ") for noun in nouns]
    assert places == sorted(places)


def test_the_help_names_every_exit_status(ninsho: Run) -> None:
    text = " ".join(ninsho("--help").out.split())
    for status in ("0 done", "1 no", "2 wrong usage", "69 a program", "75 cannot tell", "78 the configuration"):
        assert status in text


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_lists_its_verbs_with_or_without_help(ninsho: Run, noun: str) -> None:
    verbs = [command.words.split()[1] for command in COMMANDS if command.words.startswith(f"{noun} ")]
    assert verbs
    for tokens in ([noun], [noun, "--help"]):
        ended = ninsho(*tokens)
        assert ended.status == 0
        for verb in verbs:
            assert f"│ {verb} " in ended.out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_each_command_says_what_it_does_and_shows_examples(ninsho: Run, command: Command) -> None:
    ended = ninsho(*command.words.split(), "-h")
    assert ended.status == 0
    assert command.help.split(";")[0].rstrip(".") in " ".join(ended.out.split())
    for example in command.examples:
        assert example in ended.out
        assert f"ninsho {command.words}" in example


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.words)
def test_no_command_takes_a_password_as_an_argument(ninsho: Run, command: Command) -> None:
    assert "--password " not in ninsho(*command.words.split(), "-h").out


@pytest.mark.parametrize("verb", ["list", "show"])
def test_every_list_and_show_writes_json(ninsho: Run, verb: str) -> None:
    for command in COMMANDS:
        if command.words.endswith(f" {verb}"):
            assert "--json" in ninsho(*command.words.split(), "-h").out


def test_the_help_loads_nothing_of_the_commands() -> None:
    assert not loaded_after("--help") & set(HEAVY)
    assert not loaded_after("user", "--help") & set(HEAVY)


def test_the_version_is_that_of_the_package(ninsho: Run) -> None:
    assert ninsho("--version").out.strip() == package.__version__


@pytest.mark.parametrize(
    ("tokens", "sentence"),
    [
        (["nope"], 'unknown command "nope"'),
        (["user", "lst"], 'Did you mean "list"?'),
        (["user", "list", "--jsn"], "Did you mean --json?"),
        (["user", "show"], "USER"),
        (["hash", "--check"], "requires an argument"),
    ],
)
def test_wrong_usage_ends_with_2_and_a_sentence(ninsho: Run, tokens: list[str], sentence: str) -> None:
    ended = ninsho(*tokens)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith("ninsho: ")
    assert sentence in ended.err


@pytest.mark.parametrize(
    "token",
    [
        "smtp://alice:hunter2@h",
        "smtp://alice:se'hunter2@h",
        "smtp://alice:pa hunter2@h",
        "smtp://alice:pa\nhunter2@h",
        "smtp://h?token=hunter2",
        "alice:hunter2@h",
    ],
)
def test_a_url_in_the_wrong_place_is_not_quoted(ninsho: Run, token: str) -> None:
    ended = ninsho("send", token)
    assert (ended.status, ended.out) == (2, "")
    assert "hunter2" not in ended.err
    assert "(hidden)" in ended.err


def test_json_can_be_printed_and_cannot_command_the_terminal(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    value = {"place": "f\udcfc.txt", "text": "田中 a\x9b2J\u202e\U000e0001\n\x7f Grüße"}
    say_json(value)
    printed = capsysbinary.readouterr().out.decode()
    assert json.loads(printed) == value
    assert printed.replace("\n", "").isprintable()
    assert "田中" in printed
    assert "Grüße" in printed


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    done = subprocess.run(
        f"{sys.executable} -m ninsho hash --list | head -1", shell=True, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["SCHEME", "ABOUT"]
    assert done.stderr == ""


def test_where_the_command_line_is_not_installed_it_says_how() -> None:
    code = "import sys\nsys.modules['cyclopts'] = None\nfrom ninsho.cli import main\nmain()"
    done = subprocess.run([sys.executable, "-c", code, "send"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ninsho: expected the packages of ninsho[server], found no cyclopts: pip install 'ninsho[server]'\n"
    )


def test_nothing_is_coloured_without_a_terminal() -> None:
    assert coloured("text", "31") == "text"


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert coloured("text", "31") == "\x1b[31mtext\x1b[0m"
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured("text", "31") == "text"


def test_columns_of_a_table_stand_below_each_other_whatever_the_script(capsys: pytest.CaptureFixture[str]) -> None:
    say_table(("NAME", "NOTE"), [("a", "x"), ("田中", "y")])
    assert capsys.readouterr().out == "NAME  NOTE\na     x\n田中  y\n"


def test_what_is_shown_cannot_command_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert visible("a\x1b[2Jb\n\u202e") == "a\\x1b[2Jb\\n\\u202e"
    say_table(("NOTE",), [("\x1b]0;x\x07",)])
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(("answer", "yes"), [("y", True), ("YES", True), ("", False), ("n", False), ("yellow", False)])
def test_only_a_clear_yes_is_one(monkeypatch: pytest.MonkeyPatch, answer: str, *, yes: bool) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{answer}\n"))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert confirmed("Really?") is yes


def test_silence_is_no_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    assert confirmed("Really?") is False
