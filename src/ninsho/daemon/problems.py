"""What pydantic found wrong, said in our words: the place, the expectation and the finding."""

import dataclasses
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

_EXPECTATIONS = {
    "bool_type": "true or false",
    "dict_type": "a table",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "a table",
    "path_type": "a path",
    "string_type": "a string",
    "tuple_type": "an array",
    "dataclass_type": "a table",
}


def problems_of(error: ValidationError, model: type, place: str = "") -> list[str]:
    """One sentence for each problem; *place* stands before each one's own, *model* knows the keys that exist."""
    return [_sentence(details, model, place) for details in error.errors()]


def unknown_key(where: str, name: str, known: Sequence[str]) -> str:
    """The sentence for a key that the table at hand does not have."""
    close = get_close_matches(name, known, n=1)
    return f"{where}: unknown key; " + (f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}")


def _sentence(details: ErrorDetails, model: type, place: str) -> str:  # noqa: PLR0911 - one kind, one case
    where = _where(details["loc"], place)
    match details["type"]:
        case "extra_forbidden":
            return unknown_key(where, str(details["loc"][-1]), _keys(model, details["loc"][:-1]))
        case "missing":
            return f"{where}: expected a value, got none"
        case "value_error":
            expectation = str(details["ctx"]["error"])
            return f"{where}: {expectation}" + ("" if "got" in expectation else _finding(details))
        case "literal_error":
            return f"{where}: expected {details['ctx']['expected']}{_finding(details)}"
        case "less_than_equal":
            return f"{where}: expected {details['ctx']['le']:g} at most{_finding(details)}"
        case "greater_than_equal":
            return f"{where}: expected {details['ctx']['ge']:g} at least{_finding(details)}"
        case "too_short" | "string_too_short":
            return f"{where}: expected {'one at least' if details['type'] == 'too_short' else 'a text'}, got none"
        case "ip_any_network":
            return f"{where}: expected a network such as 192.0.2.0/24{_finding(details)}"
        case kind if kind in _EXPECTATIONS:
            return f"{where}: expected {_EXPECTATIONS[kind]}{_finding(details) or _container(details)}"
        case _:
            return f"{where}: {details['msg'][0].lower()}{details['msg'][1:]}{_finding(details)}"


def _finding(details: ErrorDetails) -> str:
    found = details["input"]
    if isinstance(found, bool):
        return f", got {str(found).lower()}"
    return f", got {found!r}" if isinstance(found, str | int | float | bool) else ""


def _container(details: ErrorDetails) -> str:
    found = details["input"]
    return ", got a table" if isinstance(found, dict) else ", got an array" if isinstance(found, list | tuple) else ""


def _where(location: tuple[int | str, ...], place: str) -> str:
    for part in location:
        place = f"{place}[{part}]" if isinstance(part, int) else f"{place}.{part}" if place else part
    return place or "the file"


def _keys(model: Any, location: tuple[int | str, ...]) -> list[str]:  # noqa: ANN401 - a model, a dataclass or neither
    """The keys of the table at *location* inside *model*."""
    for part in location:
        if isinstance(part, str):
            model = _inner(model, part)
    if isinstance(model, type) and issubclass(model, BaseModel):
        return sorted(_fields(model))
    return sorted(field.name for field in dataclasses.fields(model)) if dataclasses.is_dataclass(model) else []


def _inner(model: Any, name: str) -> Any:  # noqa: ANN401 - the annotation of a field
    if not (isinstance(model, type) and issubclass(model, BaseModel)) or name not in _fields(model):
        return None
    annotation = _fields(model)[name].annotation
    arguments = getattr(annotation, "__args__", ())
    return arguments[0] if arguments and not isinstance(annotation, type) else annotation


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """The fields by the keys that the file has for them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}
