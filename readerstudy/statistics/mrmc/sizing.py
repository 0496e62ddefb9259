"""Sample sizes: readers and cases that a study needs (Hillis, Obuchowski & Berbaum, 2011, Acad. Radiol. 18:129).

Start from a pilot (`pilot_components` of an analysis), for binary endpoints from an expected rate and correlations
(`binary_components`), or for an AUC from the expected shares of each rating (`expected_ratings`). Variances over cases
are inversely proportional to the number of cases, for a fixed share of positives. For sensitivity and specificity,
cases are those of one class.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.integrate import quad
from scipy.special import chdtri, fdtri, nctdtr, ndtr, ndtri, stdtrit
from scipy.stats import chi, ncf, ncx2

from readerstudy.statistics.mrmc.anova import RANDOM
from readerstudy.statistics.mrmc.results import ObuchowskiRockette, RandomFactors

MOST = 1_000_000  # readers or cases; the search stops there


@dataclass(frozen=True)
class VarianceComponents:
    """Variance of readers by condition, and covariances over cases, of a study with `cases` cases."""

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
            raise ValueError(f"var: a variance cannot be negative, but it is {self.var}.")


@dataclass(frozen=True)
class Power:
    """Power of the test with its inputs. `se` is that of the difference; `df2` is infinite with fixed readers."""

    power: float
    readers: int
    cases: int
    difference: float
    se: float
    noncentrality: float
    df2: float


def pilot_components(pilot: ObuchowskiRockette) -> VarianceComponents:
    """Return the components of a pilot. A negative `var_tr` is kept.

    Cases are counted per condition (or reader) if the pilot's design nests them. Raises ValueError if the pilot has
    fewer than two conditions or two readers.
    """
    if pilot.var_tr is None or pilot.cov1 is None or pilot.cov2 is None or pilot.cov3 is None:
        raise ValueError("pilot: the components need at least two conditions and two readers.")
    groups = {"crossed": 1, "cases_in_condition": len(pilot.conditions), "cases_in_reader": len(pilot.readers)}
    cases = round(pilot.cases / groups[pilot.design])
    return VarianceComponents(pilot.var_tr, pilot.var, pilot.cov1, pilot.cov2, pilot.cov3, cases)


def binary_components(
    rate: float, cases: int, *, r1: float = 0.0, r2: float = 0.0, r3: float = 0.0, sd_tr: float = 0.0
) -> VarianceComponents:
    """Return the components of a rate (sensitivity, specificity, accuracy), Bernoulli over cases.

    Correlations of verdicts on the same case: `r1` of one reader in two conditions, `r2` of two readers in one
    condition, `r3` of two readers in two conditions. They are 0 if cases are not shared (r1 = r3 = 0 if each condition
    has its own images). `sd_tr` is the SD of the reader-by-condition effect on the true rate, that is of reader ×
    condition cells; the change of a reader between two conditions then has the SD √2 · sd_tr.

    Raises ValueError if an argument is out of range.
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must be between 0 and 1, not {rate}.")
    if cases < 1:
        raise ValueError(f"cases: there must be at least one, not {cases}.")
    return correlated_components(rate * (1 - rate) / cases, cases, r1=r1, r2=r2, r3=r3, sd_tr=sd_tr)


def correlated_components(
    var: float, cases: int, *, r1: float, r2: float, r3: float, sd_tr: float
) -> VarianceComponents:
    """Return the components of estimates with this variance and these correlations. Raises ValueError out of range."""
    for name, value in (("r1", r1), ("r2", r2), ("r3", r3)):
        if not 0 <= value <= 1:
            raise ValueError(f"{name}: the correlation must be from 0 to 1, not {value}.")
    return VarianceComponents(sd_tr**2, var, r1 * var, r2 * var, r3 * var, cases)


def power(
    components: VarianceComponents,
    *,
    readers: int,
    cases: int,
    difference: float,
    alpha: float = 0.05,
    random: RandomFactors = "both",
) -> Power:
    """Return the power of the two-sided test of two conditions whose true difference is `difference`.

    A negative `var_tr` counts as 0, as does a negative Cov2 − Cov3, as in the test over random readers. Raises
    ValueError if an argument is out of range or nothing varies.
    """
    if difference == 0:
        raise ValueError("difference: give the difference that the study should detect; it cannot be 0.")
    spread, df2 = _spread(components, readers, cases, alpha, random)
    noncentrality = readers * difference**2 / 2 / spread
    if np.isinf(df2):
        rejected = float(ncx2.sf(chdtri(1, alpha), 1, noncentrality))
    else:
        rejected = float(ncf.sf(fdtri(1, df2, 1 - alpha), 1, df2, noncentrality))
    return Power(rejected, readers, cases, difference, float(np.sqrt(2 * spread / readers)), noncentrality, float(df2))


def equivalence_power(
    components: VarianceComponents,
    *,
    readers: int,
    cases: int,
    margin: float,
    difference: float = 0.0,
    alpha: float = 0.05,
    random: RandomFactors = "both",
) -> Power:
    """Return the power of the two one-sided tests (TOST) of two conditions whose true difference is `difference`.

    Each test has the level `alpha`, so the interval that must lie within ±`margin` is that of 1 − 2·alpha. The power is
    exact for a normal estimate whose variance is estimated with the degrees of freedom of the analysis (Owen, 1965,
    Biometrika 52:437; Phillips, 1990, J. Pharmacokinet. Biopharm. 18:137). Raises ValueError if an argument is out of
    range or nothing varies.
    """
    if not 0 < margin < np.inf:
        raise ValueError(f"margin must be above 0, not {margin}.")
    if not alpha < 0.5:
        raise ValueError(f"alpha must be below .5, not {alpha}.")
    spread, df2 = _spread(components, readers, cases, alpha, random)
    se = float(np.sqrt(2 * spread / readers))
    accepted = _accepted(margin / se, difference / se, df2, alpha)
    return Power(accepted, readers, cases, difference, se, (difference / se) ** 2, df2)


