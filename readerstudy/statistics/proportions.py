"""Proportions and their intervals: Wilson; Clopper–Pearson on request; Newcombe for differences."""

from dataclasses import dataclass
from math import sqrt
from typing import NamedTuple

from scipy.special import betaincinv, ndtri


@dataclass(frozen=True)
class Proportion:
    """Hits among trials; share and interval are None where there were no trials.

    Hits may be a half where the declared rule gives "unsure" half credit; the interval is then approximate.
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
    """The score interval (Wilson, 1927), without continuity correction; fractional hits allowed."""
    _check(hits, trials, confidence)
    if trials == 0:
        return Proportion(hits, trials, None, None, None)
    share, z = hits / trials, _quantile(confidence)
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2))
    # At 0 and n the bound is exactly 0 and 1; rounding may miss that by 1e-17, on the wrong side.
    low = 0.0 if hits == 0 else centre - half
    high = 1.0 if hits == trials else centre + half
    return Proportion(hits, trials, share, low, high)


def clopper_pearson(hits: int, trials: int, *, confidence: float = 0.95) -> Proportion:
    """The exact interval (Clopper and Pearson, 1934): never too narrow, often too wide; whole hits only."""
    _check(hits, trials, confidence)
    if hits != int(hits):
        raise ValueError(f"Clopper–Pearson counts whole hits, not {hits}.")
    if trials == 0:
        return Proportion(hits, trials, None, None, None)
    tail = (1 - confidence) / 2
    low = float(betaincinv(hits, trials - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, trials - hits, 1 - tail)) if hits < trials else 1.0
    return Proportion(hits, trials, hits / trials, low, high)


def newcombe(first: Proportion, second: Proportion, *, confidence: float = 0.95) -> ShareDifference:
    """Second − first for independent samples by the hybrid score interval (Newcombe, 1998, method 10)."""
    one = _held(wilson(first.hits, first.trials, confidence=confidence), "first")
    two = _held(wilson(second.hits, second.trials, confidence=confidence), "second")
    difference = two.share - one.share
    below = sqrt((two.share - two.low) ** 2 + (one.high - one.share) ** 2)
    above = sqrt((two.high - two.share) ** 2 + (one.share - one.low) ** 2)
    return ShareDifference(difference, difference - below, difference + above)


def newcombe_paired(
    both: int, only_first: int, only_second: int, neither: int, *, confidence: float = 0.95
) -> ShareDifference:
    """Second − first for the same images read twice, by the paired hybrid score interval (Newcombe, 1998, method 10).

    The four counts are images that were right both times, only the first, only the second, and neither time.
    """
    if min(both, only_first, only_second, neither) < 0 or not (trials := both + only_first + only_second + neither):
        raise ValueError("The counts must be of images, and of one at least.")
    first = _held(wilson(both + only_first, trials, confidence=confidence), "first")
    second = _held(wilson(both + only_second, trials, confidence=confidence), "second")
    correlation = _correlation(both, only_first, only_second, neither)
    below = _hypotenuse(second.share - second.low, first.high - first.share, correlation)
    above = _hypotenuse(second.high - second.share, first.share - first.low, correlation)
    difference = (only_second - only_first) / trials
    return ShareDifference(difference, difference - below, difference + above)


def _correlation(both: int, only_first: int, only_second: int, neither: int) -> float:
    """φ of two readings of the same images, drawn towards 0 where it is positive (Newcombe, 1998)."""
    trials = both + only_first + only_second + neither
    margins = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    product = float(both * neither - only_first * only_second)
    if product > 0:
        product = max(product - trials / 2, 0.0)
    return product / sqrt(margins) if margins else 0.0


def _hypotenuse(one: float, two: float, correlation: float) -> float:
    return sqrt(max(one**2 - 2 * correlation * one * two + two**2, 0.0))


class _Held(NamedTuple):
    """A share that exists, with its bounds."""

    share: float
    low: float
    high: float


def _held(sample: Proportion, name: str) -> _Held:
    if sample.share is None or sample.low is None or sample.high is None:
        raise ValueError(f"The {name} sample is empty.")
    return _Held(sample.share, sample.low, sample.high)


def _quantile(confidence: float) -> float:
    return float(ndtri((1 + confidence) / 2))


def _check(hits: float, trials: int, confidence: float) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"There cannot be {hits} hits in {trials} trials.")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, not at {confidence}.")
