"""The types of parameters say what the catalogue says: names, types, choices, and what may be missing."""

from enum import StrEnum
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from readerstudy.experiments import parameters as types
from readerstudy.experiments.catalogue import KINDS
from readerstudy.experiments.kinds import SEVERAL, Field, FieldType, JobKind

TYPES = {
    "train-classifier": types.TrainClassifierParameters,
    "train-gan": types.TrainGanParameters,
    "train-inpainting": types.TrainInpaintingParameters,
    "generate": types.GenerateParameters,
    "attack": types.AttackParameters,
    "evaluate": types.EvaluateParameters,
    "train-detector": types.TrainDetectorParameters,
    "cross-validate": types.CrossValidateParameters,
}
PLAIN = {FieldType.INTEGER: int, FieldType.NUMBER: float, FieldType.BUDGET: int, FieldType.FLAG: bool}
OPEN_CHOICES = {"preset", "attack.method", "resolution", "resolutions"}  # their names are typed as text


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.key)
def test_the_type_of_a_kind_s_parameters_agrees_with_the_catalogue(kind: JobKind) -> None:
    hints = dict(flat(TYPES[kind.key]))
    assert {name: hint for name, (hint, _required) in hints.items()} == {f.name: hint_of(f) for f in kind.fields}
    given = {name for name, (_hint, required) in hints.items() if required}
    assert given == {f.name for f in kind.fields if is_always_there(f, kind)}


def flat(kind: type, prefix: str = ""):
    """Yield the name of every parameter with its hint and whether it is required in its group."""
    for name, hint in get_type_hints(kind).items():
        if is_typeddict(hint):
            yield from flat(hint, f"{name}.")
        else:
            # A typed dictionary has this attribute; `type` has not.
            yield prefix + name, (spelled_out(hint), name in kind.__required_keys__)  # type: ignore[attr-defined]


def spelled_out(hint: Any) -> Any:
    """Return the hint with a vocabulary's members in place of its name."""
    if get_origin(hint) is list:
        return list[spelled_out(get_args(hint)[0])]
    is_vocabulary = isinstance(hint, type) and issubclass(hint, StrEnum)
    return Literal[tuple(word.value for word in hint)] if is_vocabulary else hint


def hint_of(field: Field) -> Any:
    item: Any = PLAIN.get(field.type, str)
    if field.choices and field.name not in OPEN_CHOICES:
        item = Literal[tuple(key for key, _title in field.choices)]
    return list[item] if field.type in SEVERAL else item


def is_always_there(field: Field, kind: JobKind) -> bool:
    """Whether the field has a value whenever its group is given."""
    opens_group = "." in field.name and any(other.needs == field.name for other in kind.fields)
    return field.name == "resolutions" or opens_group or not field.optional