def non_inferiority_power(
    components: VarianceComponents,
    *,
    readers: int,
    cases: int,
    margin: float,
    difference: float = 0.0,
    alpha: float = 0.025,
    random: RandomFactors = "both",
) -> Power:
    """Return the power of the one-sided test that a condition is not worse than another one by `margin`.

    `difference` is the true one, above 0 if the condition is better; `alpha` is the one-sided level. By the noncentral
    t distribution with the degrees of freedom of the analysis. Raises ValueError if an argument is out of range or
    nothing varies.
    """
    if not 0 < margin < np.inf:
        raise ValueError(f"margin must be above 0, not {margin}.")
    if not alpha < 0.5:
        raise ValueError(f"alpha must be below .5, not {alpha}.")
    spread, df2 = _spread(components, readers, cases, alpha, random)
    se = float(np.sqrt(2 * spread / readers))
    shift = (margin + difference) / se
    if np.isinf(df2):
        shown = float(ndtr(shift - ndtri(1 - alpha)))
    else:
        shown = 1 - float(nctdtr(df2, shift, stdtrit(df2, 1 - alpha)))
    return Power(shown, readers, cases, difference, se, shift**2, df2)


def _accepted(margin: float, difference: float, df: float, alpha: float) -> float:
    """Return the probability that both one-sided tests reject. `margin` and `difference` are in standard errors."""

    def given(ratio: float, quantile: float) -> float:
        """Return it given the ratio of the estimated to the true standard error."""
        width = margin - quantile * ratio
        return float(ndtr(width - difference) - ndtr(-width - difference)) if width > 0 else 0.0

    if np.isinf(df):
        return given(1.0, float(ndtri(1 - alpha)))
    quantile, root = float(stdtrit(df, 1 - alpha)), np.sqrt(df)
    # The ratio is χ/√df; beyond margin/quantile nothing is accepted. Points keep a narrow density from being missed.
    low, middle, high = chi.ppf((1e-12, 0.5, 1 - 1e-12), df) / root
    end = min(high, margin / quantile)
    if end <= low:
        return 0.0
    value, _error = quad(
        lambda ratio: given(ratio, quantile) * chi.pdf(ratio * root, df) * root,
        low,
        end,
        points=[middle] if middle < end else None,
        epsabs=1e-10,
        limit=200,
    )
    return float(value)


def _spread(
    components: VarianceComponents, readers: int, cases: int, alpha: float, random: RandomFactors
) -> tuple[float, float]:
    """Return the denominator of F, which is half the variance of the difference times the readers, and its df."""
    _check(readers, cases, alpha, random)
    scale = components.cases / cases
    own = (components.var - components.cov1) * scale
    excess = max(components.cov2 - components.cov3, 0.0) * scale
    var_tr = max(components.var_tr, 0.0) if random != "cases" else 0.0
    if random == "readers":
        spread = between = var_tr + own - excess  # these cases only: the variance of readers by condition
    else:
        spread, between = var_tr + own + (readers - 1) * excess, var_tr + own - excess
    if spread <= 0:
        raise ValueError("components: nothing varies, so any sample size is sufficient.")
    df2 = (readers - 1) * (spread / between) ** 2 if random != "cases" and between > 0 else np.inf
    return spread, float(df2)


def cases_needed(
    components: VarianceComponents,
    *,
    readers: int,
    difference: float,
    power_wanted: float = 0.8,
    alpha: float = 0.05,
    random: RandomFactors = "both",
) -> Power:
    """Return the smallest number of cases with which these readers reach the power. ValueError if none does."""

    def at(cases: int) -> Power:
        return power(components, readers=readers, cases=cases, difference=difference, alpha=alpha, random=random)

    return _fewest(at, 2, power_wanted, "readers: too few for this power with any number of cases.")


def readers_needed(
    components: VarianceComponents,
    *,
    cases: int,
    difference: float,
    power_wanted: float = 0.8,
    alpha: float = 0.05,
) -> Power:
    """Return the smallest number of readers with which these cases reach the power. ValueError if none does."""

    def at(readers: int) -> Power:
        return power(components, readers=readers, cases=cases, difference=difference, alpha=alpha)

    return _fewest(at, 2, power_wanted, "cases: too few for this power with any number of readers.")


def _fewest(at: Callable[[int], Power], start: int, wanted: float, never: str) -> Power:
    """Return the smallest number that reaches the power, by doubling and bisection; power grows with the number."""
    if not 0 < wanted < 1:
        raise ValueError(f"power_wanted must be between 0 and 1, not {wanted}.")
    low, high = start - 1, start
    while at(high).power < wanted:
        low, high = high, 2 * high
        if high > MOST:
            raise ValueError(never)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if at(middle).power >= wanted else (middle, high)
    return at(high)


def _check(readers: int, cases: int, alpha: float, random: str) -> None:
    if random not in RANDOM:
        raise ValueError(f"random must be one of {', '.join(RANDOM)}, not {random!r}.")
    if readers < (1 if random == "cases" else 2):
        raise ValueError(f"readers: {readers} are not enough for a test.")
    if cases < 1:
        raise ValueError(f"cases: there must be at least one, not {cases}.")
    if not 0 < alpha < 1:
        raise ValueError(f"alpha must be between 0 and 1, not {alpha}.")
