"""The configuration: one TOML file, everything optional, all problems reported at once."""

import dataclasses
import tomllib
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from ninsho.daemon.problems import problems_of, unknown_key
from ninsho.daemon.tables import (
    AccountsTable,
    AnonymousTable,
    DigestMd5Table,
    FailureTable,
    GssapiTable,
    Listen,
    LogTable,
    OauthTable,
    PasswordsTable,
    Table,
    Tables,
)
from ninsho.errors import ConfigurationError
from ninsho.stores.accounts import StoreRecipe

AnyTable = TypeVar("AnyTable", bound=Table)

DEFAULT_PATH = Path("/etc/ninsho/ninsho.toml")
DEFAULT_SOCKET = Path("/run/ninsho/auth.sock")


@dataclasses.dataclass(frozen=True, slots=True)
class Config:
    """The configuration, ready for use; ``source`` is how its file was named."""

    source: str
    listen: tuple[Listen, ...]
    stores: tuple[StoreRecipe, ...]
    mechanism_files: tuple[Path, ...]
    passwords: PasswordsTable
    failure: FailureTable
    log: LogTable
    accounts: AccountsTable
    digest_md5: DigestMd5Table
    oauth: tuple[OauthTable, ...]
    gssapi: GssapiTable
    anonymous: AnonymousTable


def load(path: Path | None = None, *, added: Mapping[str, list[dict[str, Any]]] | None = None) -> Config:
    """Read the configuration from *path*, or from the default place, where it may be missing.

    *added* are tables that the command line adds to the file's; with them, the default place is not looked at. Raises
    ``ConfigurationError`` with every problem found, each as ``file: place: expected …, got …``.
    """
    if path is None and added is not None:
        return decode(added, source="the command line", folder=Path.cwd())
    if path is None and not DEFAULT_PATH.exists():
        return decode({}, source=str(DEFAULT_PATH), folder=DEFAULT_PATH.parent)
    path = path or DEFAULT_PATH
    data = _read(path)
    for name, tables in (added or {}).items():
        if tables:
            data[name] = [*data.get(name, ()), *tables]
    return decode(data, source=str(path), folder=path.absolute().parent)


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError([f"{path}: cannot be read: {error.strerror}"]) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}: expected UTF-8, got another octet at {error.start}"]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError([f"{path}: not TOML: {error}"]) from None


def decode(data: Mapping[str, Any], *, source: str, folder: Path) -> Config:
    """Turn a file's tables into a configuration; relative paths start from *folder*. Raises ``ConfigurationError``."""
    problems: list[str] = []
    tables = Tables()
    try:
        tables = Tables.model_validate(data)
    except ValidationError as error:
        problems += problems_of(error, Tables)
    recipes = [_recipe(table, index, folder, problems) for index, table in enumerate(_tables(data))]
    if problems:
        raise ConfigurationError(f"{source}: {problem}" for problem in problems)
    return Config(
        source,
        tuple(_anchored(listen, folder) for listen in tables.listen) or (Listen(unix=DEFAULT_SOCKET),),
        tuple(recipe for recipe in recipes if recipe is not None),
        tuple(folder / entry.file for entry in tables.mechanism),
        tables.passwords,
        tables.failure,
        tables.log,
        tables.accounts.model_copy(update={"key_file": folder / tables.accounts.key_file}),
        tables.digest_md5,
        tuple(_with_files_from(folder, table) for table in tables.oauth),
        _with_files_from(folder, tables.gssapi),
        tables.anonymous,
    )


def _tables(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    stores = data.get("store", [{"type": "database"}])
    return [table for table in stores if isinstance(table, dict)] if isinstance(stores, list) else []


def _anchored(listen: Listen, folder: Path) -> Listen:
    return listen if listen.unix is None else listen.model_copy(update={"unix": folder / listen.unix})


def _with_files_from(folder: Path, table: AnyTable) -> AnyTable:
    files = {name: folder / value for name, value in table if isinstance(value, Path)}
    return table.model_copy(update=files)


def _recipe(table: Mapping[str, Any], index: int, folder: Path, problems: list[str]) -> StoreRecipe | None:
    """Decode one ``[[store]]`` table by the recipe that its type names."""
    known = {entry.name: entry for entry in entry_points(group="ninsho.stores")}
    kind = table.get("type")
    if kind not in known:
        problems.append(f"store[{index}].type: expected one of {', '.join(sorted(known))}, got {kind!r}")
        return None
    recipe = known[kind].load()
    settings = {name: value for name, value in table.items() if name != "type"}
    keys = [field.name for field in dataclasses.fields(recipe)]
    if unknown := [name for name in settings if name not in keys]:
        problems += [unknown_key(f"store[{index}].{name}", name, keys) for name in unknown]
        return None
    try:
        return _with_paths_from(folder, TypeAdapter(recipe).validate_python(settings))
    except ValidationError as error:
        problems += problems_of(error, recipe, f"store[{index}]")
    except ConfigurationError as error:
        problems += [f"store[{index}]: {problem}" for problem in error.problems]
    return None


def _with_paths_from(folder: Path, recipe: StoreRecipe) -> StoreRecipe:
    """The recipe with its relative paths made to start from *folder*."""
    paths = {
        field.name: folder / value
        for field in dataclasses.fields(recipe)  # type: ignore[arg-type]  # recipes are dataclasses
        if isinstance(value := getattr(recipe, field.name), Path)
    }
    anchored: StoreRecipe = dataclasses.replace(recipe, **paths)  # type: ignore[type-var]  # the same
    return anchored
