"""The configuration: one TOML file, everything optional, all problems reported at once."""

import dataclasses
import tomllib
from collections.abc import Mapping
from importlib.metadata import entry_points
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)
from pydantic.networks import IPvAnyNetwork

from ninsho.daemon.problems import problems_of, unknown_key
from ninsho.errors import ConfigurationError
from ninsho.stores import hashing
from ninsho.stores.accounts import StoreRecipe

DEFAULT_PATH = Path("/etc/ninsho/ninsho.toml")
DEFAULT_SOCKET = Path("/run/ninsho/auth.sock")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def _seconds(value: object) -> object:
    """Read a duration such as ``"2s"`` or ``"10m"``."""
    if isinstance(value, str):
        digits = value.rstrip("mshd")
        unit = _UNITS.get(value[len(digits) :])
        if unit is not None and digits.replace(".", "", 1).isdecimal():
            return float(digits) * unit
    raise ValueError('expected a duration such as "2s", "10m" or "1h"')


def _mode(value: object) -> object:
    if isinstance(value, str) and len(value) in {3, 4} and set(value) <= set("01234567"):
        return int(value, 8)
    raise ValueError('expected an octal string such as "0660"')


def _scheme(name: str) -> str:
    hashing.check_scheme(name)
    return name


Duration = Annotated[float, BeforeValidator(_seconds)]
Mode = Annotated[int, BeforeValidator(_mode)]


class Table(BaseModel):
    """A table of the file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Listen(Table):
    """``[[listen]]``: a UNIX socket or a TCP address, and what is offered there.

    ``mechanisms`` are offered in this order; without them, those that the stores can serve and that are not weak.
    """

    unix: Annotated[Path, Field(strict=False)] | None = None
    mode: Mode = 0o660
    owner: str | None = None
    group: str | None = None
    tcp: str | None = None
    allow: Annotated[tuple[IPvAnyNetwork, ...], Field(strict=False)] = ()
    mechanisms: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] | None = None

    @property
    def address(self) -> str:
        """What the file says after ``unix`` or ``tcp``."""
        return str(self.unix) if self.unix is not None else str(self.tcp)

    @property
    def endpoint(self) -> tuple[str, int]:
        """Host and port of a TCP listener."""
        host, _, port = str(self.tcp).rpartition(":")
        return host.strip("[]"), int(port)

    @model_validator(mode="after")
    def _one_address(self) -> Self:
        if (self.unix is None) == (self.tcp is None):
            raise ValueError("expected either unix or tcp")
        if self.tcp is not None:
            self._check_endpoint()
        return self

    def _check_endpoint(self) -> None:
        host, separator, port = str(self.tcp).rpartition(":")
        if not (separator and port.isdecimal() and 0 < int(port) < 65_536):
            raise ValueError(f'expected tcp as "address:port", got {self.tcp!r}')
        try:
            address = ip_address(host.strip("[]"))
        except ValueError:
            raise ValueError(f"expected an IP address before the port, got {host!r}") from None
        if not (address.is_loopback or self.allow):
            # The protocol carries passwords in clear.
            raise ValueError(
                f"expected allow, the networks that may connect, with the address {host}, which is not loopback"
            )


class Mechanisms(Table):
    """``[[mechanism]]``: a Python file with mechanisms of the site's own."""

    file: Annotated[Path, Field(strict=False)]


class PasswordsTable(Table):
    """``[passwords]``: how new ones are stored, and how long a verified one is remembered (``"0s"``: not at all)."""

    scheme: Annotated[str, AfterValidator(_scheme)] = "ARGON2ID"
    remember: Duration = 3600.0
    threads: Annotated[int, Field(ge=0)] = 0
    queue: Annotated[int, Field(ge=1)] = 100


class FailureTable(Table):
    """``[failure]``: how long a refused login waits, and how Postfix and Exim learn that we cannot tell."""

    # The answer has to leave before Postfix gives up, at 10 s.
    delay: Annotated[Duration, Field(ge=0, le=6)] = 2.0
    temporary: Literal["close", "fail"] = "close"


class LogTable(Table):
    """``[log]``: key=value or JSON, and which decisions are written."""

    format: Literal["text", "json"] = "text"
    decisions: Literal["all", "failures", "none"] = "all"


class Tables(Table):
    """The whole file, before its stores are decoded by their own recipes."""

    listen: Annotated[tuple[Listen, ...], Field(strict=False)] = ()
    store: Annotated[tuple[dict[str, Any], ...], Field(strict=False)] = ()
    mechanism: Annotated[tuple[Mechanisms, ...], Field(strict=False)] = ()
    passwords: PasswordsTable = PasswordsTable()
    failure: FailureTable = FailureTable()
    log: LogTable = LogTable()


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
    )


def _tables(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    stores = data.get("store", [{"type": "database"}])
    return [table for table in stores if isinstance(table, dict)] if isinstance(stores, list) else []


def _anchored(listen: Listen, folder: Path) -> Listen:
    return listen if listen.unix is None else listen.model_copy(update={"unix": folder / listen.unix})


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
