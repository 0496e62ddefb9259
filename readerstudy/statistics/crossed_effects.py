"""Design of readings with crossed random effects, shared by the mixed models.

Every reading belongs to one reader and one case. Readers have a random intercept and optional slopes, cases a random
intercept; all are independent. Effects of different cases are independent given those of readers, so the models solve
systems only of the size of the readers' effects.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

INTERCEPT = "intercept"


@dataclass(frozen=True)
class FixedEffect:
    """One coefficient with Wald's test and interval; `df` is None if z was used instead of t."""

    name: str
    estimate: float
    se: float
    df: float | None
    statistic: float
    p: float
    low: float
    high: float


@dataclass(frozen=True)
class RandomEffect:
    """Standard deviation of the intercepts or slopes of readers or cases."""

    group: str  # "reader" or "case"
    name: str
    sd: float

    @property
    def is_singular(self) -> bool:
        """Whether the estimate is 0 (at the boundary), so that the model is equivalent to one without this effect."""
        return self.sd < 1e-4


@dataclass(frozen=True)
class CrossedDesign:
    """Design of n readings: fixed (n, p); slopes (n, q) with the readers' intercept first; codes (n,)."""

    names: tuple[str, ...]
    fixed: Floats
    slope_names: tuple[str, ...]
    slopes: Floats
    reader: Codes
    case: Codes
    readers: int
    cases: int

    def by_reader(self, values: Floats) -> Floats:
        """Return the sums of values (n, k) over each reader's readings, (readers, k)."""
        return np.stack([np.bincount(self.reader, column, self.readers) for column in values.T], axis=1)

    def by_case(self, values: Floats) -> Floats:
        """Return the sums of values (n, k) over each case's readings, (cases, k)."""
        return np.stack([np.bincount(self.case, column, self.cases) for column in values.T], axis=1)

    def by_cell(self, values: Floats) -> Floats:
        """Return the sums of values (n, k) over each reader's readings of each case, (readers, k, cases)."""
        cell = self.reader * self.cases + self.case
        size = (self.readers, self.cases)
        sums = [np.bincount(cell, column, self.readers * self.cases).reshape(size) for column in values.T]
        return np.stack(sums, axis=1)

    def random_effects(self, sds: Floats) -> tuple[RandomEffect, ...]:
        """Return the standard deviations (q + 1,) with names: the readers' q, then that of cases."""
        named = [("reader", name) for name in self.slope_names] + [("case", INTERCEPT)]
        return tuple(RandomEffect(group, name, float(sd)) for (group, name), sd in zip(named, sds, strict=True))


def crossed_design(
    fixed: Mapping[str, ArrayLike], slopes: Mapping[str, ArrayLike], reader: ArrayLike, case: ArrayLike
) -> CrossedDesign:
    """Return the design, with an intercept added to the fixed effects and to the readers' slopes.

    Raises ValueError if there are fewer than two readers or cases, no case was read twice, or effects are collinear.
    """
    readers, reader_code = np.unique(np.asarray(reader), return_inverse=True)
    cases, case_code = np.unique(np.asarray(case), return_inverse=True)
    if np.ndim(reader) != 1 or np.shape(reader) != np.shape(case):
        raise ValueError("reader and case must be one-dimensional arrays of the same length.")
    if len(readers) < 2:
        raise ValueError("reader must contain at least two readers, or their variance cannot be estimated.")
    if len(cases) < 2 or len(cases) == len(reader_code):
        raise ValueError("case must contain at least two cases, and one that was read twice.")
    names, columns = _columns(fixed, len(reader_code))
    slope_names, slope_columns = _columns(slopes, len(reader_code))
    if np.linalg.matrix_rank(columns) < columns.shape[1]:
        raise ValueError(f"fixed contains collinear effects: {', '.join(names)}.")
    return CrossedDesign(
        names, columns, slope_names, slope_columns, reader_code, case_code, readers=len(readers), cases=len(cases)
    )


def _columns(effects: Mapping[str, ArrayLike], count: int) -> tuple[tuple[str, ...], Floats]:
    columns = [np.ones(count)]
    for name, values in effects.items():
        column = np.asarray(values, dtype=float)
        if column.shape != (count,) or not np.isfinite(column).all():
            raise ValueError(f"{name} must contain a finite number for each reading.")
        columns.append(column)
    return (INTERCEPT, *effects), np.stack(columns, axis=1)


def wald_effect(
    name: str, estimate: float, se: float, *, df: float | None = None, confidence: float = 0.95
) -> FixedEffect:
    """Return the effect with Wald's test and interval, by z, or by t if `df` is given."""
    tail = (1 + confidence) / 2
    statistic = estimate / se
    half = float(ndtri(tail) if df is None else stdtrit(df, tail)) * se
    p = float(2 * (ndtr(-abs(statistic)) if df is None else stdtr(df, -abs(statistic))))
    return FixedEffect(name, estimate, se, df, statistic, p, estimate - half, estimate + half)
