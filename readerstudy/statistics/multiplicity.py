"""Corrections for multiple tests: Holm in a declared family, Benjamini–Hochberg for exploratory analyses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Name = TypeVar("Name")


class Correction(StrEnum):
    """The corrections that a plan may declare for a family of tests."""

    HOLM = "holm"
    BENJAMINI_HOCHBERG = "benjamini_hochberg"
    NONE = "none"


@dataclass(frozen=True)
class AdjustedFamily(Generic[Name]):
    """Adjusted p by test. Undefined tests have None and do not count; `tests` is the number of the others."""

    correction: Correction
    tests: int
    adjusted: Mapping[Name, float | None]


def holm(p: ArrayLike) -> NDArray[np.float64]:
    """Return Holm's step-down adjusted p (Holm, 1979), which control the family-wise error rate.

    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    values = _checked(p)
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate(values[order] * np.arange(values.size, 0, -1))
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """Return adjusted p (Benjamini and Hochberg, 1995), which control the false discovery rate."""
    values = _checked(p)
    adjusted: NDArray[np.float64] = stats.false_discovery_control(values, method="bh") if values.size else values
    return adjusted


def correct_family(p: Mapping[Name, float | None], correction: Correction) -> AdjustedFamily[Name]:
    """Adjust one declared family. The size of the family is the number of tests that have a p."""
    tested = {name: value for name, value in p.items() if value is not None}
    adjusted = _adjusted(list(tested.values()), correction)
    by_name = dict(zip(tested, adjusted.tolist(), strict=True))
    return AdjustedFamily(correction, len(tested), {name: by_name.get(name) for name in p})


def _adjusted(p: Sequence[float], correction: Correction) -> NDArray[np.float64]:
    if correction is Correction.HOLM:
        return holm(p)
    return benjamini_hochberg(p) if correction is Correction.BENJAMINI_HOCHBERG else _checked(p)


def _checked(p: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p must be a one-dimensional array of numbers between 0 and 1.")
    return values
