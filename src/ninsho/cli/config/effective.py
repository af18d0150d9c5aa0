"""The settings in force, as the configuration file would say them."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ninsho.cli.recipes import plain, settings_of
from ninsho.daemon.config import Config
from ninsho.daemon.tables import Table


def settings_in(config: Config) -> dict[str, Any]:
    """Return all tables with all keys, those that the file leaves out too; secrets are masked."""
    return {
        "source": config.source,
        "listen": [_settings_of(listen) for listen in config.listen],
        "store": [settings_of(recipe) for recipe in config.stores],
        "mechanism": [{"file": str(path)} for path in config.mechanism_files],
        "oauth": [_settings_of(table) for table in config.oauth],
        "accounts": _settings_of(config.accounts),
        "passwords": _settings_of(config.passwords),
        "digest-md5": _settings_of(config.digest_md5),
        "gssapi": _settings_of(config.gssapi),
        "anonymous": _settings_of(config.anonymous),
        "failure": _settings_of(config.failure),
        "log": _settings_of(config.log),
    }


def toml_lines(settings: Mapping[str, Any]) -> Iterator[str]:
    """Write *settings* as TOML."""
    yield f"# {settings['source']}"
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from _table(f"[{name}]", value)
        elif isinstance(value, list):
            for table in value:
                yield from _table(f"[[{name}]]", table)


def _table(heading: str, table: Mapping[str, Any]) -> Iterator[str]:
    yield from ("", heading)
    for name, value in table.items():
        # TOML has no null: what is not set is not there.
        if value is not None:
            yield f"{name} = {_value(value)}"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_value(item)}" for name, item in value.items()) + " }"
    # Strings, numbers, booleans and arrays of them look the same in both.
    return json.dumps(value, ensure_ascii=False)


def _settings_of(table: Table) -> dict[str, Any]:
    return {name: _as_written(name, getattr(table, name)) for name in type(table).model_fields}


def _as_written(name: str, value: object) -> object:
    match value:
        # The only number with a fraction is a duration.
        case float():
            return f"{value:g}s"
        case int() if name == "mode":
            return f"{value:04o}"
        case _:
            return plain(value)
