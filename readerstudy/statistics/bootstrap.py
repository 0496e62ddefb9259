"""The reader × case bootstrap: distribution of the mean over readers when readers and cases are both resampled.

A replicate is two vectors of weights: how often each reader and each case was sampled. Readings are never copied. If
scores have few levels, as verdicts do, one product of weights and counts gives every replicate of every reader.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

BootstrapFigure = Literal["auc", "sensitivity", "specificity", "accuracy", "balanced_accuracy", "mean"]
RandomFactors = Literal["both", "readers", "cases"]
Counts = NDArray[np.float32]  # integers below 2²⁴, which are exact in single precision
Floats = NDArray[np.float64]
Codes = NDArray[np.int64]

REPLICATES = 2000
FEW_LEVELS = 12
ROUNDING = 1e-12
_CHUNK = 8_000_000  # weights or counts in memory at a time


@dataclass(frozen=True)
class BootstrapEstimate:
    """An estimate with its bootstrap standard error and percentile interval."""

    estimate: float
    se: float
    low: float
    high: float


@dataclass(frozen=True)
class BootstrapDifference:
    """Condition b minus condition a; p is two-sided, from the share of replicates beyond 0."""

    a: Any
    b: Any
    estimate: float
    se: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class BootstrapResult:
    """Means over readers and their differences. In `undefined` replicates a reader had cases of one class only."""

    means: Mapping[Any, BootstrapEstimate]
    differences: tuple[BootstrapDifference, ...]
    replicates: int
    undefined: int


def reader_by_case(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    *,
    rng: np.random.Generator,
    figure: BootstrapFigure = "auc",
    threshold: float | None = None,
    random: RandomFactors = "both",
    cluster: ArrayLike | None = None,
    replicates: int = REPLICATES,
    confidence: float = 0.95,
) -> BootstrapResult:
    """Bootstrap the mean over readers (Owen, 2007; Gallas, Bandos, Samuelson and Wagner, 2009). Arrays are (n,).

    `truth` is 1 for the signal class. A score of at least `threshold` is a positive call, for all figures except "auc"
    and "mean" (the mean score; pass credits as scores). Cases are sampled within truth and within the conditions in
    which they were read, so nested and crossed designs keep their sizes. `cluster` samples patients instead of cases.

    Use it beside the MRMC analysis, not instead of it: variance that readers and cases share is counted more than once
    (Owen, 2007), so intervals are too wide if readers hardly differ in how they change; and the variance among few
    readers is too small by (R − 1)/R, so with five readers the interval of one session's mean covered the truth .87 of
    the time instead of .95 (docs/results/statistics-calibration.md).

    Raises ValueError for invalid or insufficient readings.
    """
    design = _design(score, truth, reader, case, condition, cluster, figure, threshold)
    if figure not in get_args(BootstrapFigure) or random not in get_args(RandomFactors):
        raise ValueError(f"figure={figure!r} with random={random!r} is not supported.")
    if replicates < 99 or not 0 < confidence < 1:
        raise ValueError("replicates must be at least 99, and confidence between 0 and 1.")
    if random != "cases" and design.readers < 2:
        raise ValueError("reader must contain at least two readers to be resampled.")
    estimates = design.means(np.ones((1, design.units), np.float32), np.ones((1, design.readers)), figure)
    if not np.isfinite(estimates).all():
        raise ValueError("truth must contain both classes for each reader and condition that the figure compares.")
    replicated = np.concatenate(
        [design.means(cases, readers, figure) for cases, readers in _weights(design, random, replicates, rng)]
    )
    defined = replicated[np.isfinite(replicated).all(axis=1)]
    if len(defined) < 2:
        raise ValueError("truth: hardly any replicate contains both classes for each reader.")
    tails = ((1 - confidence) / 2, (1 + confidence) / 2)
    means = {name: _estimate(float(estimates[0, k]), defined[:, k], tails) for k, name in enumerate(design.conditions)}
    pairs = combinations(range(len(design.conditions)), 2)
    differences = tuple(_difference(design.conditions, estimates[0], defined, a, b, tails) for a, b in pairs)
    return BootstrapResult(means, differences, replicates, len(replicated) - len(defined))


@dataclass(frozen=True)
class _Design:
    """Readings as codes (n,). A cell is one reader in one condition; a unit is sampled: a case or a patient."""

    unit: Codes
    cell: Codes
    level: Codes
    truth: Codes
    values: Floats  # of the levels, ascending
    stratum: Codes  # (units,)
    conditions: tuple[Any, ...]
    readers: int
    units: int

    @property
    def cells(self) -> int:
        return self.readers * len(self.conditions)

    def means(self, of_units: Counts, of_readers: Floats, figure: BootstrapFigure) -> Floats:
        """Return the figure averaged over readers by their weights, (replicates, conditions)."""
        by_cell = (self._from_counts if len(self.values) <= FEW_LEVELS else self._from_runs)(of_units, figure)
        table = by_cell.reshape(len(of_units), len(self.conditions), self.readers)
        read = np.bincount(self.cell, minlength=self.cells).reshape(table.shape[1:]) > 0
        weights = of_readers[:, None, :] * read
        total = weights.sum(axis=2)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: Floats = np.where(weights > 0, table * weights, 0.0).sum(axis=2) / total
        return means

    def _from_counts(self, of_units: Counts, figure: BootstrapFigure) -> Floats:
        """Return figures (replicates, cells) from one product: weights (replicates, units) times counts per unit."""
        shape = (len(of_units), self.cells, len(self.values), 2)
        noise, signal = np.moveaxis((of_units @ self._counts).reshape(shape).astype(float), -1, 0)
        return _FIGURES[figure](noise, signal, self.values)

    @cached_property
    def _counts(self) -> Counts:
        """Number of readings of each unit by cell, level and truth, (units, cells · levels · 2)."""
        column = (self.cell * len(self.values) + self.level) * 2 + self.truth
        counts = np.zeros((self.units, self.cells * len(self.values) * 2), np.float32)
        np.add.at(counts, (self.unit, column), 1)
        return counts

    def _from_runs(self, of_units: Counts, figure: BootstrapFigure) -> Floats:
        """Return the same for many levels: per cell, sums over runs of equal scores."""
        figures = np.full((len(of_units), self.cells), np.nan)
        order = np.lexsort((self.level, self.cell))
        for chosen in np.split(order, np.cumsum(np.bincount(self.cell, minlength=self.cells))[:-1]):
            if not chosen.size:
                continue
            starts = np.flatnonzero(np.diff(self.level[chosen], prepend=-1))
            weights = of_units[:, self.unit[chosen]]
            noise, signal = (
                np.add.reduceat(weights * (self.truth[chosen] == kind), starts, axis=1).astype(float) for kind in (0, 1)
            )
            values = self.values[self.level[chosen[starts]]]
            figures[:, self.cell[chosen[0]]] = _FIGURES[figure](noise, signal, values)
        return figures


def _auc(noise: Floats, signal: Floats, values: Floats) -> Floats:
    """Return the share of pairs in which the signal scores higher; ties count half; counts are (…, levels)."""
    below = noise.cumsum(axis=-1) - noise / 2
    return _ratio((signal * below).sum(axis=-1), signal.sum(axis=-1) * noise.sum(axis=-1))


def _sensitivity(noise: Floats, signal: Floats, values: Floats) -> Floats:
    return _ratio((signal * values).sum(axis=-1), signal.sum(axis=-1))


def _specificity(noise: Floats, signal: Floats, values: Floats) -> Floats:
    return _ratio((noise * (1 - values)).sum(axis=-1), noise.sum(axis=-1))


def _accuracy(noise: Floats, signal: Floats, values: Floats) -> Floats:
    correct = (signal * values + noise * (1 - values)).sum(axis=-1)
    return _ratio(correct, (signal + noise).sum(axis=-1))


def _balanced_accuracy(noise: Floats, signal: Floats, values: Floats) -> Floats:
    return (_sensitivity(noise, signal, values) + _specificity(noise, signal, values)) / 2


def _mean(noise: Floats, signal: Floats, values: Floats) -> Floats:
    return _ratio(((signal + noise) * values).sum(axis=-1), (signal + noise).sum(axis=-1))


_FIGURES: dict[BootstrapFigure, Callable[[Floats, Floats, Floats], Floats]] = {
    "auc": _auc,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    "mean": _mean,
}


def _ratio(part: Floats, whole: Floats) -> Floats:
    ratio: Floats = np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
    return ratio


def _design(
    score: ArrayLike,
    truth: ArrayLike,
    reader: ArrayLike,
    case: ArrayLike,
    condition: ArrayLike,
    cluster: ArrayLike | None,
    figure: BootstrapFigure,
    threshold: float | None,
) -> _Design:
    scores, truths = np.asarray(score, dtype=float), np.asarray(truth)
    named = {"truth": truth, "reader": reader, "case": case, "condition": condition, "cluster": cluster}
    for name, values in named.items():
        if values is not None and (scores.ndim != 1 or np.shape(values) != scores.shape):
            raise ValueError(f"score and {name} must be one-dimensional arrays of the same length.")
    if not scores.size or not np.isfinite(scores).all() or not np.isin(truths, (0, 1)).all():
        raise ValueError("score must be finite and truth 0 or 1 for each reading, with at least one reading.")
    if figure not in ("auc", "mean"):
        if threshold is None:
            raise ValueError(f"threshold must be given for figure={figure!r}.")
        scores = (scores >= threshold).astype(float)
    readers, reader_code = np.unique(np.asarray(reader), return_inverse=True)
    conditions, condition_code = np.unique(np.asarray(condition), return_inverse=True)
    cases, case_code = np.unique(np.asarray(case), return_inverse=True)
    kinds = truths.astype(np.int64)
    of_case = np.bincount(case_code, kinds) / np.bincount(case_code)
    if not np.isin(of_case, (0, 1)).all():
        raise ValueError(f"truth differs between readings of case {cases[(of_case > 0) & (of_case < 1)][0]}.")
    cell = condition_code * len(readers) + reader_code
    if np.unique(cell * len(cases) + case_code).size < scores.size:
        raise ValueError("reader, case and condition must identify a reading, but a reader has two of one case.")
    values, level = np.unique(scores, return_inverse=True)
    if figure not in ("auc", "mean"):
        values, level = np.array([0.0, 1.0]), scores.astype(np.int64)
    units, unit = (cases, case_code) if cluster is None else np.unique(np.asarray(cluster), return_inverse=True)
    stratum = _strata(unit, condition_code, kinds, len(units), len(conditions))
    return _Design(
        unit, cell, level, kinds, values, stratum, tuple(conditions.tolist()), len(readers), units=len(units)
    )


def _strata(unit: Codes, condition: Codes, truth: Codes, units: int, conditions: int) -> Codes:
    """Return the sampling stratum of each unit, (units,): units read in the same conditions with the same truth."""
    pattern = np.zeros((units, 2 * conditions), dtype=bool)
    pattern[unit, 2 * condition + truth] = True
    stratum: Codes = np.unique(pattern, axis=0, return_inverse=True)[1].ravel()
    return stratum


def _weights(
    design: _Design, random: RandomFactors, replicates: int, rng: np.random.Generator
) -> Iterator[tuple[Counts, Floats]]:
    """Yield the weights of units and readers, for as many replicates at a time as fit in _CHUNK."""
    width = max(design.units, design.cells * 2 * min(len(design.values), FEW_LEVELS))
    size = max(1, min(replicates, _CHUNK // width))
    for done in range(0, replicates, size):
        count = min(size, replicates - done)
        of_units = np.ones((count, design.units), np.float32)
        if random != "readers":
            for stratum in range(design.stratum.max() + 1):
                members = np.flatnonzero(design.stratum == stratum)
                of_units[:, members] = _sample(len(members), count, rng)
        of_readers = _sample(design.readers, count, rng) if random != "cases" else np.ones((count, design.readers))
        yield of_units, of_readers.astype(float)


def _sample(size: int, count: int, rng: np.random.Generator) -> Counts:
    """Sample `size` items with replacement, `count` times; return how often each was sampled, (count, size)."""
    draws = rng.integers(0, size, (count, size)) + size * np.arange(count)[:, None]
    return np.bincount(draws.ravel(), minlength=count * size).reshape(count, size).astype(np.float32)


def _estimate(estimate: float, replicated: Floats, tails: tuple[float, float]) -> BootstrapEstimate:
    low, high = np.quantile(replicated, tails).tolist()
    return BootstrapEstimate(estimate, float(replicated.std(ddof=1)), low, high)


def _difference(
    names: tuple[Any, ...], estimates: Floats, replicated: Floats, a: int, b: int, tails: tuple[float, float]
) -> BootstrapDifference:
    changes = replicated[:, b] - replicated[:, a]
    change = _estimate(float(estimates[b] - estimates[a]), changes, tails)
    # A replicate without a change differs from 0 by rounding errors, which must not decide its sign.
    beyond = min(int((changes <= ROUNDING).sum()), int((changes >= -ROUNDING).sum()))
    p = min(1.0, 2 * (1 + beyond) / (1 + len(changes)))
    return BootstrapDifference(names[a], names[b], change.estimate, change.se, change.low, change.high, p)
