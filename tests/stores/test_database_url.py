"""The URL of an accounts database, and where its password comes from."""

from pathlib import Path

import pytest

from ninsho.errors import ConfigurationError
from ninsho.stores.database import DatabaseStore
from ninsho.stores.database_url import password_for, place_of, sqlite_path


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ninsho:hunter2@db.example.org/accounts",
        "postgresql+psycopg://ninsho:hunter2@[::1/accounts",
        "postgresql+psycopg://:hunter2@/accounts",
        "postgresql+psycopg://ninsho:@db.example.org/accounts?PASSWORD=hunter2",
        "mysql+asyncmy://ninsho@db.example.org/accounts?passwd=hunter2",
        "postgresql+psycopg:///accounts?sslpassword=hunter2",
        "hunter2",
        "sqlite:///hunter2",
        "sqlite://",
        "sqlite:////accounts.db?key=hunter2",
    ],
)
def test_a_url_that_cannot_be_one_is_refused_and_not_quoted(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        DatabaseStore(url)
    assert "hunter2" not in str(caught.value)


def test_a_url_with_a_password_is_refused_with_what_to_do() -> None:
    with pytest.raises(
        ConfigurationError, match="expected no password in it, got one: use password_file or NINSHO_DATABASE_PASSWORD"
    ):
        DatabaseStore("postgresql+psycopg://ninsho:hunter2@db.example.org/accounts")


def test_the_url_is_not_in_the_representation() -> None:
    assert "ninsho.db" not in repr(DatabaseStore("sqlite:////ninsho.db"))


def test_only_the_plain_url_is_read_in_place() -> None:
    assert sqlite_path("sqlite:////var/lib/ninsho/accounts.db") == Path("/var/lib/ninsho/accounts.db")
    assert sqlite_path("sqlite+aiosqlite:////var/lib/ninsho/accounts.db") is None


def test_a_place_is_told_without_who_logs_in_there() -> None:
    assert place_of("postgresql+psycopg://ninsho@db.example.org:5432/accounts?sslmode=require") == (
        "postgresql+psycopg://db.example.org:5432/accounts"
    )


def test_the_password_is_the_files_before_the_environments_before_the_service_managers(tmp_path: Path) -> None:
    file, credentials = tmp_path / "password", tmp_path / "credentials"
    file.write_text("from the file\n")
    credentials.mkdir()
    (credentials / "database-password").write_text("from systemd")
    environment = {"NINSHO_DATABASE_PASSWORD": "from the environment", "CREDENTIALS_DIRECTORY": str(credentials)}
    assert password_for(file, environment) == "from the file"
    assert password_for(None, environment) == "from the environment"
    del environment["NINSHO_DATABASE_PASSWORD"]
    assert password_for(None, environment) == "from systemd"
    (credentials / "database-password").unlink()
    assert password_for(None, environment) is None
    assert password_for(None, {}) is None


def test_a_password_keeps_its_blanks(tmp_path: Path) -> None:
    (tmp_path / "password").write_text(" a b \r\n")
    assert password_for(tmp_path / "password", {}) == " a b "


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_file_without_a_password_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="password: expected a password in UTF-8, got none"):
        password_for(path, {})


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="password: cannot be read: No such file or directory"):
        password_for(tmp_path / "password", {})
