"""Loading a Python file of the site's own."""

import sys
from pathlib import Path

import pytest

from ninsho.errors import ConfigurationError
from ninsho.stores import python_file


def load(path: Path, text: str | bytes) -> object:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return python_file.load(path)


def problem(path: Path, text: str | bytes) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(path, text)
    assert caught.value.__context__ is None
    (told,) = caught.value.problems
    return told.removeprefix(str(path))


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "path", [*sys.path])
    return tmp_path / "site.py"


def test_a_file_is_a_module_of_its_own(path: Path) -> None:
    module = load(
        path, "from dataclasses import dataclass\n@dataclass\nclass One:\n    number: 'int' = 1\nhere = __file__\n"
    )
    assert module.One().number == 1
    assert module.here == str(path)
    assert sys.modules[module.__name__] is module
    # Not in the place of Python's own module of this name.
    assert sys.modules["site"] is not module


def test_a_file_is_loaded_anew_each_time_and_leaves_nothing_beside_it(path: Path) -> None:
    assert load(path, "answer = 1").answer == 1
    assert load(path, "answer = 2").answer == 2
    assert list(path.parent.iterdir()) == [path]


def test_modules_beside_it_can_be_imported_but_none_that_is_installed_is_hidden(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (path.parent / "beside_the_site_file.py").write_text("answer = 42")
    (path.parent / "colorsys.py").write_text("raise AssertionError")
    module = load(path, "import colorsys\nfrom beside_the_site_file import answer")
    assert module.answer == 42
    monkeypatch.delitem(sys.modules, "beside_the_site_file")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1\ny = (\n", ":2: '(' was never closed"),
        ("x = 1\n  y = 2\n", ":2: unexpected indent"),
        ("\n\nimport no_such_module_here\n", ":3: ModuleNotFoundError: No module named 'no_such_module_here'"),
        ("from os import nothing_such\n", ":1: ImportError: cannot import name 'nothing_such' from 'os'"),
        ("def f():\n    return g()\n\nf()\n", ":2: NameError: name 'g' is not defined"),
        ("password = 'hunter2'\nint(password)\n", ":2: raised ValueError"),
        ("import os\nos.environ['hunter2']\n", ":2: raised KeyError"),
        ("import sys\nsys.exit(3)\n", ":2: raised SystemExit"),
        (b"x = '\xff'\n", ":1: (unicode error) 'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_what_is_wrong_is_told_with_its_line_and_without_values(path: Path, text: str | bytes, told: str) -> None:
    finding = problem(path, text)
    assert finding[: len(told)] == told
    assert "hunter2" not in finding


def test_a_file_that_fails_leaves_what_was_loaded_from_it_before(path: Path) -> None:
    module = load(path, "answer = 1")
    problem(path, "import no_such_module_here")
    assert sys.modules[module.__name__] is module


def test_a_file_with_a_nul_is_told(path: Path) -> None:
    assert "null bytes" in problem(path, b"x = 1\0") or problem(path, b"x = 1\0").endswith("got a NUL octet")


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read: No such file or directory"):
        python_file.load(path)


def test_what_stops_the_program_stops_it(path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        load(path, "raise KeyboardInterrupt")
