"""Proportions and their intervals: Wilson; Clopper–Pearson on request; Newcombe for differences."""

from dataclasses import dataclass
from math import sqrt

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
    one = wilson(first.hits, first.trials, confidence=confidence)
    two = wilson(second.hits, second.trials, confidence=confidence)
    if one.share is None or one.low is None or one.high is None:
        raise ValueError("The first sample is empty.")
    if two.share is None or two.low is None or two.high is None:
        raise ValueError("The second sample is empty.")
    difference = two.share - one.share
    below = sqrt((two.share - two.low) ** 2 + (one.high - one.share) ** 2)
    above = sqrt((two.high - two.share) ** 2 + (one.share - one.low) ** 2)
    return ShareDifference(difference, difference - below, difference + above)


def _quantile(confidence: float) -> float:
    return float(ndtri((1 + confidence) / 2))


def _check(hits: float, trials: int, confidence: float) -> None:
    if not 0 <= hits <= trials:
        raise ValueError(f"There cannot be {hits} hits in {trials} trials.")
    if not 0 < confidence < 1:
        raise ValueError(f"A confidence lies between 0 and 1, not at {confidence}.")
