"""Slopes of correctness within readers: on reading time (speed against accuracy), on the position, over sessions.

A slope within strata compares a reader's own readings with each other. Readers who are both slow and accurate do not
make it positive, nor does a session or a kind of image that is slower and easier if these are strata.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

from readerstudy.statistics.crossed_effects import FixedEffect, Floats, wald_effect
from readerstudy.statistics.proportions import Proportion, wilson

NO_SPREAD = "credit: no stratum has readings with different credits and different values, so there is no slope."
NOT_FINITE = "credit: the values separate correct from wrong readings in every stratum, so the slope is not finite."
ONE_READER = "cluster: one reader has all the information, so nothing can be said about similar readers."
BINS = 5
_STEPS = 100
_TOLERANCE = 1e-10
_STEEPEST = 30.0  # log odds over the range of the values; odds of 1e13 mean separation


@dataclass(frozen=True)
class WithinSlope:
    """The log odds ratio of a correct verdict for one unit more, with the readings and strata that inform about it."""

    effect: FixedEffect
    readings: float
    strata: int
    clusters: int | None


@dataclass(frozen=True)
class TimeBin:
    """One part of a reader's readings, from fast to slow: their median seconds and the share of correct verdicts."""

    seconds: float
    accuracy: Proportion


@dataclass(frozen=True)
class _Data:
    """Informative readings: credits, values and weights (n,), codes of strata (n,) from 0."""

    y: Floats
    x: Floats
    weight: Floats
    stratum: NDArray[np.int64]
    index: NDArray[np.int64]  # in the arrays given

    def sums(self, values: Floats) -> Floats:
        """Return the weighted sums over each stratum, (strata,)."""
        sums: Floats = np.bincount(self.stratum, self.weight * values).astype(float)
        return sums


def within_slope(
    credit: ArrayLike,
    value: ArrayLike,
    stratum: ArrayLike,
    *,
    cluster: ArrayLike | None = None,
    weight: ArrayLike | None = None,
    confidence: float = 0.95,
) -> WithinSlope:
    """Return the slope of correctness on a value by logistic regression with an intercept for each stratum.

    Arrays have shape (n,): `credit` is 1 for correct, 0 for wrong, .5 for half credit; `stratum` labels readings that
    are compared with each other, for example those of one reader on one kind of image in one session; `weight` counts
    equal readings. Maximum likelihood; two-sided p by Wald's z. With `cluster`, the reader of each reading, standard
    errors are robust (Liang and Zeger, 1986; times C / (C − 1) for C readers, never below the others) and tested by t
    with C − 1 df, so that the result holds for similar readers. Strata whose readings have all the same credit, or all
    the same value, say nothing about the slope and are left out.

    With strata of few readings the intercepts bias the slope away from 0 (Neyman and Scott, 1948): use
    `conditional_logistic` for pairs.

    Raises ValueError if no stratum informs about the slope, if it is not finite, or if one cluster has all readings.

    >>> slope = within_slope([1, 0, 1, 1, 0, 0], [1, 2, 3, 1, 2, 3], ["R1", "R1", "R1", "R2", "R2", "R2"])
    >>> round(slope.effect.estimate, 2), slope.strata
    (-1.29, 2)
    """
    data = _informative(credit, value, stratum, weight)
    intercept, slope = _maximise(data)
    mean = expit(intercept[data.stratum] + slope * data.x)
    spread = mean * (1 - mean)
    centred = data.x - (data.sums(spread * data.x) / data.sums(spread))[data.stratum]
    information = float((data.weight * spread * centred**2).sum())
    variance, clusters = 1 / information, None
    if cluster is not None:
        codes = np.unique(_labels(cluster, np.shape(credit), "cluster")[data.index], return_inverse=True)[1]
        clusters = int(codes.max()) + 1
        if clusters < 2:
            raise ValueError(ONE_READER)
        scores = np.bincount(codes, data.weight * centred * (data.y - mean))
        variance = max(variance, clusters / (clusters - 1) * float(scores @ scores) / information**2)
    df = None if clusters is None else clusters - 1.0
    return WithinSlope(
        effect=wald_effect("slope", slope, float(np.sqrt(variance)), df=df, confidence=confidence),
        readings=float(data.weight.sum()),
        strata=len(intercept),
        clusters=clusters,
    )


def time_bins(seconds: ArrayLike, stratum: ArrayLike, *, bins: int = BINS) -> NDArray[np.int64]:
    """Return the part of each reading in its stratum, from 0 (fastest) to bins − 1 (slowest), (n,).

    Parts of a stratum differ by at most one reading. Equal times stay in the order given. Raises ValueError for
    negative times.

    >>> time_bins([9.0, 2.0, 30.0, 20.0], ["easy", "easy", "hard", "hard"], bins=2).tolist()
    [1, 0, 1, 0]
    """
    times = np.asarray(seconds, dtype=float)
    if times.ndim != 1 or not (np.isfinite(times) & (times >= 0)).all():
        raise ValueError("seconds must be finite and not negative, one for each reading.")
    if bins < 1:
        raise ValueError(f"bins must be 1 or more, not {bins}.")
    codes = np.unique(_labels(stratum, times.shape, "stratum"), return_inverse=True)[1]
    order = np.lexsort((times, codes))
    sizes = np.bincount(codes)
    rank = np.empty(times.size, dtype=np.int64)
    rank[order] = np.arange(times.size) - (np.cumsum(sizes) - sizes)[codes[order]]
    parts: NDArray[np.int64] = rank * bins // sizes[codes]
    return parts


