"""Stores as the configuration has them: their kinds and settings, secrets masked."""

import dataclasses
import re
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from ninsho.stores.accounts import StoreRecipe

MASK = "(hidden)"

# The password of a URL: between the colon behind the user name and the last @ before the host.
_URL_PASSWORD = re.compile(r"(?<=://)([^:/?#]*):[^/?#]*@")
_SECRET_NAME = re.compile(r"password|secret|token|key$|credential")


def kind_of(recipe: StoreRecipe) -> str:
    """Return what the recipe's ``type`` is in the configuration."""
    place = f"{type(recipe).__module__}:{type(recipe).__qualname__}"
    return next((entry.name for entry in entry_points(group="ninsho.stores") if entry.value == place), place)


def settings_of(recipe: StoreRecipe) -> dict[str, Any]:
    """Return the settings of a ``[[store]]`` table as JSON has them, secrets masked."""
    fields = dataclasses.fields(recipe)  # type: ignore[arg-type]  # every recipe is a dataclass
    return {"type": kind_of(recipe)} | {field.name: shown(field, getattr(recipe, field.name)) for field in fields}


def name_of(recipe: StoreRecipe) -> str:
    """Return a name for people: the kind, and the place it is in."""
    settings = settings_of(recipe)
    places = (settings[name] for name in ("path", "file", "url", "variable") if settings.get(name))
    return " ".join((settings["type"], *map(str, list(places)[:1])))


def shown(field: "dataclasses.Field[Any]", value: object) -> object:
    """Return *value* as it may be shown."""
    # A URL is shown without the password that must not stand in it, as it says where the accounts are.
    secret = field.name != "url" and (not field.repr or _SECRET_NAME.search(field.name))
    if value is not None and secret and not isinstance(value, Path):
        return MASK
    return plain(value)


def plain(value: object) -> object:
    """Return *value* as JSON has it."""
    match value:
        case None | bool() | int() | float():
            return value
        case Path():
            return str(value)
        case dict():
            return {str(name): plain(item) for name, item in value.items()}
        case tuple() | list() | frozenset() | set():
            return [plain(item) for item in value]
        case _:
            return _URL_PASSWORD.sub(rf"\1:{MASK}@", str(value))
