"""Running commands inside the test's own process, as starting one takes half a second."""

import io
import sys
from pathlib import Path

import pytest
from command_line import Ended, Run

from ninsho.cli.app import run


@pytest.fixture(autouse=True)
def _no_site(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NINSHO_CONFIG", raising=False)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def ninsho(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line; *stdin* is what it reads there, where there is no terminal."""

    def command(*tokens: str | Path, stdin: str | bytes = b"") -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            run([str(token) for token in tokens])
        written = capsys.readouterr()
        return Ended(end.value.code or 0, written.out, written.err)

    return command


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with an accounts database, which commands find without being told."""
    config = tmp_path / "ninsho.toml"
    config.write_text(
        f"""
[[listen]]
unix = "auth.sock"
[[store]]
type = "database"
url = "sqlite:///{tmp_path}/accounts.db"
[passwords]
scheme = "SSHA512"
"""
    )
    monkeypatch.setenv("NINSHO_CONFIG", str(config))
    return tmp_path
