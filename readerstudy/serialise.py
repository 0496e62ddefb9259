"""Frozen dataclasses to plain data and back, for configurations and results that are kept as JSON."""

import dataclasses
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from readerstudy.errors import BadInput, Sentence

Frozen = TypeVar("Frozen")

# Metadata of a field that earlier versions did not have. `to_dict` leaves it out while it has its default, so that the
# same settings are the same data as before.
ADDED_LATER: Mapping[str, bool] = {"added later": True}


def to_dict(value: Any) -> dict[str, Any]:
    """Return the dataclass as nested dictionaries and lists."""
    plain: dict[str, Any] = _plain(value)
    return plain


def from_dict(kind: type[Frozen], data: Mapping[str, Any]) -> Frozen:
    """Return the dataclass `kind` made of the output of `to_dict`. Raises BadInput for unknown or missing fields."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind} is not a dataclass.")
    hints = get_type_hints(kind)
    if unknown := sorted(set(data) - set(hints)):
        raise BadInput(f"{kind.__name__} has no setting named {', '.join(unknown)}.")
    try:
        return kind(**{name: _typed(hints[name], value) for name, value in data.items()})
    except TypeError as error:
        raise BadInput(f"The settings of {kind.__name__} are incomplete: {error}.") from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {
            field.name: _plain(getattr(value, field.name))
            for field in dataclasses.fields(value)
            if not (field.metadata.get("added later") and getattr(value, field.name) == field.default)
        }
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Sentence):
        return value.data
    return value.value if isinstance(value, Enum) else value


def _typed(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        options = [argument for argument in arguments if argument is not NoneType]
        # A union of two kinds is one of a text and a mapping.
        hint = next(each for each in options if len(options) == 1 or isinstance(value, Mapping) == (each is not str))
        return _typed(hint, value)
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_typed(kind, item) for kind, item in zip(kinds, value, strict=True))
    if origin in (dict, Mapping):
        return {_typed(arguments[0], key): _typed(arguments[1], item) for key, item in value.items()}
    if hint is str and isinstance(value, Mapping):
        return Sentence.of(value)
    if hint is datetime:
        return datetime.fromisoformat(value)
    if isinstance(hint, type) and issubclass(hint, Enum | Path | Mapping):
        made: Callable[[Any], Any] = hint
        return made(value)
    return from_dict(hint, value) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else value
