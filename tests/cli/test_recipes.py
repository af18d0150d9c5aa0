"""The settings of stores, other people's too, as they are shown."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ninsho.cli.recipes import MASK, kind_of, name_of, settings_of
from ninsho.stores.database import DatabaseStore
from ninsho.stores.environment import EnvironmentStore
from ninsho.stores.passwd_file import PasswdFileStore


@dataclass(frozen=True)
class DirectoryStore:
    """A store of somebody else's."""

    url: str = "ldaps://cn=reader:hunter2@ldap.example.org/dc=example"
    bind_password: str = "hunter2"
    api_key: str | None = "hunter2"
    hidden: str = field(default="hunter2", repr=False)
    token: str | None = None
    password_file: Path = Path("/etc/secret")
    servers: tuple[str, ...] = ("a", "b")
    options: dict = field(default_factory=lambda: {"depth": 1, "path": Path("/x")})

    def open(self) -> NoReturn:
        raise NotImplementedError


def test_nothing_secret_is_shown() -> None:
    settings = settings_of(DirectoryStore())
    assert "hunter2" not in str(settings)
    assert settings == {
        "type": f"{__name__}:DirectoryStore",
        "url": f"ldaps://cn=reader:{MASK}@ldap.example.org/dc=example",
        "bind_password": MASK,
        "api_key": MASK,
        "hidden": MASK,
        "token": None,
        "password_file": "/etc/secret",
        "servers": ["a", "b"],
        "options": {"depth": 1, "path": "/x"},
    }


def test_a_store_is_called_by_its_type_and_place() -> None:
    assert kind_of(PasswdFileStore(Path("/etc/users"))) == "passwd-file"
    assert name_of(PasswdFileStore(Path("/etc/users"))) == "passwd-file /etc/users"
    assert name_of(DatabaseStore()) == "database sqlite:////var/lib/ninsho/accounts.db"
    assert name_of(EnvironmentStore()) == "environment NINSHO_USERS"
