"""The URL of an accounts database, and the password that must not stand in it."""

import os
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from ninsho.errors import ConfigurationError

PASSWORD_VARIABLE = "NINSHO_DATABASE_PASSWORD"  # noqa: S105 - the name of the variable, not what is in it
CREDENTIAL = "database-password"
_SQLITE = "sqlite:///"


def check_url(url: str) -> None:
    """Raise ``ConfigurationError`` for a URL that holds a password, or that cannot be one; it is never quoted."""
    try:
        parts = urlsplit(url)
        words = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
        has_password = parts.password is not None or bool(words & {"password", "passwd", "sslpassword"})
    except ValueError:
        has_password, parts = False, None
    if has_password:
        raise ConfigurationError(
            [f"url: expected no password in it, got one: use password_file or {PASSWORD_VARIABLE}"]
        )
    if parts is None or not parts.scheme:
        raise ConfigurationError(['url: expected a database URL such as "sqlite:////var/lib/ninsho/accounts.db"'])
    if url.startswith("sqlite:") and (parts.query or not url.startswith(f"{_SQLITE}/")):
        raise ConfigurationError(
            ["url: expected sqlite:/// and an absolute path, which makes four slashes, and no query"]
        )


def sqlite_path(url: str) -> Path | None:
    """Return the file of a plain ``sqlite:///`` URL, None for any other URL."""
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None


def place_of(url: str) -> str:
    """Name the database for messages, without who logs in to it."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def password_for(password_file: Path | None, environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the database's password: the file's, the environment's, or systemd's credential; None if there is none.

    A line feed at the end of a file is not part of it. Raises ``ConfigurationError`` for a file that cannot be read.
    """
    if password_file is None and PASSWORD_VARIABLE in environ:
        return environ[PASSWORD_VARIABLE]
    if password_file is None and "CREDENTIALS_DIRECTORY" in environ:
        credential = Path(environ["CREDENTIALS_DIRECTORY"], CREDENTIAL)
        password_file = credential if credential.exists() else None
    return None if password_file is None else _read(password_file)


def _read(path: Path) -> str:
    try:
        password = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError:
        password = ""
    if not password:
        raise ConfigurationError([f"{path}: expected a password in UTF-8, got none"])
    return password
