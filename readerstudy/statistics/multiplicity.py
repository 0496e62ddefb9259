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


def decision_levels(p: Mapping[Name, float | None], correction: Correction, alpha: float) -> dict[Name, float | None]:
    """Return the level at which each test of a family is decided, so that its adjusted p < alpha if its p < the level.

    An interval of 1 − level around the estimate then agrees with the decision. Holm: a rejected test has the level of
    its step, alpha / (tests still open); all others have that of the step at which the procedure stops. Benjamini and
    Hochberg: alpha × (rejected tests, at least one) / tests, whose intervals for the rejected tests have a controlled
    false coverage rate (Benjamini and Yekutieli, 2005). The intervals do not cover all parameters at once.

    >>> decision_levels({"a": 0.01, "b": 0.04, "c": 0.03}, Correction.HOLM, 0.06)
    {'a': 0.02, 'b': 0.03, 'c': 0.03}
    """
    tested = {name: value for name, value in p.items() if value is not None}
    values = _checked(list(tested.values()))
    rejected = int((_adjusted(list(tested.values()), correction) < alpha).sum())
    if correction is Correction.HOLM:
        # Ranks of equal p are those of `holm`. The last step is never beyond the last test.
        ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable")
        levels = alpha / (values.size - np.minimum(ranks, min(rejected, values.size - 1)))
    elif correction is Correction.BENJAMINI_HOCHBERG:
        levels = np.full(values.size, alpha * (max(rejected, 1) / max(values.size, 1)))
    else:
        levels = np.full(values.size, alpha)
    by_name = dict(zip(tested, levels.tolist(), strict=True))
    return {name: by_name.get(name) for name in p}


def _adjusted(p: Sequence[float], correction: Correction) -> NDArray[np.float64]:
    if correction is Correction.HOLM:
        return holm(p)
    return benjamini_hochberg(p) if correction is Correction.BENJAMINI_HOCHBERG else _checked(p)


def _checked(p: ArrayLike) -> NDArray[np.float64]:
    values = np.asarray(p, dtype=float)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p must be a one-dimensional array of numbers between 0 and 1.")
    return values
