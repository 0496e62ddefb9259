"""How many readers and cases a study needs (Hillis, Obuchowski & Berbaum, 2011, Acad. Radiol. 18:129).

Start from a pilot (`pilot_components` of an analysis) or, for yes-or-no endpoints, from an expected rate and
correlations (`binary_components`). Variances over cases shrink in proportion to the number of cases, the share of
positives held as it was; for sensitivity and specificity the cases are those of the one class.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, fdtri
from scipy.stats import ncf, ncx2

from readerstudy.statistics.mrmc.anova import RANDOM
from readerstudy.statistics.mrmc.results import ObuchowskiRockette, Random

MOST = 1_000_000  # readers or cases: beyond that no study is meant


@dataclass(frozen=True)
class VarianceComponents:
    """What a study of `cases` cases would show: variance of readers by condition, and covariances over cases."""

    var_tr: float
    var: float
    cov1: float
    cov2: float
    cov3: float
    cases: int

    def __post_init__(self) -> None:
        if self.cases < 1:
            raise ValueError(f"cases: there must be at least one, not {self.cases}.")
        if self.var < 0:
            raise ValueError(f"var: a variance is not negative, as {self.var} is.")


@dataclass(frozen=True)
class Power:
    """The chance to find the difference, and what it comes from; `df2` is infinite with readers fixed."""

    power: float
    readers: int
    cases: int
    difference: float
    se: float
    noncentrality: float
    df2: float


def pilot_components(pilot: ObuchowskiRockette) -> VarianceComponents:
    """The components of a pilot with at least two conditions and two readers; a negative `var_tr` is kept as it is.

    Cases are counted as the pilot's design counts them: nested in conditions, per condition.
    """
    if pilot.var_tr is None or pilot.cov1 is None or pilot.cov2 is None or pilot.cov3 is None:
        raise ValueError("pilot: components of readers need two conditions and two readers at least.")
    groups = {"crossed": 1, "cases_in_condition": len(pilot.conditions), "cases_in_reader": len(pilot.readers)}
    cases = round(pilot.cases / groups[pilot.design])
    return VarianceComponents(pilot.var_tr, pilot.var, pilot.cov1, pilot.cov2, pilot.cov3, cases)


def binary_components(
    rate: float, cases: int, *, r1: float = 0.0, r2: float = 0.0, r3: float = 0.0, sd_tr: float = 0.0
) -> VarianceComponents:
    """Components of a rate (sensitivity, specificity, accuracy), Bernoulli over cases.

    `r1` is the correlation of the same reader's answers to the same case in two conditions, `r2` that of two readers
    in one condition, `r3` that of two readers in two conditions; all 0 where cases are not shared (r1 = r3 = 0 with
    other images in each condition). `sd_tr` is the SD over readers of the true rate's difference from the reader's
    own and the condition's own: the part of a reader's change that is hers alone.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate lies between 0 and 1, not at {rate}.")
    for name, value in (("r1", r1), ("r2", r2), ("r3", r3)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: a correlation here lies from 0 to 1, not at {value}.")
    if cases < 1:
        raise ValueError(f"cases: there must be at least one, not {cases}.")
    var = rate * (1 - rate) / cases
    return VarianceComponents(sd_tr**2, var, r1 * var, r2 * var, r3 * var, cases)


def power(
    components: VarianceComponents,
    *,
    readers: int,
    cases: int,
    difference: float,
    alpha: float = 0.05,
    random: Random = "both",
) -> Power:
    """The power of the two-sided test of two conditions that truly differ by `difference`.

    A negative `var_tr` counts as 0, and Cov2 − Cov3 as 0 where Cov3 is larger, as in the test over random readers.
    """
    _check(readers, cases, difference, alpha, random)
    shrunk = components.cases / cases
    own = (components.var - components.cov1) * shrunk
    excess = max(components.cov2 - components.cov3, 0.0) * shrunk
    var_tr = max(components.var_tr, 0.0) if random != "cases" else 0.0
    if random == "readers":
        spread = between = var_tr + own - excess  # of these cases: what readers by condition leave
    else:
        spread, between = var_tr + own + (readers - 1) * excess, var_tr + own - excess
    if spread <= 0:
        raise ValueError("components: nothing varies, so any number would do.")
    noncentrality = readers * difference**2 / 2 / spread
    if random == "cases":
        df2, found = np.inf, float(ncx2.sf(chdtri(1, alpha), 1, noncentrality))
    else:
        df2 = (readers - 1) * (spread / between) ** 2 if between > 0 else np.inf
        found = (
            float(ncx2.sf(chdtri(1, alpha), 1, noncentrality))
            if np.isinf(df2)
            else float(ncf.sf(fdtri(1, df2, 1 - alpha), 1, df2, noncentrality))
        )
    return Power(found, readers, cases, difference, float(np.sqrt(2 * spread / readers)), noncentrality, float(df2))


def cases_needed(
    components: VarianceComponents,
    *,
    readers: int,
    difference: float,
    power_wanted: float = 0.8,
    alpha: float = 0.05,
    random: Random = "both",
) -> Power:
    """The fewest cases with which that many readers reach the power; ValueError where no number does."""

    def at(cases: int) -> Power:
        return power(components, readers=readers, cases=cases, difference=difference, alpha=alpha, random=random)

    return _fewest(at, 2, power_wanted, "readers: with so few, no number of cases gives that power; take more readers.")


def readers_needed(
    components: VarianceComponents,
    *,
    cases: int,
    difference: float,
    power_wanted: float = 0.8,
    alpha: float = 0.05,
) -> Power:
    """The fewest readers with which that many cases reach the power; ValueError where no number does."""

    def at(readers: int) -> Power:
        return power(components, readers=readers, cases=cases, difference=difference, alpha=alpha)

    return _fewest(at, 2, power_wanted, "cases: with so few, no number of readers gives that power; take more cases.")


def _fewest(at: Callable[[int], Power], start: int, wanted: float, never: str) -> Power:
    """The first number that reaches the power, which grows with the number: doubling, then halving the gap."""
    if not 0 < wanted < 1:
        raise ValueError(f"power_wanted lies between 0 and 1, not at {wanted}.")
    low, high = start - 1, start
    while at(high).power < wanted:
        low, high = high, 2 * high
        if high > MOST:
            raise ValueError(never)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle).power >= wanted else (middle, high)
    return at(high)


def _check(readers: int, cases: int, difference: float, alpha: float, random: str) -> None:
    if random not in RANDOM:
        raise ValueError(f"random is one of {', '.join(RANDOM)}, not {random!r}.")
    if readers < (1 if random == "cases" else 2):
        raise ValueError(f"readers: {readers} are too few for a test.")
    if cases < 1:
        raise ValueError(f"cases: there must be at least one, not {cases}.")
    if difference == 0:
        raise ValueError("difference: name the difference that the study should find; it cannot be 0.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, not at {alpha}.")
