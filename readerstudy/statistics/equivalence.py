"""Equivalence and non-inferiority: one-sided tests against a margin that the plan declared before the first reading."""

from dataclasses import dataclass
from math import inf

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from readerstudy.statistics.proportions import Proportion, newcombe


@dataclass(frozen=True)
class Equivalence:
    """Test of whether a difference lies within ±margin. `p` is the larger of the two one-sided p.

    `low` and `high` bound the 1 − 2α interval, which lies within the margin if and only if p < α.
    """

    difference: float
    margin: float
    low: float
    high: float
    p_below: float  # against a difference of −margin or less
    p_above: float  # against a difference of margin or more
    p: float
    equivalent: bool


def tost(difference: float, se: float, margin: float, *, df: float | None = None, alpha: float = 0.05) -> Equivalence:
    """Return the two one-sided tests (Schuirmann, 1987) of an estimate with standard error `se`.

    `df` None means the normal distribution; for an MRMC analysis pass the df of its difference. Raises ValueError if
    `se`, `margin` or `df` is not above 0, or `alpha` is out of range.
    """
    _check(margin, alpha)
    if not se > 0:
        raise ValueError(f"se must be above 0, not {se}.")
    if df is not None and not df > 0:
        raise ValueError(f"df must be above 0, not {df}.")
    quantile = float(ndtri(1 - alpha) if df is None else stdtrit(df, 1 - alpha))
    below, above = (difference + margin) / se, (margin - difference) / se
    p_below, p_above = (float(ndtr(-t) if df is None else stdtr(df, -t)) for t in (below, above))
    return _equivalence(
        difference, margin, difference - quantile * se, difference + quantile * se, p_below, p_above, alpha
    )


@dataclass(frozen=True)
class NonInferiority:
    """Test of whether a difference lies above −margin. `p` is one-sided, against a difference of −margin or less.

    `low` is the lower bound at 1 − α, one-sided; it lies above −margin if and only if p < α.
    """

    difference: float
    margin: float
    low: float
    p: float
    shown: bool


def non_inferiority(
    difference: float, se: float, margin: float, *, df: float | None = None, alpha: float = 0.025
) -> NonInferiority:
    """Return the one-sided test of an estimate with standard error `se` (ICH E9, 1998, suggests α = 0.025).

    A greater difference is taken as better; for the opposite pass it with its sign changed. `df` None means the normal
    distribution. Raises ValueError as `tost` does.

    >>> result = non_inferiority(-0.01, 0.02, 0.05)
    >>> round(result.low, 3), round(result.p, 3), result.shown
    (-0.049, 0.023, True)
    """
    sides = tost(difference, se, margin, df=df, alpha=alpha)
    return NonInferiority(difference, margin, sides.low, sides.p_below, sides.p_below < alpha)


def tost_proportions(first: Proportion, second: Proportion, margin: float, *, alpha: float = 0.05) -> Equivalence:
    """Return the two one-sided tests of second − first from Newcombe's interval (1998, method 10).

    Each p is the level at which the interval just touches the margin, so the test and the interval always agree, and
    shares of 0 and 1 need no special case. Raises ValueError if a sample is empty.
    """
    _check(margin, alpha)
    interval = newcombe(first, second, confidence=1 - 2 * alpha)
    p_above = _level_at_margin(first, second, margin)
    p_below = _level_at_margin(second, first, margin)
    return _equivalence(interval.difference, margin, interval.low, interval.high, p_below, p_above, alpha)


def _level_at_margin(first: Proportion, second: Proportion, margin: float) -> float:
    """Return the one-sided level at which the upper bound of second − first equals the margin."""

    def excess(z: float) -> float:
        # A negative z is a level above one half; the bound is then the lower one of the mirrored interval.
        confidence = float(2 * ndtr(abs(z)) - 1)
        if confidence <= 0:
            bound = newcombe(first, second, confidence=0.5).difference
        else:
            interval = newcombe(first, second, confidence=min(confidence, 1 - 1e-16))
            bound = interval.high if z > 0 else interval.low
        return bound - margin

    largest = 8.0  # Φ is 1 in double precision beyond it
    if excess(largest) <= 0:
        return float(ndtr(-largest))
    if excess(-largest) >= 0:
        return 1.0
    return float(ndtr(-brentq(excess, -largest, largest, xtol=1e-13)))


def _check(margin: float, alpha: float) -> None:
    if not 0 < margin < inf:
        raise ValueError(f"margin must be above 0, not {margin}.")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must be between 0 and .5, not {alpha}.")


def _equivalence(
    difference: float, margin: float, low: float, high: float, p_below: float, p_above: float, alpha: float
) -> Equivalence:
    p = max(p_below, p_above)
    return Equivalence(difference, margin, low, high, p_below, p_above, p, p < alpha)
