"""What the documents show works: configurations are read, Python runs, commands exist."""

import re
import smtplib
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ninsho.cli.commands import COMMANDS
from ninsho.daemon.config import decode
from ninsho.testing import MailServer

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(language: str) -> list[tuple[str, str]]:
    found = []
    for path in DOCUMENTS:
        for number, text in enumerate(re.findall(rf"```{language}\n(.*?)```", path.read_text(), re.DOTALL), 1):
            found.append((f"{path.name} {number}", text))
    return found


@pytest.mark.parametrize(("place", "text"), blocks("toml"), ids=lambda value: value if len(value) < 40 else "")
def test_each_configuration_is_read(place: str, text: str, tmp_path: Path):
    decode(tomllib.loads(text), source=place, folder=tmp_path)


# What stands for the reader's own server, and for one with tokens; in a URL, and in a call.
EXAMPLE, EXAMPLE_CALLED = "mail.example.com:587", '"mail.example.com", 587'


@pytest.fixture
def example_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    with MailServer(users={"alice": "secret"}, tokens={"a-new-one": "alice"}, tls="starttls") as server:
        monkeypatch.setenv("SSL_CERT_FILE", str(server.ca_file))
        # A document puts another in its place.
        monkeypatch.setitem(sys.modules, "smtplib", smtplib)
        yield server


@pytest.fixture
def reader_files(tmp_path: Path) -> Path:
    """A folder with the files that the documents' readers have."""
    (tmp_path / "見積書.pdf").write_bytes(b"%PDF-1.4")
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(32))
    key = rsa_key()
    (tmp_path / "dkim.pem").write_bytes(key)
    return tmp_path


def rsa_key() -> bytes:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "path", [path for path in DOCUMENTS if "```python" in path.read_text()], ids=lambda path: path.name
)
def test_python_blocks_run_one_after_the_other(
    path: Path, example_server: MailServer, reader_files: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(reader_files)
    names: dict[str, object] = {"app": None}
    for number, text in enumerate(re.findall(r"```python\n(.*?)```", path.read_text(), re.DOTALL), 1):
        local = text.replace(EXAMPLE, f"127.0.0.1:{example_server.port}?tls=none")
        local = local.replace(EXAMPLE_CALLED, f'"localhost", {example_server.port}')
        exec(compile(local, f"{path.name} {number}", "exec"), names)
    assert len(names) > 2
    assert not example_server.violations


def test_each_command_that_is_shown_exists():
    words = {command.words for command in COMMANDS}
    shown = set()
    for path in DOCUMENTS:
        shown |= set(
            re.findall(
                r"(?:`|^|\bbin/)ninsho ([a-z]+(?: (?:add|test|setup|print|check|show))?)",
                path.read_text(),
                re.MULTILINE,
            )
        )
    assert shown
    unknown = {line for line in shown if line not in words and line.split()[0] not in {one.split()[0] for one in words}}
    assert not unknown


def test_the_documents_have_no_broken_links():
    for path in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text()):
            assert (path.parent / target).exists(), f"{path.name}: {target}"
