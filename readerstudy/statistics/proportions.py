"""Proportions with Wilson or Clopper–Pearson intervals, and differences with Newcombe intervals."""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

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
    share, z = hits / trials, _quantile(confidence)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    # The bounds at 0 and n hits are exactly 0 and 1; rounding could put them 1e-17 outside.
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == trials else centre + half
    return Proportion(hits, trials, share, low, high)


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