def conditional_accuracy(
    credit: ArrayLike, seconds: ArrayLike, stratum: ArrayLike, *, bins: int = BINS
) -> tuple[TimeBin, ...]:
    """Return one reader's share of correct verdicts in parts of the readings from fast to slow, (n,) each.

    The conditional accuracy function (Luce, 1986, chapter 6). Readings are divided within strata, for example
    sessions, by `time_bins`. Returns nothing if a part would be empty. Raises ValueError for credits outside 0 to 1.

    >>> [part.accuracy.share for part in conditional_accuracy([1, 1, 1, 0], [2.0, 3.0, 9.0, 8.0], ["one"] * 4, bins=2)]
    [1.0, 0.5]
    """
    y, times = np.asarray(credit, dtype=float), np.asarray(seconds, dtype=float)
    if y.ndim != 1 or y.shape != times.shape or not ((y >= 0) & (y <= 1)).all():
        raise ValueError("credit must contain a number between 0 and 1 for each reading.")
    part = time_bins(times, stratum, bins=bins)
    if np.unique(part).size < bins:
        return ()
    return tuple(
        TimeBin(float(np.median(times[part == number])), wilson(float(y[part == number].sum()), int(own)))
        for number, own in enumerate(np.bincount(part))
    )


def _informative(credit: ArrayLike, value: ArrayLike, stratum: ArrayLike, weight: ArrayLike | None) -> _Data:
    """Return the readings of strata in which credits and values differ."""
    y, x = np.asarray(credit, dtype=float), np.asarray(value, dtype=float)
    if y.ndim != 1 or not ((y >= 0) & (y <= 1)).all():
        raise ValueError("credit must contain a number between 0 and 1 for each reading.")
    if x.shape != y.shape or not np.isfinite(x).all():
        raise ValueError("value must be a finite number for each reading.")
    weights = np.ones(y.size) if weight is None else np.asarray(weight, dtype=float)
    if weights.shape != y.shape or not (np.isfinite(weights) & (weights >= 0)).all():
        raise ValueError("weight must be a number of 0 or more for each reading.")
    codes = np.unique(_labels(stratum, y.shape, "stratum"), return_inverse=True)[1]
    counted = weights > 0
    keeps = counted & (_varies(y, codes, counted) & _varies(x, codes, counted))[codes]
    index = np.flatnonzero(keeps)
    if not index.size:
        raise ValueError(NO_SPREAD)
    kept = np.unique(codes[index], return_inverse=True)[1]
    return _Data(y[index], x[index], weights[index], kept, index)


def _varies(values: Floats, codes: NDArray[np.int64], counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return for each stratum whether the values that count differ."""
    low, high = np.full(codes.max(initial=0) + 1, np.inf), np.full(codes.max(initial=0) + 1, -np.inf)
    np.minimum.at(low, codes[counted], values[counted])
    np.maximum.at(high, codes[counted], values[counted])
    differs: NDArray[np.bool_] = low < high
    return differs


def _labels(labels: ArrayLike, shape: tuple[int, ...], name: str) -> NDArray[np.str_] | NDArray[np.int64]:
    known: NDArray[np.str_] | NDArray[np.int64] = np.asarray(labels)
    if known.shape != shape:
        raise ValueError(f"{name} must label each reading.")
    return known


def _maximise(data: _Data) -> tuple[Floats, float]:
    """Return intercepts and slope, by Newton's method with halved steps. Raises ValueError if it has no maximum."""
    total = data.sums(np.ones_like(data.y))
    share = data.sums(data.y) / total
    intercept, slope = logit(share), 0.0
    reach = float(np.ptp(data.x))
    current = _log_likelihood(data, intercept, slope)
    for _ in range(_STEPS):
        mean = expit(intercept[data.stratum] + slope * data.x)
        spread = mean * (1 - mean)
        own, residual = data.sums(spread), data.sums(data.y - mean)
        border, corner = data.sums(spread * data.x), float((data.weight * spread * data.x**2).sum())
        gradient = float((data.weight * data.x * (data.y - mean)).sum())
        step = (gradient - float(border @ (residual / own))) / (corner - float(border @ (border / own)))
        steps = (residual - border * step) / own
        factor = 1.0
        while (following := _log_likelihood(data, intercept + factor * steps, slope + factor * step)) < (
            current - _TOLERANCE
        ) and factor > _TOLERANCE:
            factor /= 2
        intercept, slope, current = intercept + factor * steps, slope + factor * step, following
        if abs(slope) * reach > _STEEPEST:
            break
        if max(abs(step) * reach, float(np.abs(steps).max())) * factor < _TOLERANCE:
            return intercept, slope
    raise ValueError(NOT_FINITE)


def _log_likelihood(data: _Data, intercept: Floats, slope: float) -> float:
    linear = intercept[data.stratum] + slope * data.x
    return float((data.weight * (data.y * linear - np.logaddexp(0, linear))).sum())
