"""The form of a protocol, derived from its frozen dataclasses: each field with its type, its limits and its default.

A table has the fields of a dataclass, rows are a list of tables, and everything else is a leaf with one control.
"""

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from readerstudy.protocol.document import MOST_SESSIONS, Protocol, ProtocolSession
from readerstudy.protocol.questions import MOST_CHOICES, Choice
from readerstudy.protocol.texts import LanguageCode, TextsUpTo
from readerstudy.protocol.values import AnyNumber, NameUpTo, NumberBetween, OneOf, Share, TextUpTo, WholeNumber

Limit = WholeNumber | NumberBetween | Share | AnyNumber | TextUpTo | TextsUpTo | NameUpTo | LanguageCode | OneOf
# Rows of a list in the form; the protocol's check has the last word.
MOST_ROWS: Final = 50
MOST_OF_KIND: Final[dict[type[Any], int]] = {ProtocolSession: MOST_SESSIONS, Choice: MOST_CHOICES + 3}


@dataclass(frozen=True)
class Leaf:
    """One value. `limit` None: yes or no. `is_many`: any number of values, each within the limit."""

    owner: type[Any]
    name: str
    limit: Limit | None
    default: Any
    is_optional: bool = False
    is_many: bool = False

    @property
    def is_own_text(self) -> bool:
        """Whether it is a text of the study, which may be in several languages."""
        return isinstance(self.limit, TextsUpTo)

    @property
    def is_required(self) -> bool:
        return not (self.is_optional or self.is_many or self.limit is None)


@dataclass(frozen=True)
class Table:
    """The fields of a dataclass, in their order. `owner` and `name` say where it stands; None at the root."""

    kind: type[Any]
    fields: "tuple[Node, ...]"
    owner: type[Any] | None = None
    name: str = ""
    default: Any = None

    def field(self, name: str) -> "Node | None":
        """Return the field of that name, or None."""
        return next((field for field in self.fields if field.name == name), None)


@dataclass(frozen=True)
class Rows:
    """A list of tables."""

    owner: type[Any]
    name: str
    item: Table
    default: Any
    most: int = MOST_ROWS


Node = Leaf | Table | Rows


@cache
def protocol_form() -> Table:
    """Return the form of a protocol."""
    return _table(Protocol)


def kinds(table: Table) -> Iterator[type[Any]]:
    """Yield every dataclass of the form."""
    yield table.kind
    for field in table.fields:
        if isinstance(field, Rows):
            yield from kinds(field.item)
        elif isinstance(field, Table):
            yield from kinds(field)


def _table(kind: type[Any], owner: type[Any] | None = None, name: str = "", default: Any = None) -> Table:
    hints = get_type_hints(kind, include_extras=True)
    return Table(kind, tuple(_node(kind, each, hints[each.name]) for each in fields(kind)), owner, name, default)


def _node(owner: type[Any], field: Field[Any], hint: Any) -> Node:
    default = field.default if field.default is not MISSING else None
    if get_origin(hint) is Annotated:
        inner, limit = get_args(hint)[:2]
        return Leaf(owner, field.name, limit, default, is_optional=NoneType in get_args(inner))
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (part for part in get_args(hint) if part is not NoneType)
        return _optional(_node(owner, field, hint))
    if hint is bool:
        return Leaf(owner, field.name, None, default)
    if get_origin(hint) is tuple:
        return _list(owner, field.name, get_args(hint)[0], default)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Leaf(owner, field.name, OneOf(tuple(member.value for member in hint)), default)
    if isinstance(hint, type) and is_dataclass(hint):
        return _table(hint, owner, field.name, default)
    raise TypeError(f"{owner.__name__}.{field.name}: the form has no control for {hint}.")


def _optional(node: Node) -> Node:
    if not isinstance(node, Leaf):
        raise TypeError(f"{node.name}: the form has no optional tables.")
    return Leaf(node.owner, node.name, node.limit, node.default, is_optional=True)


def _list(owner: type[Any], name: str, item: Any, default: Any) -> Node:
    if isinstance(item, type) and is_dataclass(item):
        most = MOST_OF_KIND.get(item, MOST_ROWS)
        return Rows(owner, name, _table(item), default if default is not None else (), most)
    if get_origin(item) is Annotated:
        return Leaf(owner, name, get_args(item)[1], default if default is not None else (), is_many=True)
    raise TypeError(f"{owner.__name__}.{name}: the form has no control for a list of {item}.")
