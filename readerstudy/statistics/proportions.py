"""Proportions with Wilson or Clopper–Pearson intervals, and differences with Newcombe intervals."""

from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, ndtri


@dataclass(frozen=True)
class Proportion:
    """Hits among trials. Share and interval are None without trials.

    Hits may end in one half if the declared rule gives "unsure" half credit; the interval is then approximate.
    """

    hits: float
    trials: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class ShareDifference:
    """The second share minus the first, with its interval."""

    difference: float
    low: float
    high: float


def wilson(hits: float, trials: int, *, confidence: float = 0.95) -> Proportion:
    """Return the share with its score interval (Wilson, 1927), without continuity correction.

    Fractional hits are allowed. Raises ValueError unless 0 ≤ hits ≤ trials.

    >>> share = wilson(81, 263)
    >>> round(share.share, 4), round(share.low, 4), round(share.high, 4)
    (0.308, 0.2553, 0.3662)
    """
    _check(hits, trials, confidence)
    if trials == 0:
        return Proportion(hits, trials, None, None, None)
    share = hits / trials
    return Proportion(hits, trials, share, *_score_interval(share, trials, confidence))


def wilson_by_cluster(hit: NDArray[np.bool_], cluster: NDArray[Any], *, confidence: float = 0.95) -> Proportion:
    """Return the share of hits (n,) with Wilson's interval at the effective number of trials (Saha et al., 2016).

    `cluster` (n,) holds the patient of each image. The effective number is `effective_trials`. Raises ValueError if
    the arrays differ in length.
    """
    if hit.shape != cluster.shape:
        raise ValueError(f"cluster has {cluster.size} elements, hit has {hit.size}: give one per trial.")
    hits, trials = int(hit.sum()), int(hit.size)
    if trials == 0:
        return wilson(0, 0, confidence=confidence)
    effective = effective_trials(hit, cluster)
    _check(hits, trials, confidence)
    return Proportion(hits, trials, hits / trials, *_score_interval(hits / trials, effective, confidence))


def effective_trials(hit: NDArray[np.bool_], cluster: NDArray[Any]) -> float:
    """Return how many independent trials estimate the share of hits (n,) as well as these of dependent clusters (n,).

    Trials divided by the design effect of the ratio estimator (Rao and Scott, 1992), which is at least 1. If all
    trials are hits or none is, there is no design effect: each cluster then counts as one trial.
    """
    number = np.unique(cluster, return_inverse=True)[1]
    clusters, trials, share = int(number.max()) + 1, int(hit.size), float(hit.mean())
    if clusters == trials:
        return float(trials)
    if clusters == 1 or share in (0.0, 1.0):
        return float(clusters)
    residuals = np.bincount(number, weights=hit - share)
    between = clusters / (clusters - 1) * float(residuals @ residuals) / trials**2
    independent = share * (1 - share) / (trials - 1)
    return trials / max(between / independent, 1.0)


def clopper_pearson(hits: int, trials: int, *, confidence: float = 0.95) -> Proportion:
    """Return the share with its exact interval (Clopper and Pearson, 1934), which is conservative.

    Raises ValueError for fractional hits.
    """
    _check(hits, trials, confidence)
    if hits != int(hits):
        raise ValueError(f"Clopper–Pearson needs whole hits, not {hits}.")
    if trials == 0:
        return Proportion(hits, trials, None, None, None)
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return Proportion(hits, trials, hits / trials, low, high)


def newcombe(first: Proportion, second: Proportion, *, confidence: float = 0.95) -> ShareDifference:
    """Return second − first of independent samples with its hybrid score interval (Newcombe, 1998, method 10).

    Raises ValueError if a sample is empty.
    """
    a = _nonempty(wilson(first.hits, first.trials, confidence=confidence), "first")
    b = _nonempty(wilson(second.hits, second.trials, confidence=confidence), "second")
    difference = b.share - a.share
    below = sqrt((b.share - b.low) ** 2 + (a.high - a.share) ** 2)
    above = sqrt((b.high - b.share) ** 2 + (a.share - a.low) ** 2)
    return ShareDifference(difference, difference - below, difference + above)


def newcombe_paired(
    both: int, only_first: int, only_second: int, neither: int, *, confidence: float = 0.95
) -> ShareDifference:
    """Return second − first for the same images read twice, with its paired hybrid score interval.

    Newcombe, 1998, method 10. The counts are images read correctly both times, only the first time, only the second
    time, and neither time. Raises ValueError for negative counts or no images.
    """
    if min(both, only_first, only_second, neither) < 0 or not (trials := both + only_first + only_second + neither):
        raise ValueError("The counts must not be negative, and at least one image is needed.")
    first = _nonempty(wilson(both + only_first, trials, confidence=confidence), "first")
    second = _nonempty(wilson(both + only_second, trials, confidence=confidence), "second")
    correlation = _correlation(both, only_first, only_second, neither)
    below = _hypotenuse(second.share - second.low, first.high - first.share, correlation)
    above = _hypotenuse(second.high - second.share, first.share - first.low, correlation)
    difference = (only_second - only_first) / trials
    return ShareDifference(difference, difference - below, difference + above)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """Return φ of two readings of the same images, shrunk towards 0 if positive (Newcombe, 1998)."""
    trials = both + only_first + only_second + neither
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - trials / 2, 0.0)
    return product / sqrt(margins) if margins else 0.0


def _hypotenuse(a: float, b: float, correlation: float) -> float:
    return sqrt(max(a**2 - 2 * correlation * a * b + b**2, 0.0))


def _score_interval(share: float, trials: float, confidence: float) -> tuple[float, float]:
    """Return the bounds of the score interval. `trials` may be a fraction: an effective number."""
    z = _quantile(confidence)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    # The bounds of 0 and of all hits are exactly 0 and 1; rounding could put them 1e-17 outside.
    return 0.0 if share == 0 else centre - half, 1.0 if share == 1 else centre + half


class _Bounds(NamedTuple):
    """A share of a sample that is not empty, with its bounds."""

    share: float
    low: float
    high: float


def _nonempty(sample: Proportion, name: str) -> _Bounds:
    if sample.share is None or sample.low is None or sample.high is None:
        raise ValueError(f"The {name} sample is empty.")
    return _Bounds(sample.share, sample.low, sample.high)


def _quantile(confidence: float) -> float:
    return float(ndtri((1 + confidence) / 2))


def _check(hits: float, trials: int, confidence: float) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} hits are impossible in {trials} trials.")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must be between 0 and 1, not {confidence}.")
