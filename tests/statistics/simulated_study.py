"""The simulated study in long form, one element for each of its 4,880 readings, and the figures that R found in it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.statistics.oracle import ORACLES, SHARED, expected


@dataclass(frozen=True)
class LongForm:
    reader: NDArray[np.str_]
    session: NDArray[np.int64]
    position: NDArray[np.int64]
    case: NDArray[np.str_]
    truth: NDArray[np.int64]  # 1 for adversarial
    verdict: NDArray[np.str_]
    seconds: NDArray[np.float64]
    correct: NDArray[np.float64]

    def where(self, **wanted: object) -> "LongForm":
        chosen = np.logical_and.reduce([getattr(self, name) == value for name, value in wanted.items()])
        return LongForm(**{field.name: getattr(self, field.name)[chosen] for field in fields(self)})


@cache
def long_form() -> LongForm:
    lines = expected(ORACLES / "simstudy.csv")
    column = {name: np.array([line[name] for line in lines]) for name in lines[0]}
    return LongForm(
        reader=column["reader"],
        session=column["session"].astype(int),
        position=column["order"].astype(int),
        case=column["case"],
        truth=(column["truth"] == "fake").astype(int),
        verdict=np.where(column["answer"] == "fake", "not_real", column["answer"]),
        seconds=column["seconds"].astype(float),
        correct=column["correct"].astype(float),
    )


@cache
def figures(name: str) -> Mapping[str, Any]:
    """The expected figures of one file of oracles/."""
    result: Mapping[str, Any] = json.loads((ORACLES / name).read_text())
    return result


def published(name: str) -> list[list[str]]:
    """The rows of published rating data, without their heading; they are not part of this repository."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the published ratings {name} are not beside this checkout")
    return [line.replace('"', "").split(",") for line in path.read_text().splitlines()[1:]]
