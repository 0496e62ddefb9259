"""Reads tables of a plan file into frozen dataclasses, by the types and limits of their fields. Pure.

A field's limits stand in its annotation: `break_every: Annotated[int, WholeNumber(0, 1000)] = 100`. Errors are BadInput
and begin with the location in the file.
"""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from django.utils.translation import gettext

from readerstudy.errors import BadInput
from readerstudy.names import name_error

Rules = TypeVar("Rules")


@dataclass(frozen=True)
class WholeNumber:
    """A whole number from `minimum` to `maximum`."""

    minimum: int
    maximum: int

    def read(self, value: Any, location: str) -> int:
        """Return the value if it is within the limits."""
        if not isinstance(value, int) or isinstance(value, bool) or not self.minimum <= value <= self.maximum:
            values = {"least": self.minimum, "most": self.maximum}
            raise BadInput(f"{location}: " + gettext("must be a whole number from %(least)s to %(most)s.") % values)
        return value


@dataclass(frozen=True)
class NumberBetween:
    """A number above `lower` and below `upper`."""

    lower: float
    upper: float

    def read(self, value: Any, location: str) -> float:
        """Return the value as a float if it is within the limits."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not self.lower < value < self.upper:
            values = {"lower": f"{self.lower:g}", "upper": f"{self.upper:g}"}
            raise BadInput(f"{location}: " + gettext("must be a number above %(lower)s and below %(upper)s.") % values)
        return float(value)


@dataclass(frozen=True)
class Share:
    """A number from 0 to 1."""

    def read(self, value: Any, location: str) -> float:
        """Return the value as a float if it is within the limits."""
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 1:
            raise BadInput(f"{location}: " + gettext("must be a number from 0 to 1."))
        return float(value)


@dataclass(frozen=True)
class AnyNumber:
    """A number, negative or not, of at most this size."""

    largest: float

    def read(self, value: Any, location: str) -> float:
        """Return the value, a whole number as such, if it is not too large."""
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) <= self.largest:
            values = {"least": f"{-self.largest:g}", "most": f"{self.largest:g}"}
            raise BadInput(f"{location}: " + gettext("must be a number from %(least)s to %(most)s.") % values)
        return int(value) if float(value).is_integer() else float(value)


@dataclass(frozen=True)
class TextUpTo:
    """A text of 1 to `maximum` characters, without blanks around it."""

    maximum: int

    def read(self, value: Any, location: str) -> str:
        """Return the text without blanks around it."""
        if not isinstance(value, str) or not 0 < len(value.strip()) <= self.maximum or not can_be_stored(value):
            text = gettext("must be a text of at most %(most)s characters.")
            raise BadInput(f"{location}: " + text % {"most": self.maximum})
        return value.strip()


def can_be_stored(text: str) -> bool:
    """Whether the database stores the text: no NUL, and no half of a surrogate pair."""
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


@dataclass(frozen=True)
class NameUpTo:
    """A name as in `readerstudy.names`: letters, digits, hyphens and underscores."""

    maximum: int

    def read(self, value: Any, location: str) -> str:
        """Return the name if it follows the rule."""
        if not isinstance(value, str) or name_error(value, maximum=self.maximum):
            text = gettext("must be a name of at most %(most)s letters, digits, - and _.")
            raise BadInput(f"{location}: " + text % {"most": self.maximum})
        return value


@dataclass(frozen=True)
class OneOf:
    """One of these texts."""

    values: tuple[str, ...]

    def read(self, value: Any, location: str) -> str:
        """Return the value if it is one of these."""
        if value not in self.values:
            values = {"values": ", ".join(self.values)}
            raise BadInput(f"{location}: " + gettext("must be one of: %(values)s.") % values)
        return str(value)


def changed(rules: Rules, table: Mapping[str, Any], location: str) -> Rules:
    """Return a copy of the dataclass with the values of a table. BadInput for a name that it does not have."""
    hints = get_type_hints(type(rules), include_extras=True)
    if unknown := next((name for name in table if name not in hints), None):
        text = gettext("there is no such rule; there are: %(known)s.") % {"known": ", ".join(hints)}
        raise BadInput(f"{location} {unknown}: {text}")
    values = {name: read_value(hints[name], value, f"{location} {name}") for name, value in table.items()}
    # No type variable can be bound to all dataclasses.
    return replace(rules, **values)  # type: ignore[type-var]


def read_value(hint: Any, value: Any, location: str) -> Any:
    """Return a value of the file as the annotated type."""
    if get_origin(hint) is Annotated:
        return hint.__metadata__[0].read(value, location)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise BadInput(f"{location}: " + gettext("must be a list."))
        item = get_args(hint)[0]
        return tuple(read_value(item, part, f"{location} {number}") for number, part in enumerate(value, start=1))
    if hint is bool:
        if not isinstance(value, bool):
            raise BadInput(f"{location}: " + gettext("must be true or false."))
        return value
    if issubclass(hint, str) and issubclass(hint, Enum):
        return hint(OneOf(tuple(member.value for member in hint)).read(value, location))
    return _read_table(hint, value, location)


def _read_table(kind: type[Any], value: Any, location: str) -> Any:
    """Return the dataclass of a nested table."""
    assert is_dataclass(kind)
    hints = get_type_hints(kind, include_extras=True)
    if not isinstance(value, dict) or not set(value) <= set(hints):
        text = gettext("must be a table of: %(names)s.") % {"names": ", ".join(hints)}
        raise BadInput(f"{location}: {text}")
    for field in fields(kind):
        if field.default is MISSING and field.name not in value:
            raise BadInput(f"{location}: " + gettext("%(name)s is missing.") % {"name": field.name})
    return kind(**{name: read_value(hints[name], part, f"{location} {name}") for name, part in value.items()})
