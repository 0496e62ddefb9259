"""Frozen dataclasses to plain dictionaries and back, for configurations kept as JSON."""

import dataclasses
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from models_ml.errors import LabError

Frozen = TypeVar("Frozen")


def to_dict(value: Any) -> dict[str, Any]:
    """The dataclass as nested dictionaries and lists."""
    plain: dict[str, Any] = _plain(value)
    return plain


def from_dict(kind: type[Frozen], data: dict[str, Any]) -> Frozen:
    """The dataclass `kind` out of what `to_dict` gave; unknown or missing fields are refused."""
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind} is no dataclass")
    hints = get_type_hints(kind)
    if unknown := sorted(set(data) - set(hints)):
        raise LabError(f"{kind.__name__} has no setting named {', '.join(unknown)}.")
    try:
        return kind(**{name: _typed(hints[name], value) for name, value in data.items()})
    except TypeError as error:
        raise LabError(f"The settings of {kind.__name__} are incomplete: {error}.") from error


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _typed(hint: Any, value: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, UnionType):
        if value is None:
            return None
        (hint,) = (argument for argument in arguments if argument is not NoneType)
        return _typed(hint, value)
    if origin is tuple:
        kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_typed(kind, item) for kind, item in zip(kinds, value, strict=True))
    return from_dict(hint, value) if isinstance(hint, type) and dataclasses.is_dataclass(hint) else value
